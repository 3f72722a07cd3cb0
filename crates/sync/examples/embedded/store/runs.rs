//! Runs, their leases and their issues.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId, SourceId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Claim, Runs, StoreError};
use fanfare_domain::run::{FencingToken, SyncRun};
use fanfare_domain::time::Timestamp;

use super::{Lease, Unit, refused};

#[async_trait]
impl Runs for Unit {
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError> {
        Ok(self.rows.runs.get(id).cloned())
    }

    async fn active_run(&mut self, source: &SourceId) -> Result<Option<SyncRun>, StoreError> {
        let mut active = self.active_runs().await?.into_iter();
        Ok(active.find(|run| run.source == *source))
    }

    async fn active_runs(&mut self) -> Result<Vec<SyncRun>, StoreError> {
        let runs = self.rows.runs.values();
        Ok(runs.filter(|run| run.status.is_active()).cloned().collect())
    }

    async fn runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, StoreError> {
        let after = page.after.as_deref();
        let runs = self.rows.runs.values().rev();
        let runs = runs.filter(|run| run.audience == *audience);
        let runs = runs.filter(|run| after.is_none_or(|after| run.id.as_str() < after));
        let items = runs.take(page.first as usize).cloned().collect();
        Ok(Page::of(items, |run: &SyncRun| run.id.to_string()))
    }

    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let runs = self.rows.runs.values();
        Ok(runs.filter(|run| run.audience == *audience).count() as u64)
    }

    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError> {
        let after = page.after.as_deref();
        let issues = self.rows.issues.get(run).into_iter().flatten();
        let issues = issues.filter(|(key, _)| after.is_none_or(|after| key.as_str() > after));
        let items = issues.take(page.first as usize).collect();
        let page = Page::of(items, |(key, _): &(&String, &Issue)| (*key).clone());
        Ok(page.map(|(_, issue)| issue.clone()))
    }

    async fn enqueue(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        if self.active_run(&run.source).await?.is_some() {
            return Err(refused("the source has an active run"));
        }
        let lease = Lease {
            due: self.now,
            held_until: None,
            token: FencingToken(0),
        };
        let rows = self.write()?;
        rows.runs.insert(run.id.clone(), run.clone());
        rows.leases.insert(run.id.clone(), lease);
        Ok(())
    }

    async fn save_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let rows = self.write()?;
        rows.runs.insert(run.id.clone(), run.clone());
        if !run.status.is_active() {
            rows.leases.remove(&run.id);
        }
        Ok(())
    }

    async fn claim(&mut self, run: &RunId, length: Duration) -> Result<Option<Claim>, StoreError> {
        let now = self.now;
        let lease = self.write()?.leases.get_mut(run);
        let Some(lease) = lease.filter(|lease| lease.is_waiting(now)) else {
            return Ok(None);
        };
        let abandoned = lease.held_until.is_some();
        lease.token.0 += 1;
        lease.held_until = Some(now.plus(length));
        Ok(Some(Claim {
            token: lease.token,
            abandoned,
        }))
    }

    async fn renew(
        &mut self,
        run: &RunId,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let lease = self.write()?.leases.get_mut(run);
        let is_held = |lease: &&mut Lease| {
            lease.token == token && lease.held_until.is_some_and(|until| until > now)
        };
        let held = lease.filter(is_held);
        Ok(held
            .map(|lease| lease.held_until = Some(now.plus(length)))
            .is_some())
    }

    async fn release(
        &mut self,
        run: &RunId,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.now;
        let lease = self.write()?.leases.get_mut(run);
        let ours = lease.filter(|lease| lease.token == token && lease.held_until.is_some());
        let Some(lease) = ours else {
            return Ok(false);
        };
        lease.held_until = None;
        lease.due = due.unwrap_or(now);
        Ok(true)
    }
}
