//! How many requests an organization may make in a minute, however many processes serve the API.
//!
//! The store counts. A process does not ask it for each request: it takes some of the minute's requests at a time, and
//! admits its callers out of those.

use crate::time::Timestamp;

/// Requests that an organization may make in a minute, all its keys together.
pub const REQUESTS_PER_MINUTE: u32 = 1_000;

/// The most requests that a process takes at once. What it does not use of them is lost to the others for the
/// minute.
const LARGEST_BATCH: u32 = 32;

const MINUTE_MICROS: i64 = 60 * 1_000_000;

/// A minute, counted from 1970. The limits of all organizations begin anew with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(pub i64);

impl Minute {
    /// The minute of this instant.
    pub const fn of(time: Timestamp) -> Self {
        Self(time.as_micros().div_euclid(MINUTE_MICROS))
    }

    /// Its end.
    pub fn end(self) -> Timestamp {
        let end = self.0.saturating_add(1).saturating_mul(MINUTE_MICROS);
        Timestamp::from_micros(end).unwrap_or(Timestamp::EPOCH)
    }
}

/// How many requests of a minute the processes have taken of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCount {
    /// The minute.
    pub minute: Minute,
    /// How many were taken, at most [`REQUESTS_PER_MINUTE`].
    pub taken: u32,
}

impl RequestCount {
    /// Takes `wanted` requests of the minute `now`, or those that are left. Returns the count as it is then, and how
    /// many were taken.
    ///
    /// A count of the next minute is added to: two processes read the time one after the other, and then counted the
    /// other way round. One of a later minute is of a clock that was set back, and is begun anew.
    #[must_use]
    pub fn take(before: Option<Self>, now: Minute, wanted: u32) -> (Self, u32) {
        let before = before.filter(|count| (now.0..=now.0 + 1).contains(&count.minute.0));
        let before = before.unwrap_or(Self {
            minute: now,
            taken: 0,
        });
        let granted = wanted.min(REQUESTS_PER_MINUTE.saturating_sub(before.taken));
        let taken = before.taken + granted;
        (Self { taken, ..before }, granted)
    }
}

/// What a process was given of an organization's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenRequests {
    /// How many requests it may admit in the minute of `count`; zero if none are left.
    pub granted: u32,
    /// The count afterwards.
    pub count: RequestCount,
    /// The time by the store's clock.
    pub now: Timestamp,
}

/// How many requests a process takes next, if it took `last` before in this minute and the store had `left` then. It
/// doubles, so that many requests ask the store seldom; and a process takes no more than a quarter of what is left, so
/// that near the limit no process keeps what another one needs.
pub fn next_batch(last: u32, left: u32) -> u32 {
    (last * 2).min(LARGEST_BATCH).min(left / 4).max(1)
}
