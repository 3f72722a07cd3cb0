//! What a sync reads and writes, a page or a batch at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;
use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::history::{ChangeKey, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::page::{
    Known, LinkMove, PROFILES_OF_A_SEEN_PAGE, PagePlan, SeenIndex, SeenPage, SeenSet,
};
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, PageWrite, Pages, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;

use super::faults::Operation;
use super::rows::{ConsumerRow, LinkRow, MemberRow, Rows, SYSTEM_ACTOR, refuse};
use super::unit::Unit;

#[async_trait]
impl Pages for Unit {
    async fn known(
        &mut self,
        run: &RunId,
        seen_index: &SeenIndex,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError> {
        let rows = self.rows();
        let emails: BTreeSet<&Email> = emails.iter().collect();
        let linked: BTreeSet<&ConsumerId> = profiles
            .iter()
            .filter_map(|profile| Some(&rows.links.get(profile)?.link.consumer))
            .collect();
        let is_known = |consumer: &Consumer| {
            let has_email = consumer.email.as_ref().is_some_and(|e| emails.contains(e));
            has_email || linked.contains(&consumer.id)
        };
        let consumers: BTreeMap<&ConsumerId, &Consumer> = rows
            .consumers
            .iter()
            .filter(|(_, row)| is_known(&row.consumer))
            .map(|(id, row)| (id, &row.consumer))
            .collect();
        let links: Vec<ProfileLink> = rows
            .links
            .values()
            .filter(|row| consumers.contains_key(&row.link.consumer))
            .map(|row| row.link.clone())
            .collect();
        let asked: BTreeSet<&ProfileId> = profiles
            .iter()
            .chain(links.iter().map(|link| &link.profile))
            .collect();
        let pages = rows.seen_pages.get(run);
        let seen = |profile: &ProfileId| {
            let numbers = seen_index.pages_of(profile.as_str()).into_iter();
            let stored = numbers.filter_map(|number| pages?.get(&number)).flatten();
            let mut stored = stored.filter(|seen| seen.profile == *profile);
            stored.next().cloned()
        };
        let seen_profiles = asked.into_iter().filter_map(seen).collect();
        Ok(Known {
            consumers: consumers.into_values().cloned().collect(),
            links,
            seen_profiles,
            ..Known::default()
        })
    }

    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError> {
        let since = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        if !rows.audiences.contains_key(page.audience) || !rows.runs.contains_key(page.run) {
            return Err(refuse("the page's run or audience is not there"));
        }
        write_consumers(rows, page.plan, page.now)?;
        write_links(rows, page.plan, page.now)?;
        if !page.plan.link_moves.is_empty() {
            rows.link_moves.0 += 1;
        }
        let seen_by_run = rows.seen_pages.entry(page.run.clone()).or_default();
        let chunks = page.plan.seen_profiles.chunks(PROFILES_OF_A_SEEN_PAGE);
        for (number, seen) in (page.first_seen_page..).zip(chunks) {
            if seen_by_run.insert(number, seen.to_vec()).is_some() {
                return Err(refuse("a page of seen profiles is there already"));
            }
        }
        let issues = rows.issues.entry(page.run.clone()).or_default();
        for issue in &page.plan.issues {
            let field = issue.kind.field.map_or("", |field| field.as_str());
            let key = (issue.profile.clone(), issue.kind.code.as_str(), field);
            issues.entry(key).or_insert_with(|| issue.clone());
        }
        let members = page.plan.members.iter().cloned();
        add_members(rows, Some(page.run), page.audience, since, members)
    }

    async fn members_profiles(
        &mut self,
        audiences: &[AudienceId],
        profiles: &[ProfileId],
    ) -> Result<BTreeSet<ProfileId>, StoreError> {
        let rows = self.rows();
        let is_members = |profile: &&ProfileId| {
            let Some(row) = rows.links.get(*profile) else {
                return false;
            };
            let members = audiences.iter().filter_map(|one| rows.members.get(one));
            members
                .into_iter()
                .any(|members| members.contains_key(&row.link.consumer))
        };
        Ok(profiles.iter().filter(is_members).cloned().collect())
    }

    async fn follow_link_moves(
        &mut self,
        run: &RunId,
        audiences: &[AudienceId],
        moves: &[LinkMove],
    ) -> Result<(), StoreError> {
        let since = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        for audience in audiences {
            let members = rows.members.get(audience);
            let is_member = |id: &ConsumerId| members.is_some_and(|of| of.contains_key(id));
            let followed = moves.iter().filter(|one| is_member(&one.from));
            let members: Vec<ConsumerId> = followed.map(|one| one.to.clone()).collect();
            add_members(rows, Some(run), audience, since, members)?;
        }
        Ok(())
    }

    async fn call_for_full_passes(
        &mut self,
        audiences: &[AudienceId],
        consumers: &[ConsumerId],
    ) -> Result<(), StoreError> {
        let at = self.writing_since()?;
        let rows = self.rows_mut()?;
        for audience in audiences {
            let members = rows.members.get(audience);
            let is_member = |id: &ConsumerId| members.is_some_and(|of| of.contains_key(id));
            if !consumers.iter().any(is_member) {
                continue;
            }
            rows.full_passes_called_for.insert(audience.clone(), at);
            for source in rows.sources.values_mut() {
                let is_of_it = source.audience == *audience;
                source.watermarks = source
                    .watermarks
                    .filter(|marks| !is_of_it || marks.hold_after(Some(at)));
            }
        }
        Ok(())
    }

    async fn link_moves(&mut self) -> Result<LinkMoves, StoreError> {
        Ok(self.rows().link_moves)
    }

    async fn seen_pages(
        &mut self,
        run: &RunId,
        after: u64,
        most: u32,
    ) -> Result<Vec<SeenPage>, StoreError> {
        let pages = self.rows().seen_pages.get(run).into_iter();
        let next = pages.flat_map(|pages| pages.range(after + 1..));
        let page = |(number, profiles): (&u64, &Vec<_>)| SeenPage {
            number: *number,
            profiles: profiles.clone(),
        };
        Ok(next.take(most as usize).map(page).collect())
    }

    async fn gather_seen_profiles(&mut self, _run: &RunId, _size: u32) -> Result<u64, StoreError> {
        // No other version has ever written to it.
        self.rows_mut().map(|_| 0)
    }

    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: u64,
        most: u32,
    ) -> Result<Batch<u64>, StoreError> {
        let since = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        let none = BTreeMap::new();
        let pages = rows.seen_pages.get(run).unwrap_or(&none);
        let (batch, next) = batch_of(pages, Some(&after), most);
        let seen = batch
            .iter()
            .filter_map(|number| pages.get(number))
            .flatten();
        let linked: Vec<ConsumerId> = seen
            .filter_map(|seen| Some(rows.links.get(&seen.profile)?.link.consumer.clone()))
            .collect();
        let affected = add_members(rows, Some(run), audience, since, linked)?;
        Ok(Batch { affected, next })
    }

    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        seen: &SeenSet,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        self.meet(Operation::CountAbsent)?;
        let rows = self.rows();
        let (absent, next) = absent_members(rows, seen, audience, after, size);
        let before_the_run = absent.iter().filter(|id| {
            let membership = rows.members.get(audience).and_then(|m| m.get(id));
            membership.is_some_and(|membership| membership.by.as_ref() != Some(run))
        });
        Ok(Batch {
            affected: before_the_run.count() as u64,
            next,
        })
    }

    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        seen: &SeenSet,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let at = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        let (absent, next) = absent_members(rows, seen, audience, after, size);
        let members = rows.members.entry(audience.clone()).or_default();
        let history = rows.ended.entry(audience.clone()).or_default();
        for id in &absent {
            let membership = members.remove(id).map(|row| row.membership(id));
            if let Some(ended) = membership.and_then(|one| one.ended(at, Some(run.clone()))) {
                history.insert(ChangeKey::of_leaving(at, id.clone()), ended);
            }
        }
        Ok(Batch {
            affected: absent.len() as u64,
            next,
        })
    }

    async fn delete_seen_pages(&mut self, most: u32) -> Result<u64, StoreError> {
        let rows = self.rows_mut()?;
        let mut left = most as usize;
        let runs = &rows.runs;
        rows.seen_pages.retain(|run, seen| {
            if runs.get(run).is_some_and(|run| run.status.is_active()) {
                return true;
            }
            while left > 0 && seen.pop_first().is_some() {
                left -= 1;
            }
            !seen.is_empty()
        });
        Ok(u64::from(most) - left as u64)
    }
}

