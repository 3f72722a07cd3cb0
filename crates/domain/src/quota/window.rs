//! Fixed windows: a count of requests that starts from zero after each window.

use std::time::Duration;

use crate::time::Timestamp;

/// The length of the burst window: one second.
pub(super) const BURST: Duration = Duration::from_secs(1);

/// The length of the steady window: one minute.
pub(super) const STEADY: Duration = Duration::from_mins(1);

/// A fixed window and the requests made in it.
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
        // After a clock was set back by more than a window, a new window begins instead of waiting for the
        // old one. A clock that is only a little behind another process's begins none.
        if now >= self.since.plus(length) || now.plus(length) < self.since {
            *self = Self {
                since: now,
                used: 0,
            };
        }
    }
}
