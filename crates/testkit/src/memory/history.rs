//! Who was a member when.

use std::collections::BTreeSet;

use async_trait::async_trait;
use fanfare_domain::history::{Change, ChangeKey, ChangeRange, Membership, Snapshot};
use fanfare_domain::ids::{AudienceId, ConsumerId, SnapshotId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerRecord, History, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::timeline::Stay;

use super::consumers::{contains, page_of_consumers};
use super::rows::{Rows, refuse};
use super::unit::Unit;

/// Who was a member at a time, each once.
fn ids_at(rows: &Rows, audience: &AudienceId, at: Timestamp) -> BTreeSet<ConsumerId> {
    let memberships = rows.memberships(audience).into_iter();
    let then = memberships.filter(|membership| membership.covers(at));
    then.map(|membership| membership.consumer).collect()
}

#[async_trait]
impl History for Unit {
    async fn history_from(
        &mut self,
        audience: &AudienceId,
    ) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.rows().history_from.get(audience).copied())
    }

    async fn members_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let rows = self.rows();
        let ids = ids_at(rows, audience, at);
        let found = ids.iter().filter_map(|id| rows.consumers.get(id));
        let found = found.filter(|row| search.is_none_or(|part| contains(&row.consumer, part)));
        Ok(page_of_consumers(rows, found, page))
    }

    async fn member_count_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
    ) -> Result<u64, StoreError> {
        Ok(ids_at(self.rows(), audience, at).len() as u64)
    }

    async fn left_between(
        &mut self,
        audience: &AudienceId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, StoreError> {
        let [before, after] = [from, to].map(|at| ids_at(self.rows(), audience, at));
        Ok(before.difference(&after).count() as u64)
    }

    async fn changes(
        &mut self,
        audience: &AudienceId,
        range: &ChangeRange,
        first: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let memberships = self.rows().memberships(audience);
        let changes = memberships.iter().flat_map(Membership::changes);
        let mut changes: Vec<Change> = changes.filter(|one| range.contains(one)).collect();
        changes.sort_unstable();
        changes.truncate(first as usize);
        Ok(changes)
    }

    async fn latest_changes(
        &mut self,
        audience: &AudienceId,
        since: Timestamp,
        before: Option<&ChangeKey>,
        first: u32,
    ) -> Result<Vec<Change>, StoreError> {
        let memberships = self.rows().memberships(audience);
        let changes = memberships.iter().flat_map(Membership::changes);
        let is_before = |change: &Change| before.is_none_or(|before| change.key() < *before);
        let mut changes: Vec<Change> = changes
            .filter(|change| since <= change.at && is_before(change))
            .collect();
        changes.sort_unstable_by(|one, other| other.cmp(one));
        changes.truncate(first as usize);
        Ok(changes)
    }

    async fn last_membership(
        &mut self,
        audience: &AudienceId,
        consumer: &ConsumerId,
    ) -> Result<Option<Membership>, StoreError> {
        let memberships = self.rows().memberships(audience).into_iter();
        let of_it = memberships.filter(|one| one.consumer == *consumer);
        Ok(of_it.max_by_key(|one| one.end.as_ref().map_or(Timestamp::MAX, |end| end.at)))
    }

    async fn memberships_of(&mut self, consumer: &ConsumerId) -> Result<Vec<Stay>, StoreError> {
        let mut found = Vec::new();
        for audience in self.rows().audiences.keys() {
            let all = self.rows().memberships(audience).into_iter();
            let of_it = all.filter(|one| one.consumer == *consumer);
            found.extend(of_it.map(|one| Stay {
                audience: audience.clone(),
                began: one.began,
                ended: one.end.map(|end| end.at),
            }));
        }
        Ok(found)
    }

    async fn snapshots(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<Snapshot>, StoreError> {
        let snapshots = self.rows().snapshots.get(audience).into_iter().flatten();
        let after = page.after.as_deref();
        let rest = snapshots.filter(|(id, _)| after.is_none_or(|after| id.as_str() > after));
        let rest = rest.take(page.first as usize).map(|(_, one)| one.clone());
        Ok(Page::of(rest.collect(), |one: &Snapshot| {
            one.id.to_string()
        }))
    }

    async fn snapshot_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let snapshots = self.rows().snapshots.get(audience);
        Ok(snapshots.map_or(0, |snapshots| snapshots.len() as u64))
    }

    async fn has_snapshot_at(
        &mut self,
        audience: &AudienceId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut snapshots = self.rows().snapshots.get(audience).into_iter().flatten();
        Ok(snapshots.any(|(_, snapshot)| snapshot.at == at))
    }

    async fn insert_snapshot(
        &mut self,
        audience: &AudienceId,
        snapshot: &Snapshot,
    ) -> Result<(), StoreError> {
        let snapshots = &mut self.rows_mut()?.snapshots;
        let snapshots = snapshots.entry(audience.clone()).or_default();
        let before = snapshots.insert(snapshot.id.clone(), snapshot.clone());
        match before {
            Some(_) => Err(refuse("a snapshot to insert is there already")),
            None => Ok(()),
        }
    }

    async fn delete_snapshot(
        &mut self,
        audience: &AudienceId,
        id: &SnapshotId,
    ) -> Result<bool, StoreError> {
        let snapshots = self.rows_mut()?.snapshots.get_mut(audience);
        Ok(snapshots.is_some_and(|snapshots| snapshots.remove(id).is_some()))
    }
}
