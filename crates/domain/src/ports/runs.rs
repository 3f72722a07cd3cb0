//! Runs, their leases and their issues.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{AudienceId, RunId, SourceId};
use crate::issue::Issue;
use crate::paging::{Page, PageRequest};
use crate::run::{FencingToken, SyncRun};
use crate::time::Timestamp;

/// A lease that was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The token that every write of the holder is guarded by.
    pub token: FencingToken,
    /// Whether the lease was taken over from a holder that neither released nor renewed it.
    pub abandoned: bool,
}

/// Runs. An active run has one row in the queue of due runs, which holds its lease; a finished one
/// has none. Leases are measured by the store's clock, which all its users share.
#[async_trait]
pub trait Runs {
    /// A run.
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError>;

    /// The source's pending or syncing run. There is at most one.
    async fn active_run(&mut self, source: &SourceId) -> Result<Option<SyncRun>, StoreError>;

    /// All pending and syncing runs.
    async fn active_runs(&mut self) -> Result<Vec<SyncRun>, StoreError>;

    /// The audience's runs, latest first, paged by id.
    async fn runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, StoreError>;

    /// How many runs the audience has had.
    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError>;

    /// The run's issues, paged by profile, code and field.
    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError>;

    /// Inserts a run, makes it due at once, and rings the bell for it: all in this unit, so that
    /// the run, its place in the queue and its job exist together or not at all. The caller has
    /// made sure that the source has no active run; the store MUST refuse a second one even so.
    async fn enqueue(&mut self, run: &SyncRun) -> Result<(), StoreError>;

    /// Writes what a run has become. A finished run MUST leave the queue with it.
    async fn save_run(&mut self, run: &SyncRun) -> Result<(), StoreError>;

    /// Takes the lease of a run for `length` if it is due and nobody holds it. `None` otherwise, or
    /// if the run has finished. The new token is higher than every one before.
    async fn claim(&mut self, run: &RunId, length: Duration) -> Result<Option<Claim>, StoreError>;

    /// Renews the lease if `token` still holds it: nobody has claimed the run since, it has not
    /// finished, and the lease has not run out. `false` MUST make the caller write nothing more.
    async fn renew(
        &mut self,
        run: &RunId,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError>;

    /// Gives the lease back, even one that has run out, if `token` is still the latest. The run is
    /// due again at `due`, or at once by the store's time; if that is not in the future the bell rings
    /// for it in this unit, otherwise when [`super::DueRuns::ring`] finds it due. `false` if it is no
    /// longer ours.
    async fn release(
        &mut self,
        run: &RunId,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError>;
}
