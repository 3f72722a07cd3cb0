//! Leases: which worker may write for a piece of work.

use std::fmt;
use std::time::Duration;

use crate::time::Timestamp;

/// Proves that a worker holds a lease: it is valid as long as no later claim was made. Each claim gets a
/// higher token than all claims before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FencingToken(pub u64);

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A lease that a worker has claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The token that the worker presents with every write.
    pub token: FencingToken,
    /// Whether the lease was taken over from a worker that neither released nor renewed it.
    pub abandoned: bool,
}

/// A clock that is set back by no more than this goes unnoticed: what waits, waits so much longer.
pub const UNNOTICED_STEP: Duration = Duration::from_secs(2);

/// Whether the clock has been set back since a place in the queue was written at `written`.
///
/// Its times are then of a clock that is no longer in force, and may lie as far ahead as the clock went back. So its
/// pause is over, its notification is due, and its lease begins anew, for the length that it had: the worker that
/// holds it renews it in time, and one that is gone does not.
pub fn was_clock_set_back(written: Timestamp, now: Timestamp) -> bool {
    written > now.plus(UNNOTICED_STEP)
}
