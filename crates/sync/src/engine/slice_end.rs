//! How slices end.

use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;

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
