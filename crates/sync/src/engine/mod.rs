//! The engine: does due work, in slices.
//!
//! Work is identified by its organization, kind and id; the engine passes it to the module of its kind. What
//! every kind needs is here: a lease that the worker keeps while it waits for Klaviyo ([`lease`]), and a limit
//! to waiting when the worker has to stop ([`drain`]). If a worker dies, stalls or loses its lease between any
//! two statements, the worker with the next claim continues from the checkpoint.

mod drain;
mod lease;
mod pull;

use std::time::Duration;

use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKind};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::integration::Integration;

/// The durations and sizes of slices.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a worker keeps a run without renewing its lease.
    pub lease: Duration,
    /// How long a run keeps a worker while other work is due.
    pub slice: Duration,
    /// The most pages of one list that are requested at the same time. If a page takes 150 to 600 ms, eight
    /// partitions use the whole quota of 750 requests a minute that Klaviyo grants an account.
    pub partitions: usize,
    /// How many rows a batch of reconciling memberships has.
    pub batch: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(10),
            slice: Duration::from_secs(10),
            partitions: 8,
            batch: 2_000,
        }
    }
}

/// How a slice ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceEnd {
    /// The run is not due, has ended, or is leased to another worker.
    NotDue,
    /// There is more to do: the run was given back, and a worker was notified of it.
    Yielded,
    /// The run waits until this time without a worker.
    Paused(Timestamp),
    /// The run has ended.
    Finished(SyncStatus),
    /// Another worker has claimed the run, or a user has cancelled it, meanwhile. Nothing was written after that.
    Overtaken,
}

/// Works on runs.
#[derive(Clone)]
pub struct Engine {
    integration: Integration,
    pace: Pace,
}

impl Engine {
    /// An engine that uses the ports of these use cases.
    pub const fn new(integration: Integration, pace: Pace) -> Self {
        Self { integration, pace }
    }

    /// Works on a run for one slice, if it is due. `stop` ends the slice after the current step.
    ///
    /// After an error the run was given back if the store could be reached. If not, its lease runs out, and
    /// another worker takes the run up.
    pub async fn work(&self, work: &WorkItem, stop: &CancellationToken) -> Result<SliceEnd, Error> {
        match work.key.kind {
            WorkKind::Pull => pull::work(&self.integration, self.pace, work, stop).await,
        }
    }
}
