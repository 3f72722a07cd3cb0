//! What is kept for a time only goes: ended runs with their issues, members of archived audiences, memberships that
//! ended, unused quotas.

use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::integration::Integration;

/// The most rows that one unit deletes: an organization's pages wait for milliseconds.
const MOST_DELETED: u32 = 500;

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expired {
    /// Runs.
    pub runs: u64,
    /// Memberships of archived audiences.
    pub members: u64,
    /// Memberships that ended.
    pub history: u64,
    /// Deliveries that are not pending.
    pub deliveries: u64,
    /// Keys of events that have come.
    pub events: u64,
}

impl Integration {
    /// Deletes what the organization does not need any more after this time: runs that ended before, with their
    /// issues, except the latest run and the latest successful one of each audience; and the members of audiences
    /// that were archived before. Memberships that ended are kept for a time of their own
    /// ([`Self::keeping_history_for`]), and as long as a snapshot needs them.
    ///
    /// Several processes may do so at once: each row is deleted once, in short units.
    pub async fn delete_expired(
        &self,
        organization: &OrganizationId,
        kept_for: Duration,
    ) -> Result<Expired, Error> {
        let before = self.before(kept_for);
        let mut deleted = Expired::default();
        loop {
            // Nearly always there is nothing to do: look before keeping writers waiting.
            let mut unit = self.read(organization).await?;
            let runs = unit.expired_runs(before, MOST_DELETED).await?;
            drop(unit);
            for run in &runs {
                while {
                    let mut unit = self.begin(organization).await?;
                    // An ended run has a few of these only where a worker has died.
                    let is_gone = unit.delete_seen_pages(MOST_DELETED).await? == 0
                        && unit.delete_run(run, MOST_DELETED).await?;
                    unit.commit().await?;
                    !is_gone
                } {}
                deleted.runs += 1;
            }
            if runs.is_empty() {
                break;
            }
        }
        let mut unit = self.read(organization).await?;
        let audiences = unit.expired_audiences(before).await?;
        drop(unit);
        for audience in &audiences {
            loop {
                let mut unit = self.begin(organization).await?;
                // One may have been taken since.
                if unit.snapshot_count(audience).await? > 0 {
                    break;
                }
                let members = unit.delete_members(audience, MOST_DELETED).await?;
                unit.commit().await?;
                if members == 0 {
                    break;
                }
                deleted.members += members;
            }
        }
        deleted.runs += self.delete_expired_pushes(organization, before).await?;
        deleted.history = self.delete_expired_history(organization).await?;
        deleted.deliveries = self.delete_expired_deliveries(organization, before).await?;
        loop {
            let mut unit = self.begin(organization).await?;
            let events = unit.delete_events(before, MOST_DELETED).await?;
            unit.commit().await?;
            deleted.events += events;
            if events == 0 {
                return Ok(deleted);
            }
        }
    }

    /// Of each kept list the latest push and the latest successful one stay.
    async fn delete_expired_pushes(
        &self,
        organization: &OrganizationId,
        before: Timestamp,
    ) -> Result<u64, Error> {
        let kept = self.read(organization).await?.kept_lists().await?;
        let mut deleted = 0;
        for kept in kept {
            let (mut is_latest, mut has_succeeded) = (true, false);
            let mut page = PageRequest {
                first: MOST_DELETED,
                after: None,
            };
            loop {
                let mut unit = self.read(organization).await?;
                let read = unit.push_runs(&kept.audience, &page).await?;
                drop(unit);
                page.after = read.end().map(str::to_owned);
                let mut expired = Vec::new();
                for run in read.items {
                    let is_success = run.status == SyncStatus::Success;
                    let stays = is_latest || is_success && !has_succeeded;
                    is_latest = false;
                    has_succeeded |= is_success;
                    if !stays && run.finished_at.is_some_and(|at| at < before) {
                        expired.push(run.id);
                    }
                }
                if !expired.is_empty() {
                    let mut unit = self.begin(organization).await?;
                    for run in &expired {
                        unit.delete_push_run(run).await?;
                    }
                    unit.commit().await?;
                    deleted += expired.len() as u64;
                }
                if page.after.is_none() {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    async fn delete_expired_deliveries(
        &self,
        organization: &OrganizationId,
        before: Timestamp,
    ) -> Result<u64, Error> {
        let (mut after, mut deleted) = (None, 0);
        loop {
            let mut unit = self.begin(organization).await?;
            let batch = unit.delete_deliveries(before, after, MOST_DELETED).await?;
            unit.commit().await?;
            deleted += batch.affected;
            after = batch.next;
            if after.is_none() {
                return Ok(deleted);
            }
        }
    }

    async fn delete_expired_history(&self, organization: &OrganizationId) -> Result<u64, Error> {
        let before = self.before(self.history_kept_for);
        let mut unit = self.read(organization).await?;
        let audiences = unit.audiences_with_history(before).await?;
        drop(unit);
        let mut deleted = 0;
        for audience in &audiences {
            let mut after = None;
            loop {
                let mut unit = self.begin(organization).await?;
                let batch = unit.delete_history(audience, before, after.as_ref(), MOST_DELETED);
                let batch = batch.await?;
                unit.commit().await?;
                deleted += batch.affected;
                after = batch.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(deleted)
    }

    /// Deletes the quotas of accounts that no request has asked for so long. Returns how many.
    pub async fn delete_unused_quotas(&self, kept_for: Duration) -> Result<u64, Error> {
        let mut deleted = 0;
        loop {
            let before = self.before(kept_for);
            let some = self.klaviyo.delete_unused_quotas(before, MOST_DELETED);
            let some = some.await?;
            deleted += some;
            if some < u64::from(MOST_DELETED) {
                return Ok(deleted);
            }
        }
    }

    fn before(&self, kept_for: Duration) -> Timestamp {
        self.now().minus(kept_for)
    }
}
