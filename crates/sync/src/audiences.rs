//! Audiences: reading, changing and archiving them.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::audience::{AudienceType, Freshness, GroupType};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{AudienceRecord, ConsumerRecord, UnitOfWork};
use fanfare_domain::push::KeptList;
use fanfare_domain::time::Timestamp;

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::log::log_cancelled;
use crate::saving::cancel_runs;

/// What a field of an update does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Leaves the value.
    #[default]
    Keep,
    /// Sets the value, or with `None` deletes it.
    Set(Option<T>),
}

impl<T> Patch<T> {
    pub(crate) fn apply(self, to: &mut Option<T>) {
        if let Self::Set(value) = self {
            *to = value;
        }
    }
}

/// A change of an audience.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AudienceUpdate {
    /// Its name; from then on a rename in Klaviyo no longer follows.
    pub name: Option<String>,
    /// What it is for.
    pub description: Patch<String>,
    /// Its icon.
    pub icon_name: Patch<String>,
    /// Free data: JSON text by key.
    pub metadata: Patch<BTreeMap<String, String>>,
    /// Its group.
    pub group_id: Patch<String>,
    /// The group's name.
    pub group_name: Patch<String>,
    /// The group's type.
    pub group_type: Patch<GroupType>,
    /// When it was last refreshed.
    pub last_refreshed_at: Patch<Timestamp>,
    /// Seconds between its own syncs.
    pub refresh_interval_seconds: Patch<u32>,
    /// Its type, which can only be what it is.
    pub audience_type: Option<AudienceType>,
    /// The author of the change, for `updatedBy`.
    pub actor: String,
}

/// The status of an audience's sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AudienceStatus {
    /// The audience with its source.
    pub record: AudienceRecord,
    /// The Klaviyo list that it is kept in.
    pub kept_list: Option<KeptList>,
    /// How many runs it has had: a number that grows with every change of membership.
    pub version: u64,
    /// Its interval, if it syncs by itself.
    interval: Option<Duration>,
    /// How long a leaving can go unseen, if it syncs by itself and is not paused.
    removals_within: Option<Duration>,
    /// When it is due, if it syncs by itself and is not paused.
    due_at: Option<Timestamp>,
    is_stale: bool,
}

impl AudienceStatus {
    /// Whether a run is queued or syncing.
    pub fn is_in_progress(&self) -> bool {
        self.record.is_syncing()
    }

    /// Whether the members may be further behind Klaviyo than the audience's interval allows.
    pub const fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// When the audience syncs by itself next; `None` if it does not, while a run is active, and while the schedule is
    /// paused.
    pub fn next_sync_at(&self) -> Option<Timestamp> {
        self.due_at
            .filter(|_| self.interval.is_some() && !self.is_in_progress())
    }

    /// When a complete pass last succeeded.
    pub fn last_full_pass_at(&self) -> Option<Timestamp> {
        let source = self.record.source.as_ref()?;
        // Before this was kept every pass was complete.
        source.last_full_pass_at.or(source.last_synced_at)
    }

    /// How long it can take until somebody who left the list leaves the audience, in seconds: until the next complete pass
    /// by turn. `None` for a manual audience.
    pub fn removals_within_seconds(&self) -> Option<u64> {
        let within = self.removals_within.or(self.interval);
        within.map(|within| within.as_secs())
    }

    /// Why the schedule is paused, if there is one and it is.
    pub fn paused(&self) -> Option<FailureCode> {
        self.interval.and(self.record.source.as_ref()?.paused_by)
    }
}

/// Why the active run of an archived audience ends.
const ARCHIVED: &str = "The audience was deleted.";

impl Integration {
    /// Unarchived audiences, oldest first.
    pub async fn audiences(
        &self,
        organization: &OrganizationId,
        page: &PageRequest,
    ) -> Result<Page<AudienceRecord>, Error> {
        Ok(self.read(organization).await?.audiences(page).await?)
    }

    /// One audience, archived or not.
    pub async fn audience(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
    ) -> Result<AudienceRecord, Error> {
        let found = self.read(organization).await?.audience(id).await?;
        found.ok_or(Error::NotFound(Entity::Audience))
    }

    /// Changes an audience.
    pub async fn update_audience(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        update: AudienceUpdate,
    ) -> Result<AudienceRecord, Error> {
        let mut unit = self.begin(organization).await?;
        let mut record = unit
            .audience(id)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        let audience = &mut record.audience;
        let is_type = audience.audience_type();
        if update.audience_type.is_some_and(|of| of != is_type) {
            let message = format!("is {is_type} and stays so");
            return Err(Error::invalid("type", message));
        }
        if let Some(name) = update.name
            && name != audience.name
        {
            audience.name = name;
            audience.named_by_hand = true;
        }
        update.description.apply(&mut audience.description);
        update.icon_name.apply(&mut audience.icon_name);
        update.metadata.apply(&mut audience.metadata);
        update.group_id.apply(&mut audience.group_id);
        update.group_name.apply(&mut audience.group_name);
        update.group_type.apply(&mut audience.group_type);
        update
            .last_refreshed_at
            .apply(&mut audience.last_refreshed_at);
        if let Patch::Set(interval) = update.refresh_interval_seconds {
            self.set_interval(unit.as_mut(), &mut record, interval)
                .await?;
        }
        let audience = &mut record.audience;
        audience.updated_at = Some(self.now());
        audience.updated_by = Some(update.actor);
        unit.put_audience(audience).await?;
        unit.commit().await?;
        Ok(record)
    }

