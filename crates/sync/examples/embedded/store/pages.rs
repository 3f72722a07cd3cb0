//! What a sync reads and writes, a page or a batch at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;
use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::page::Known;
use fanfare_domain::ports::{Batch, PageWrite, Pages, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;

use super::{Row, Rows, Unit, refused, seen_consumers};

#[async_trait]
impl Pages for Unit {
    async fn known(
        &mut self,
        run: &RunId,
        emails: &[Email],
        profiles: &[ProfileId],
    ) -> Result<Known, StoreError> {
        let rows = &self.rows;
        let linked: BTreeSet<&ConsumerId> = profiles
            .iter()
            .filter_map(|profile| Some(&rows.links.get(profile)?.value.consumer))
            .collect();
        let consumers = rows
            .consumers
            .values()
            .map(|row| &row.value)
            .filter(|consumer| {
                let bears_one = consumer
                    .email
                    .as_ref()
                    .is_some_and(|email| emails.contains(email));
                bears_one || linked.contains(&consumer.id)
            });
        let consumers: BTreeMap<&ConsumerId, &Consumer> =
            consumers.map(|consumer| (&consumer.id, consumer)).collect();
        let links = rows.links.values().map(|row| &row.value);
        let links: Vec<ProfileLink> = links
            .filter(|link| consumers.contains_key(&link.consumer))
            .cloned()
            .collect();
        let asked: BTreeSet<&ProfileId> = profiles
            .iter()
            .chain(links.iter().map(|link| &link.profile))
            .collect();
        let seen = rows.seen_profiles.get(run).into_iter().flatten();
        let seen_profiles = seen.filter(|(profile, _)| asked.contains(profile));
        let seen_profiles = seen_profiles.map(|(_, seen)| seen.clone());
        Ok(Known {
            seen_profiles: seen_profiles.collect(),
            consumers: consumers.into_values().cloned().collect(),
            links,
        })
    }

    async fn write_page(&mut self, page: PageWrite<'_>) -> Result<u64, StoreError> {
        let (rows, now, plan) = (self.write()?, page.now, page.plan);
        for write in &plan.updated {
            let row = rows.consumers.get_mut(&write.consumer.id);
            let row = row.ok_or_else(|| refused("a consumer to overwrite is not there"))?;
            row.value = write.consumer.clone();
            if write.visible {
                row.updated_at = Some(now);
            }
        }
        for consumer in &plan.created {
            rows.consumers
                .insert(consumer.id.clone(), new(consumer, now));
        }
        for link in &plan.links {
            let row = rows.links.entry(link.profile.clone());
            row.and_modify(|row| {
                row.value = link.clone();
                row.updated_at = Some(now);
            })
            .or_insert_with(|| new(link, now));
        }
        if plan.moves_links {
            let active = rows.runs.values().filter(|run| run.status.is_active());
            rows.moved_links.extend(active.map(|run| run.id.clone()));
        }
        let seen_by_run = rows.seen_profiles.entry(page.run.clone()).or_default();
        for seen in &plan.seen_profiles {
            seen_by_run
                .entry(seen.profile.clone())
                .or_insert_with(|| seen.clone());
        }
        let issues = rows.issues.entry(page.run.clone()).or_default();
        for issue in &plan.issues {
            let field = issue.kind.field.map_or("", |field| field.as_str());
            let key = format!("{} {} {field}", issue.profile, issue.kind.code);
            issues.entry(key).or_insert_with(|| issue.clone());
        }
        Ok(add(rows, page.run, page.audience, plan.members.clone()))
    }

    async fn links_have_moved(&mut self, run: &RunId) -> Result<bool, StoreError> {
        Ok(self.rows.moved_links.contains(run))
    }

    async fn forget_moved_links(&mut self, run: &RunId) -> Result<(), StoreError> {
        self.write()?.moved_links.remove(run);
        Ok(())
    }

    async fn add_missing_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ProfileId>,
        size: u32,
        _now: Timestamp,
    ) -> Result<Batch<ProfileId>, StoreError> {
        let rows = self.write()?;
        let (seen, next) = batch(rows.seen_profiles.get(run), after, size);
        let links = seen.iter().filter_map(|profile| rows.links.get(profile));
        let linked = links.map(|link| link.value.consumer.clone()).collect();
        let affected = add(rows, run, audience, linked);
        Ok(Batch { affected, next })
    }

    async fn count_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let rows = &self.rows;
        let members = rows.members.get(audience);
        let (ids, next) = batch(members, after, size);
        let seen = seen_consumers(rows, run);
        let leaving = ids.iter().filter(|id| {
            let added_by = members.and_then(|members| members.get(id));
            !seen.contains(id) && added_by != Some(run)
        });
        Ok(Batch {
            affected: leaving.count() as u64,
            next,
        })
    }

    async fn remove_absent_members(
        &mut self,
        run: &RunId,
        audience: &AudienceId,
        after: Option<&ConsumerId>,
        size: u32,
    ) -> Result<Batch<ConsumerId>, StoreError> {
        let rows = self.write()?;
        let (ids, next) = batch(rows.members.get(audience), after, size);
        let seen = seen_consumers(rows, run);
        let absent: Vec<ConsumerId> = ids.into_iter().filter(|id| !seen.contains(id)).collect();
        if let Some(members) = rows.members.get_mut(audience) {
            members.retain(|id, _| !absent.contains(id));
        }
        Ok(Batch {
            affected: absent.len() as u64,
            next,
        })
    }

    async fn delete_seen_profiles(&mut self, size: u32) -> Result<u64, StoreError> {
        let rows = self.write()?;
        let mut forgotten = 0;
        for (run, seen) in &mut rows.seen_profiles {
            let has_ended = rows.runs.get(run).is_none_or(|run| !run.status.is_active());
            while has_ended && forgotten < u64::from(size) && seen.pop_first().is_some() {
                forgotten += 1;
            }
        }
        Ok(forgotten)
    }
}

fn new<T: Clone>(value: &T, now: Timestamp) -> Row<T> {
    Row {
        value: value.clone(),
        created_at: now,
        updated_at: None,
    }
}

/// Makes members of those who are none. Returns how many.
fn add(rows: &mut Rows, run: &RunId, audience: &AudienceId, consumers: Vec<ConsumerId>) -> u64 {
    let members = rows.members.entry(audience.clone()).or_default();
    let before = members.len();
    for id in consumers {
        members.entry(id).or_insert_with(|| run.clone());
    }
    (members.len() - before) as u64
}

/// The next keys after `after`, and the last of them if more follow.
fn batch<K: Ord + Clone, V>(
    map: Option<&BTreeMap<K, V>>,
    after: Option<&K>,
    size: u32,
) -> (Vec<K>, Option<K>) {
    let from = (
        after.map_or(Bound::Unbounded, Bound::Excluded),
        Bound::Unbounded,
    );
    let mut keys = map
        .into_iter()
        .flat_map(|map| map.range(from))
        .map(|(key, _)| key.clone());
    let batch: Vec<K> = keys.by_ref().take(size as usize).collect();
    let next = keys.next().and(batch.last()).cloned();
    (batch, next)
}
