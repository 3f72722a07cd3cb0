//! Counts of what was done.

use std::fmt;

/// What runs have cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) runs: u64,
    pub(crate) full: u64,
    pub(crate) rows: u64,
    pub(crate) profiles: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            runs: self.runs - before.runs,
            full: self.full - before.full,
            rows: self.rows - before.rows,
            profiles: self.profiles - before.profiles,
            failed: self.failed - before.failed,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests, {} runs ({} complete, {} failed), {} profiles read, {} rows changed",
            self.requests, self.runs, self.full, self.failed, self.profiles, self.rows
        )
    }
}
