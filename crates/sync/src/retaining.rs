//! What is kept for a time only goes: ended runs with their issues, members of archived audiences, memberships that
//! ended, unused quotas.

use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
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
                    let is_gone = unit.delete_seen_profiles(MOST_DELETED).await? == 0
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
