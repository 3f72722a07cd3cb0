//! Deleting what is kept for a time only.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use async_trait::async_trait;
use fanfare_domain::history::{ChangeKey, Membership, moment};
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::ports::{Batch, Retention, StoreError, UnitOfWork};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;

use super::unit::Unit;

#[async_trait]
impl Retention for Unit {
    async fn expired_runs(
        &mut self,
        before: Timestamp,
        size: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let runs = &self.rows().runs;
        // The latest run and the latest successful one of each audience, in the order of their ids.
        let mut kept: BTreeMap<(&AudienceId, bool), &RunId> = BTreeMap::new();
        for run in runs.values() {
            kept.insert((&run.audience, false), &run.id);
            if run.status == SyncStatus::Success {
                kept.insert((&run.audience, true), &run.id);
            }
        }
        let kept: BTreeSet<&RunId> = kept.into_values().collect();
        let expired = runs.values().filter(|run| {
            let has_expired = run.finished_at.is_some_and(|at| at < before);
            has_expired && !kept.contains(&run.id)
        });
        let expired = expired.map(|run| run.id.clone());
        Ok(expired.take(size as usize).collect())
    }

    async fn delete_run(&mut self, run: &RunId, size: u32) -> Result<bool, StoreError> {
        let rows = self.rows_mut()?;
        if let Some(issues) = rows.issues.get_mut(run).filter(|issues| !issues.is_empty()) {
            for _ in 0..size {
                issues.pop_first();
            }
            return Ok(false);
        }
        rows.issues.remove(run);
        if let Some(run) = rows.runs.remove(run) {
            *rows.deleted_runs.entry(run.audience).or_default() += 1;
        }
        Ok(true)
    }

    async fn expired_audiences(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<AudienceId>, StoreError> {
        let rows = self.rows();
        let expired = rows.audiences.values().filter(|audience| {
            let is_old = audience.updated_at.is_some_and(|at| at < before);
            let members = rows.members.get(&audience.id);
            let snapshots = rows.snapshots.get(&audience.id);
            let has_snapshots = snapshots.is_some_and(|snapshots| !snapshots.is_empty());
            audience.archived
                && is_old
                && !has_snapshots
                && members.is_some_and(|members| !members.is_empty())
        });
        Ok(expired.map(|audience| audience.id.clone()).collect())
    }

    async fn delete_members(
        &mut self,
        audience: &AudienceId,
        size: u32,
    ) -> Result<u64, StoreError> {
        let from = moment(self.writing_since()?);
        let rows = self.rows_mut()?;
        rows.begin_history(audience, from);
        let members = rows.members.entry(audience.clone()).or_default();
        let before = members.len();
        for _ in 0..size {
            members.pop_first();
        }
        Ok((before - members.len()) as u64)
    }

    async fn audiences_with_history(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<AudienceId>, StoreError> {
        let ended = self.rows().ended.iter();
        let with_history = ended.filter(|(_, ended)| {
            let mut ends = ended.values().filter_map(|one| one.end.as_ref());
            ends.any(|end| end.at < before)
        });
        Ok(with_history.map(|(audience, _)| audience.clone()).collect())
    }

    async fn delete_history(
        &mut self,
        audience: &AudienceId,
        before: Timestamp,
        after: Option<&ChangeKey>,
        size: u32,
    ) -> Result<Batch<ChangeKey>, StoreError> {
        let rows = self.rows_mut()?;
        let snapshots = rows.snapshots.get(audience);
        let history = rows.ended.entry(audience.clone()).or_default();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ended = history.range((from, Bound::Unbounded));
        let is_old = |one: &Membership| one.end.as_ref().is_some_and(|end| end.at < before);
        let batch = ended.filter(|(_, one)| is_old(one)).take(size as usize);
        let batch: Vec<(ChangeKey, bool)> = batch
            .map(|(key, one)| {
                let mut snapshots = snapshots.into_iter().flatten();
                (
                    key.clone(),
                    snapshots.any(|(_, snapshot)| one.covers(snapshot.at)),
                )
            })
            .collect();
        let expired = batch.iter().filter(|(_, is_needed)| !is_needed);
        let affected = expired
            .filter(|(key, _)| history.remove(key).is_some())
            .count() as u64;
        if affected > 0 {
            rows.begin_history(audience, before);
        }
        let last = batch.last().filter(|_| batch.len() == size as usize);
        let next = last.map(|(key, _)| key.clone());
        Ok(Batch { affected, next })
    }
}