    /// Whether another audience has exactly the same name.
    pub async fn shares_its_name(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
    ) -> Result<bool, Error> {
        let mut unit = self.read(organization).await?;
        let found = unit.audience(id).await?;
        let name = found
            .ok_or(Error::NotFound(Entity::Audience))?
            .audience
            .name;
        Ok(unit.is_name_taken(&name, id).await?)
    }

    /// Archives an audience and its source, and cancels its active run. The list can be imported again. `None` if the
    /// audience was archived and this version of the program cannot read its row.
    pub async fn archive_audience(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        actor: &str,
    ) -> Result<Option<AudienceRecord>, Error> {
        let mut unit = self.begin(organization).await?;
        let found = match unit.audience(id).await {
            Err(error) if error.is_unreadable() => {
                return self.archive_unread(unit, id, actor).await;
            }
            found => found?.ok_or(Error::NotFound(Entity::Audience))?,
        };
        if found.audience.archived {
            return Ok(Some(found));
        }
        let now = self.now();
        let mut cancelled = Vec::new();
        if let Some(source) = &found.source {
            let active = unit.active_run(&source.id).await?;
            cancelled = cancel_runs(unit.as_mut(), active, ARCHIVED, now).await?;
        }

        let mut record = unit
            .audience(id)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        unit.end_schedule(id).await?;
        self.stop_keeping(unit.as_mut(), id, ARCHIVED).await?;
        record.audience.archived = true;
        record.audience.refresh_interval_seconds = None;
        record.audience.updated_at = Some(now);
        record.audience.updated_by = Some(actor.to_owned());
        if let Some(source) = &mut record.source {
            source.archived = true;
            source.updated_at = Some(now);
            unit.put_source(source).await?;
        }
        unit.put_audience(&record.audience).await?;
        unit.commit().await?;
        log_cancelled(&cancelled);
        Ok(Some(record))
    }

    /// The same without reading the audience and its source.
    async fn archive_unread(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        id: &AudienceId,
        actor: &str,
    ) -> Result<Option<AudienceRecord>, Error> {
        let now = self.now();
        let mut cancelled = Vec::new();
        if let Some(source) = unit.archive_unread(id, actor, now).await? {
            unit.end_schedule(id).await?;
            let active = unit.active_run(&source).await?;
            cancelled = cancel_runs(unit.as_mut(), active, ARCHIVED, now).await?;
        }
        self.stop_keeping(unit.as_mut(), id, ARCHIVED).await?;
        unit.commit().await?;
        log_cancelled(&cancelled);
        Ok(None)
    }

    /// The audience's members.
    pub async fn members(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, Error> {
        let mut unit = self.read_or_search(organization, search.is_some()).await?;
        unit.audience(id)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        Ok(unit.members(id, search, page).await?)
    }

    /// How many members the audience has.
    pub async fn member_count(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
    ) -> Result<u64, Error> {
        let mut unit = self.read(organization).await?;
        unit.audience(id)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        Ok(unit.member_count(id).await?)
    }

    /// How many members each of these audiences has, in their order.
    pub async fn member_counts(
        &self,
        organization: &OrganizationId,
        ids: &[AudienceId],
    ) -> Result<Vec<u64>, Error> {
        let mut unit = self.read(organization).await?;
        let mut counts = Vec::with_capacity(ids.len());
        for id in ids {
            counts.push(unit.member_count(id).await?);
        }
        Ok(counts)
    }

    /// The status of the audience's sync.
    pub async fn audience_status(
        &self,
        organization: &OrganizationId,
        id: &AudienceId,
    ) -> Result<AudienceStatus, Error> {
        let mut unit = self.read(organization).await?;
        let record = unit
            .audience(id)
            .await?
            .ok_or(Error::NotFound(Entity::Audience))?;
        let version = unit.run_count(id).await?;
        let audience = &record.audience;
        let seconds = audience
            .refresh_interval_seconds
            .filter(|_| !audience.archived);
        let freshness = Freshness {
            last_synced_at: record
                .source
                .as_ref()
                .and_then(|source| source.last_synced_at),
            created_at: record
                .source
                .as_ref()
                .map_or(audience.created_at, |source| source.created_at),
            refresh_interval_seconds: seconds,
        };
        let interval = seconds.map(|seconds| self.intervals.in_force(seconds));
        let removals_within = match (interval, &record.source) {
            (Some(interval), Some(source)) if source.paused_by.is_none() => {
                let kind = source.collection.kind;
                let passes = self.full_passes(unit.as_mut(), kind).await?;
                Some(passes.map_or(interval, |passes| passes.removals_within(&source.id)))
            }
            _ => None,
        };
        Ok(AudienceStatus {
            kept_list: unit.kept_list(id).await?,
            version,
            interval,
            removals_within,
            due_at: unit.due_at(id).await?,
            is_stale: freshness.is_stale(self.intervals, self.now()),
            record,
        })
    }
}
