//! Deleting what is kept for a time only.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::ports::{Retention, StoreError};
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
            audience.archived && is_old && members.is_some_and(|members| !members.is_empty())
        });
        Ok(expired.map(|audience| audience.id.clone()).collect())
    }

    async fn delete_members(
        &mut self,
        audience: &AudienceId,
        size: u32,
    ) -> Result<u64, StoreError> {
        let rows = self.rows_mut()?;
        let members = rows.members.entry(audience.clone()).or_default();
        let before = members.len();
        for _ in 0..size {
            members.pop_first();
        }
        Ok((before - members.len()) as u64)
    }
}
