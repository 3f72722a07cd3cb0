//! Fixed windows: a count of requests that starts from zero after each window.

use std::time::Duration;

use crate::time::Timestamp;

/// The length of the burst window: one second.
pub(super) const BURST: Duration = Duration::from_secs(1);

/// The length of the steady window: one minute.
pub(super) const STEADY: Duration = Duration::from_mins(1);

/// How long a request may take to Klaviyo, beyond what the quickest takes. Klaviyo counts a request when it arrives, and
/// its windows begin with the first of them. So none is made so shortly before a window's end, nor so shortly after:
/// then every request arrives in the window in which it is counted here.
const MARGIN: Duration = Duration::from_millis(50);

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
        // old one. A clock that is only a little behind another process's begins none. A window in which nothing
        // was requested has not begun.
        if self.used == 0 || now >= self.next(length) || now.plus(length) < self.since {
            *self = Self {
                since: now,
                used: 0,
            };
        }
    }

    /// Until when requests may be made in it.
    pub(super) fn closes(&self, length: Duration) -> Timestamp {
        self.since.plus(length.saturating_sub(MARGIN))
    }

    /// When the next window may begin.
    pub(super) fn next(&self, length: Duration) -> Timestamp {
        self.since.plus(length + MARGIN)
    }
}
