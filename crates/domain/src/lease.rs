//! Leases: which worker may write for a piece of work.

use std::fmt;

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
