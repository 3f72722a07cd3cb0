//! The engine: works what is due, a slice at a time.
//!
//! Work is known by its organization, kind and id; the engine hands it to the module of its kind. What every
//! kind needs is here: a lease that is kept while Klaviyo takes its time ([`lease`]), and an end to waiting
//! when the worker is to stop ([`drain`]). A worker that dies, stalls or is overtaken between any two
//! statements leaves work that the next claim takes up from its checkpoint.

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

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a silent worker keeps a run.
    pub lease: Duration,
    /// How long a run keeps a worker while others wait.
    pub slice: Duration,
    /// Pages of one list that are asked for at the same time, at most. With 150 to 600 ms a page, eight
    /// use up the 750 a minute that Klaviyo grants an account.
    pub partitions: usize,
    /// Rows in a batch of reconciling memberships.
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

/// What became of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SliceEnd {
    /// The run is not due, has ended, or somebody else has it.
    NotDue,
    /// There is more to do; the bell was rung for it.
    Yielded,
    /// It waits until then without a worker.
    Paused(Timestamp),
    /// It has ended.
    Finished(SyncStatus),
    /// Somebody else has claimed or cancelled it meanwhile; nothing was written after that.
    Overtaken,
}

/// Works runs.
#[derive(Clone)]
pub struct Engine {
    integration: Integration,
    pace: Pace,
}

impl Engine {
    /// An engine over these use cases' ports.
    pub const fn new(integration: Integration, pace: Pace) -> Self {
        Self { integration, pace }
    }

    /// Works a slice of a run, if it is due. `stop` ends the slice after the step at hand.
    ///
    /// On an error the run was given back if the store could be reached; if not, its lease runs
    /// out and it is taken up again.
    pub async fn work(&self, work: &WorkItem, stop: &CancellationToken) -> Result<SliceEnd, Error> {
        match work.key.kind {
            WorkKind::Pull => pull::work(&self.integration, self.pace, work, stop).await,
        }
    }
}
