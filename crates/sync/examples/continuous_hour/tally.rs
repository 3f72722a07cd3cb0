//! Counts of what was done.

use std::fmt;

/// What was asked of Klaviyo, and what became of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    /// Requests of any kind.
    pub(crate) requests: u64,
    /// Those for pages of members.
    pub(crate) pages: u64,
    /// Runs that have ended.
    pub(crate) runs: u64,
    /// The complete passes among them.
    pub(crate) full: u64,
    /// Consumers and memberships that were made, changed or ended.
    pub(crate) rows: u64,
}

impl Tally {
    pub(crate) const fn since(self, before: Self) -> Self {
        Self {
            requests: self.requests - before.requests,
            pages: self.pages - before.pages,
            runs: self.runs - before.runs,
            full: self.full - before.full,
            rows: self.rows - before.rows,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} requests, {} of them for members; {} runs, {} of them complete passes; {} rows changed",
            self.requests, self.pages, self.runs, self.full, self.rows
        )
    }
}
