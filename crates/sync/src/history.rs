//! Who was a member when, what changed since, and moments that are kept by name.

use std::time::Duration;

use fanfare_domain::audience::usable_name;
use fanfare_domain::history::{
    Change, ChangeKey, ChangeRange, Difference, Kept, MAX_SNAPSHOTS, Membership, Snapshot,
    moment_before,
};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId, SnapshotId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, UnitOfWork};
use fanfare_domain::time::Timestamp;

use crate::error::{Entity, Error};
use crate::integration::Integration;

impl Integration {
    /// Who was a member at a time.
    pub async fn members_at(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        at: Timestamp,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, Error> {
        let mut unit = self.read_or_search(organization, search.is_some()).await?;
        let kept = self.kept(unit.as_mut(), id).await?;
        check(unit.as_mut(), (id, kept), "asOf", at).await?;
        Ok(unit.members_at(id, at, search, page).await?)
    }

    /// What changed from a time on and before another, oldest first; without a time, as far back as history is kept.
    pub async fn changes(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        page: &PageRequest,
    ) -> Result<Page<Change>, Error> {
        let mut unit = self.read(organization).await?;
        let kept = self.kept(unit.as_mut(), id).await?;
        for (field, time) in [("since", since), ("until", until)] {
            if let Some(Err(not_kept)) = time.map(|time| kept.check(time)) {
                return Err(Error::invalid(field, not_kept.to_string()));
            }
        }
        let key = |text: &str| {
            let message = "is not a cursor of changes; send the endCursor of a page as it was";
            ChangeKey::parse(text).ok_or_else(|| Error::invalid("after", message))
        };
        let range = ChangeRange {
            since: since.unwrap_or(kept.earliest),
            until,
            after: page.after.as_deref().map(key).transpose()?,
        };
        let changes = unit.changes(id, &range, page.first).await?;
        Ok(Page::of(changes, |change| change.key().to_text()))
    }

    /// What changed and whose membership it was, the latest first, as far back as history is kept; of a period, what
    /// changed between the members of its first and those of its last moment. A key that no page has shown is the beginning.
    pub async fn latest_changes(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        period: Option<(Timestamp, Timestamp)>,
        page: &PageRequest,
    ) -> Result<Page<(Change, Option<ConsumerRecord>)>, Error> {
        let mut unit = self.read(organization).await?;
        let kept = self.kept(unit.as_mut(), id).await?;
        let before = page.after.as_deref().and_then(ChangeKey::parse);
        let since = period.map_or(kept.earliest, |(from, _)| from.plus(A_MOMENT));
        let until = period.and_then(|(_, to)| behind(to));
        let (since, before) = (since.max(kept.earliest), before.or(until));
        let changes = unit.latest_changes(id, since, before.as_ref(), page.first);
        let mut told = Vec::new();
        for change in changes.await? {
            let person = unit.consumer(&change.consumer).await?;
            told.push((change, person));
        }
        Ok(Page::of(told, |(change, _)| change.key().to_text()))
    }

    /// When people who match a text last joined and left an audience, as many of them as are asked for.
    pub async fn last_memberships(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        search: &str,
        first: u32,
    ) -> Result<Vec<(ConsumerRecord, Membership)>, Error> {
        let mut unit = self.read_or_search(organization, true).await?;
        if unit.audience(id).await?.is_none() {
            return Err(Error::NotFound(Entity::Audience));
        }
        let filter = ConsumerFilter {
            search: Some(search.to_owned()),
            ..ConsumerFilter::default()
        };
        let page = PageRequest { first, after: None };
        let mut found = Vec::new();
        for person in unit.consumers(&filter, &page).await?.items {
            let last = unit.last_membership(id, &person.consumer.id).await?;
            found.extend(last.map(|last| (person, last)));
        }
        Ok(found)
    }

    /// How the members differ between two times.
    pub async fn difference(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Difference, Error> {
        let mut unit = self.read(organization).await?;
        let kept = self.kept(unit.as_mut(), id).await?;
        for (field, time) in [("from", from), ("to", to)] {
            check(unit.as_mut(), (id, kept), field, time).await?;
        }
        if to < from {
            return Err(Error::invalid("to", "must not be before from"));
        }
        Ok(Difference::of(
            unit.member_count_at(id, from).await?,
            unit.member_count_at(id, to).await?,
            unit.left_between(id, from, to).await?,
        ))
    }

    /// An audience's snapshots, oldest first.
    pub async fn snapshots(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<Snapshot>, Error> {
        let mut unit = self.read(organization).await?;
        require(unit.as_mut(), id).await?;
        Ok(unit.snapshots(id, page).await?)
    }

    /// Keeps the present moment of an audience by name. Fails with [`Error::TooManySnapshots`] if it has as many as it
    /// may have.
    pub async fn take_snapshot(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        name: &str,
    ) -> Result<Snapshot, Error> {
        let message = "must have a character that is seen";
        let name = usable_name(name).ok_or_else(|| Error::invalid("name", message))?;
        // Every writing unit before this one has ended, and those after it are later: the members then change no more,
        // and nobody has to wait while they are counted.
        let mut unit = self.begin(organization).await?;
        require(unit.as_mut(), id).await?;
        let at = moment_before(unit.writing_since()?);
        drop(unit);
        let mut unit = self.read(organization).await?;
        let members = unit.member_count_at(id, at).await?;
        drop(unit);
        let snapshot = Snapshot {
            id: SnapshotId::new(self.ids().ulid()),
            name,
            at,
            members,
        };
        let mut unit = self.begin(organization).await?;
        if unit.snapshot_count(id).await? >= MAX_SNAPSHOTS {
            return Err(Error::TooManySnapshots);
        }
        unit.insert_snapshot(id, &snapshot).await?;
        unit.commit().await?;
        Ok(snapshot)
    }

    /// Lets a snapshot go.
    pub async fn delete_snapshot(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        snapshot: &SnapshotId,
    ) -> Result<(), Error> {
        let mut unit = self.begin(organization).await?;
        require(unit.as_mut(), id).await?;
        if !unit.delete_snapshot(id, snapshot).await? {
            return Err(Error::NotFound(Entity::Snapshot));
        }
        Ok(unit.commit().await?)
    }

    /// For which times the history of an audience answers.
    async fn kept(&self, unit: &mut dyn UnitOfWork, id: &AudienceId) -> Result<Kept, Error> {
        require(unit, id).await?;
        let since = unit.history_from(id).await?;
        Ok(Kept::of(self.now(), self.history_kept_for, since))
    }
}

/// The smallest difference of two times.
const A_MOMENT: Duration = Duration::from_micros(1);

/// The place behind all changes of a time: that of the first change that there could be after it.
fn behind(at: Timestamp) -> Option<ChangeKey> {
    let smallest = ConsumerId::parse("0").ok()?;
    Some(ChangeKey::of_leaving(at.plus(A_MOMENT), smallest))
}

async fn require(unit: &mut dyn UnitOfWork, id: &AudienceId) -> Result<(), Error> {
    let found = unit.audience(id).await?;
    found.map(drop).ok_or(Error::NotFound(Entity::Audience))
}

/// Fails unless history tells the members of the time of a field. What a snapshot needs is kept, whenever it was; the
/// changes around it are not.
async fn check(
    unit: &mut dyn UnitOfWork,
    (id, kept): (&AudienceId, Kept),
    field: &str,
    time: Timestamp,
) -> Result<(), Error> {
    let Err(not_kept) = kept.check(time) else {
        return Ok(());
    };
    if unit.has_snapshot_at(id, time).await? {
        return Ok(());
    }
    Err(Error::invalid(field, not_kept.to_string()))
}