/// Frees the e-mails that change, then takes the new ones, and refuses one taken twice.
fn write_consumers(rows: &mut Rows, plan: &PagePlan, now: Timestamp) -> Result<(), StoreError> {
    for write in &plan.updated {
        let row = rows.consumers.get_mut(&write.consumer.id);
        let row = row.ok_or_else(|| refuse("a consumer to overwrite is not there"))?;
        row.consumer = write.consumer.clone();
        if write.visible {
            row.updated_at = Some(now);
            row.updated_by = Some(SYSTEM_ACTOR.to_owned());
        }
    }
    for consumer in &plan.created {
        let row = ConsumerRow {
            consumer: consumer.clone(),
            created_at: now,
            created_by: SYSTEM_ACTOR.to_owned(),
            updated_at: None,
            updated_by: None,
            metadata: None,
        };
        if rows.consumers.insert(consumer.id.clone(), row).is_some() {
            return Err(refuse("a consumer to insert is there already"));
        }
    }
    let mut taken = BTreeSet::new();
    let mut emails = rows
        .consumers
        .values()
        .filter_map(|row| row.consumer.email.as_ref());
    if emails.all(|email| taken.insert(email)) {
        Ok(())
    } else {
        Err(refuse("two consumers have one e-mail"))
    }
}

