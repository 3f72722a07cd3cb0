//! Leases: the queue of due work of one organization.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::lease::{Claim, FencingToken};
use crate::time::Timestamp;
use crate::work::{WorkKey, WorkKind};

/// Leases of due work of any kind. Work that is still to be done has one row in the queue, which holds its
/// lease; finished work has none. Leases are measured by the store's clock, which all processes share.
#[async_trait]
pub trait Leases {
    /// Puts work into the queue, due at once, and notifies a worker of it in the same unit, so that the rows
    /// that the work is about, its row in the queue and its job exist together or not at all.
    async fn enqueue(&mut self, work: &WorkKey) -> Result<(), StoreError>;

    /// Leases the work to the caller for `length`. `None` if the work is not due, is leased to another worker,
    /// or is not in the queue. The new token is higher than all tokens before it.
    async fn claim(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<Claim>, StoreError>;

    /// Renews the lease if `token` still holds it: the work has not been claimed since, it has not left the
    /// queue, and the lease has not run out. After `false` the caller MUST write nothing more.
    async fn renew(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError>;

    /// Gives the lease back if `token` is still the latest, even if the lease has run out. The work is due
    /// again at `due`, or at once by the store's clock. If it is due now, a worker is notified in this unit;
    /// otherwise [`super::WorkQueue::notify`] does it later. `false` if another worker has claimed the work,
    /// or if it has left the queue.
    async fn release(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Makes work due at once that is leased to no worker and waits for a later time, and notifies a worker of it in
    /// this unit. `false` if there is no such work.
    async fn wake(&mut self, work: &WorkKey) -> Result<bool, StoreError>;

    /// Removes work that has ended from the queue, with its lease. It is no error if the work is not there.
    async fn dequeue(&mut self, work: &WorkKey) -> Result<(), StoreError>;

    /// All work of the kind that is in the queue, due or not, leased or not, by id.
    async fn queued(&mut self, kind: WorkKind) -> Result<Vec<WorkKey>, StoreError>;
}
