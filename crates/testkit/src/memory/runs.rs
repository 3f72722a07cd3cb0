//! Runs and their issues.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fanfare_domain::explain::SkippedProfile;
use fanfare_domain::ids::{AudienceId, ProfileId, RunId, SourceId};
use fanfare_domain::issue::{Issue, IssueCode};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{Runs, Sources, StoreError};
use fanfare_domain::run::{Progress, RunError, SourceRun, SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;

use super::rows::{IssueKey, refuse};
use super::unit::Unit;

#[async_trait]
impl Runs for Unit {
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError> {
        match self.rows().unreadable_runs.get(id) {
            Some(false) => Err(StoreError::Corrupt("sync_runs.trigger".to_owned())),
            Some(true) => Err(StoreError::Newer("sync_runs.trigger".to_owned())),
            None => Ok(self.rows().runs.get(id).cloned()),
        }
    }

    async fn active_run(&mut self, source: &SourceId) -> Result<Option<RunId>, StoreError> {
        let mut runs = self.rows().runs.values();
        let found = runs.find(|run| run.source == *source && run.status.is_active());
        Ok(found.map(|run| run.id.clone()))
    }

    async fn active_runs(&mut self) -> Result<Vec<RunId>, StoreError> {
        let runs = self.rows().runs.values();
        let active = runs.filter(|run| run.status.is_active());
        Ok(active.map(|run| run.id.clone()).collect())
    }

    async fn runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, StoreError> {
        let after = page.after.as_deref();
        let runs = self.rows().runs.values().rev();
        let items = runs
            .filter(|run| run.audience == *audience)
            .filter(|run| after.is_none_or(|after| run.id.as_str() < after))
            .take(page.first as usize)
            .cloned()
            .collect();
        Ok(Page::of(items, |run: &SyncRun| run.id.to_string()))
    }

    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let rows = self.rows();
        let runs = rows.runs.values().filter(|run| run.audience == *audience);
        let deleted = rows.deleted_runs.get(audience).copied();
        Ok(runs.count() as u64 + deleted.unwrap_or_default())
    }

    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError> {
        let text = |key: &IssueKey| format!("{} {} {}", key.0, key.1, key.2);
        // Of the three parts only the profile's id may hold a blank.
        let after = page.after.as_deref().map(|after| {
            let mut from_the_end = after.rsplitn(3, ' ');
            let [field, code, profile] = [(); 3].map(|()| from_the_end.next().unwrap_or_default());
            (profile, code, field)
        });
        let issues = self.rows().issues.get(run).into_iter().flatten();
        let found: Vec<(String, Issue)> = issues
            .filter(|(key, _)| after.is_none_or(|after| (key.0.as_str(), key.1, key.2) > after))
            .map(|(key, issue)| (text(key), issue.clone()))
            .take(page.first as usize)
            .collect();
        Ok(Page::of(found, |(key, _)| key.clone()).map(|(_, issue)| issue))
    }

    async fn issue_counts(&mut self, run: &RunId) -> Result<Vec<(IssueCode, u64)>, StoreError> {
        let mut counts = BTreeMap::<&str, (IssueCode, u64)>::new();
        for issue in self
            .rows()
            .issues
            .get(run)
            .into_iter()
            .flat_map(BTreeMap::values)
        {
            let code = issue.kind.code;
            counts.entry(code.as_str()).or_insert((code, 0)).1 += 1;
        }
        Ok(counts.into_values().collect())
    }

    async fn skipped(
        &mut self,
        audience: &AudienceId,
        profile: &ProfileId,
    ) -> Result<Vec<SkippedProfile>, StoreError> {
        let rows = self.rows();
        let runs = rows.runs.values().filter(|run| run.audience == *audience);
        let of_run = |run: &SyncRun| {
            let issues = rows.issues.get(&run.id).into_iter().flatten();
            let issues = issues.filter(|(_, issue)| issue.profile == *profile);
            let id = run.id.clone();
            let skipped = move |(_, issue): (&IssueKey, &Issue)| SkippedProfile {
                profile: issue.profile.clone(),
                code: issue.kind.code,
                run: id.clone(),
                at: issue.at,
            };
            issues.map(skipped).collect::<Vec<_>>()
        };
        let found = runs.flat_map(of_run);
        Ok(found.filter(SkippedProfile::is_skipped).collect())
    }

    async fn insert_run(&mut self, run: &SourceRun) -> Result<(), StoreError> {
        let (run, source) = (run.run(), run.source());
        let rows = self.rows_mut()?;
        if !rows.sources.contains_key(&run.source) || !rows.audiences.contains_key(&run.audience) {
            return Err(refuse("the run's source or audience is not there"));
        }
        let mut runs = rows.runs.values();
        if runs.any(|other| other.source == run.source && other.status.is_active()) {
            return Err(refuse("the source has an active run"));
        }
        if rows.runs.insert(run.id.clone(), run.clone()).is_some() {
            return Err(refuse("the run is there already"));
        }
        self.put_source(source).await
    }

    async fn save_run(&mut self, run: &SourceRun) -> Result<(), StoreError> {
        let row = self.rows_mut()?.runs.get_mut(&run.run().id);
        *row.ok_or_else(|| refuse("the run is not there"))? = run.run().clone();
        self.put_source(run.source()).await
    }

    async fn end_unread(
        &mut self,
        run: &RunId,
        error: &RunError,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let rows = self.rows_mut()?;
        let Some(row) = rows.runs.get_mut(run).filter(|run| run.status.is_active()) else {
            return Ok(false);
        };
        *row = SyncRun {
            id: row.id.clone(),
            organization: row.organization.clone(),
            source: row.source.clone(),
            audience: row.audience.clone(),
            trigger: row.trigger,
            status: SyncStatus::Failed,
            attempt: 0,
            crashes: 0,
            failures: 0,
            confirm_removals: false,
            removals_deferred: false,
            queued_at: row.queued_at.min(now),
            started_at: None,
            finished_at: Some(now),
            members_at_start: 0,
            progress: Progress::default(),
            pass: Pass::default(),
            waiting: None,
            is_newer: false,
            error: Some(error.clone()),
        };
        rows.unreadable_runs.remove(run);
        if let Some(source) = rows.sources.get_mut(&row.source) {
            source.status = SyncStatus::Failed;
            source.updated_at = Some(now);
        }
        Ok(true)
    }
}
