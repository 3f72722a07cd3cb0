//! Runs and their issues.

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId, SourceId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Runs, Sources, StoreError};
use fanfare_domain::run::{SourceRun, SyncRun};

use super::rows::{IssueKey, refuse};
use super::unit::Unit;

#[async_trait]
impl Runs for Unit {
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError> {
        Ok(self.rows().runs.get(id).cloned())
    }

    async fn active_run(&mut self, source: &SourceId) -> Result<Option<SyncRun>, StoreError> {
        let mut runs = self.rows().runs.values();
        Ok(runs
            .find(|run| run.source == *source && run.status.is_active())
            .cloned())
    }

    async fn active_runs(&mut self) -> Result<Vec<SyncRun>, StoreError> {
        let runs = self.rows().runs.values();
        Ok(runs.filter(|run| run.status.is_active()).cloned().collect())
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
}
