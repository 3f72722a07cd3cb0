//! Fixed windows: a count of requests that begins anew after each length of time.

use std::time::Duration;

use crate::time::Timestamp;

/// The length of the burst window.
pub(super) const BURST: Duration = Duration::from_secs(1);

/// The length of the steady window.
pub(super) const STEADY: Duration = Duration::from_mins(1);

/// A fixed window and its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it began.
    pub since: Timestamp,
    /// Requests made in it.
    pub used: u32,
}

impl Window {
    /// Begins a new window if this one is over.
    pub(super) fn roll(&mut self, now: Timestamp, length: Duration) {
        // A clock that was set back begins a new window rather than waiting for the old one. One that is a
        // little behind another's does not.
        if now >= self.since.plus(length) || now.plus(length) < self.since {
            *self = Self {
                since: now,
                used: 0,
            };
        }
    }
}
