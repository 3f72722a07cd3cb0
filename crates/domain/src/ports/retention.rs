//! What is kept for a time only.

use async_trait::async_trait;

use super::{Batch, StoreError};
use crate::history::ChangeKey;
use crate::ids::{AudienceId, RunId};
use crate::time::Timestamp;

/// Rows of an organization that are of no use any more, and deleting them a few at a time, so that no other writer waits long.
#[async_trait]
pub trait Retention {
    /// Runs that ended before this time, at most `size`: of each audience neither its latest run nor its latest
    /// successful one. Once a run is one of these it stays one until it is deleted.
    async fn expired_runs(
        &mut self,
        before: Timestamp,
        size: u32,
    ) -> Result<Vec<RunId>, StoreError>;

    /// Deletes about `size` issues of an ended run, or if it has no more, the run itself. Returns whether that
    /// is gone. The count of the audience's runs ([`Runs::run_count`](super::Runs::run_count)) stays as it is.
    async fn delete_run(&mut self, run: &RunId, size: u32) -> Result<bool, StoreError>;

    /// Archived audiences that last changed before this time, have members still and no snapshots, which need them.
    async fn expired_audiences(&mut self, before: Timestamp)
    -> Result<Vec<AudienceId>, StoreError>;

    /// Deletes about `size` memberships of an archived audience. Returns how many. From then on its history begins now
    /// ([`History::history_from`](super::History::history_from)).
    async fn delete_members(&mut self, audience: &AudienceId, size: u32)
    -> Result<u64, StoreError>;

    /// Audiences with memberships that ended before this time.
    async fn audiences_with_history(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<AudienceId>, StoreError>;

    /// Looks at the next `size` memberships after `after` that ended before this time, in the order of their leavings,
    /// and deletes those that no snapshot needs. `affected` counts them. If there are any, the audience's history
    /// begins at this time from then on, unless it began later.
    async fn delete_history(
        &mut self,
        audience: &AudienceId,
        before: Timestamp,
        after: Option<&ChangeKey>,
        size: u32,
    ) -> Result<Batch<ChangeKey>, StoreError>;
}
