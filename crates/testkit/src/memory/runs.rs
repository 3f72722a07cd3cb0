//! Runs, their leases and their issues.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId, SourceId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Claim, Runs, StoreError};
use fanfare_domain::run::{FencingToken, SyncRun};
use fanfare_domain::time::Timestamp;

use super::rows::{IssueKey, Place, refuse};
use super::unit::{Bell, Unit};

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
        let runs = self.rows().runs.values();
        Ok(runs.filter(|run| run.audience == *audience).count() as u64)
    }

    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError> {
        // No id holds a blank, so the text of the key is in its order.
        let text = |key: &IssueKey| format!("{} {} {}", key.0, key.1, key.2);
        let after = page.after.as_deref();
        let issues = self.rows().issues.get(run).into_iter().flatten();
        let found: Vec<(String, Issue)> = issues
            .map(|(key, issue)| (text(key), issue.clone()))
            .filter(|(key, _)| after.is_none_or(|after| key.as_str() > after))
            .take(page.first as usize)
            .collect();
        Ok(Page::of(found, |(key, _)| key.clone()).map(|(_, issue)| issue))
    }

    async fn enqueue(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let now = self.now();
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
        let place = Place {
            due: now,
            held_until: None,
            token: FencingToken(0),
        };
        rows.queue.insert(run.id.clone(), place);
        self.at_commit(Bell::Ring(run.id.clone()));
        Ok(())
    }

    async fn save_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let row = rows.runs.get_mut(&run.id);
        *row.ok_or_else(|| refuse("the run is not there"))? = run.clone();
        if !run.status.is_active() {
            rows.queue.remove(&run.id);
        }
        Ok(())
    }

    async fn claim(&mut self, run: &RunId, length: Duration) -> Result<Option<Claim>, StoreError> {
        let now = self.now();
        let Some(place) = self.rows_mut()?.queue.get_mut(run) else {
            return Ok(None);
        };
        if !place.is_waiting(now) {
            return Ok(None);
        }
        let claim = Claim {
            token: FencingToken(place.token.0 + 1),
            abandoned: place.held_until.is_some(),
        };
        place.token = claim.token;
        place.held_until = Some(now.plus(length));
        self.rows_mut()?.served_at = Some(now);
        self.at_commit(Bell::Heard(run.clone()));
        Ok(Some(claim))
    }

    async fn renew(
        &mut self,
        run: &RunId,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let place = self.rows_mut()?.queue.get_mut(run);
        let Some(place) = place.filter(|place| place.token == token && place.is_held(now)) else {
            return Ok(false);
        };
        place.held_until = Some(now.plus(length));
        Ok(true)
    }

    async fn release(
        &mut self,
        run: &RunId,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let due = due.unwrap_or(now);
        let place = self.rows_mut()?.queue.get_mut(run);
        let held = |place: &Place| place.token == token && place.held_until.is_some();
        let Some(place) = place.filter(|place| held(place)) else {
            return Ok(false);
        };
        place.held_until = None;
        place.due = due;
        if due <= now {
            self.at_commit(Bell::Ring(run.clone()));
        }
        Ok(true)
    }
}
