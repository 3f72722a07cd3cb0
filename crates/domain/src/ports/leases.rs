//! The queue of due work, seen from one organization: leases.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::lease::{Claim, FencingToken};
use crate::time::Timestamp;
use crate::work::WorkKey;

/// Leases of due work of any kind. Work that is still to be done has one row in the queue, which holds its
/// lease; finished work has none. Leases are measured by the store's clock, which all its users share.
#[async_trait]
pub trait Leases {
    /// Puts work into the queue, due at once, and notifies a worker of it in this unit: so that what the work
    /// is about, its row in the queue and its job exist together or not at all.
    async fn enqueue(&mut self, work: &WorkKey) -> Result<(), StoreError>;

    /// Takes the lease of work for `length` if it is due and leased to no worker. `None` otherwise, or if the
    /// work is not in the queue. The new token is higher than every one before.
    async fn claim(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<Claim>, StoreError>;

    /// Renews the lease if `token` still holds it: the work has not been claimed since, it has not left the
    /// queue, and the lease has not run out. `false` MUST make the caller write nothing more.
    async fn renew(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError>;

    /// Gives the lease back, even one that has run out, if `token` is still the latest. The work is due
    /// again at `due`, or at once by the store's time; if that is not in the future a worker is notified in
    /// this unit, otherwise when [`super::WorkQueue::notify`] finds it due. `false` if the lease is another
    /// worker's, or the work has left the queue.
    async fn release(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError>;

    /// Takes work that has ended out of the queue, with its lease. Work that is not there is no error.
    async fn dequeue(&mut self, work: &WorkKey) -> Result<(), StoreError>;
}