fn write_links(rows: &mut Rows, plan: &PagePlan, now: Timestamp) -> Result<(), StoreError> {
    if plan
        .new_links
        .iter()
        .any(|link| rows.links.contains_key(&link.profile))
    {
        return Err(refuse("a link to insert is there already"));
    }
    for link in plan.links() {
        if !rows.consumers.contains_key(&link.consumer) {
            return Err(refuse("a link's consumer is not there"));
        }
        if let Some(row) = rows.links.get_mut(&link.profile) {
            row.link = link.clone();
            row.updated_at = Some(now);
        } else {
            let row = LinkRow {
                link: link.clone(),
                created_at: now,
                updated_at: None,
            };
            rows.links.insert(link.profile.clone(), row);
        }
    }
    Ok(())
}

/// Makes members of the consumers that are none yet. Returns how many.
pub(super) fn add_members(
    rows: &mut Rows,
    run: Option<&RunId>,
    audience: &AudienceId,
    since: Timestamp,
    consumers: impl IntoIterator<Item = ConsumerId>,
) -> Result<u64, StoreError> {
    let mut added = 0;
    for id in consumers {
        if !rows.consumers.contains_key(&id) || !rows.audiences.contains_key(audience) {
            return Err(refuse("a membership's consumer or audience is not there"));
        }
        let members = rows.members.entry(audience.clone()).or_default();
        members.entry(id).or_insert_with(|| {
            added += 1;
            let by = run.cloned();
            MemberRow { by, since }
        });
    }
    Ok(added)
}

/// Those of the next members that no profile seen by the run is linked to, and where the next batch begins.
fn absent_members(
    rows: &Rows,
    seen: &SeenSet,
    audience: &AudienceId,
    after: Option<&ConsumerId>,
    size: u32,
) -> (BTreeSet<ConsumerId>, Option<ConsumerId>) {
    let none = BTreeMap::new();
    let members = rows.members.get(audience).unwrap_or(&none);
    let (batch, next) = batch_of(members, after, size);
    let links = rows.links.values().map(|row| &row.link);
    let links = links.filter(|link| seen.holds(link.profile.as_str()));
    let present: BTreeSet<&ConsumerId> = links.map(|link| &link.consumer).collect();
    let is_absent = |id: &ConsumerId| !present.contains(id);
    let absent = batch.into_iter().filter(is_absent).collect();
    (absent, next)
}

/// The next `size` keys after `after`, and the last of them if more may follow.
fn batch_of<K: Ord + Clone, V>(
    map: &BTreeMap<K, V>,
    after: Option<&K>,
    size: u32,
) -> (Vec<K>, Option<K>) {
    let from = after.map_or(Bound::Unbounded, Bound::Excluded);
    let mut keys = map.range((from, Bound::Unbounded)).map(|(key, _)| key);
    let batch: Vec<K> = keys.by_ref().take(size as usize).cloned().collect();
    let next = keys.next().and(batch.last()).cloned();
    (batch, next)
}
