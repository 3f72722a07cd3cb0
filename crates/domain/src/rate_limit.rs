//! How many requests and checks an organization may make in a minute, however many processes serve the API.
//!
//! The store counts. A process does not ask it for each request: it takes some of the minute's at a time, and
//! admits its callers out of those. Checks at the door are counted apart, one for each person asked for.

use crate::time::Timestamp;

/// What is counted by the minute, each by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// Requests.
    Requests,
    /// People whom checks at the door ask for.
    Checks,
}

impl Counted {
    /// How many an organization may make in a minute, all its keys together.
    pub const fn per_minute(self) -> u32 {
        match self {
            Self::Requests => 1_000,
            Self::Checks => 100_000,
        }
    }

    /// The most that a process takes at once. What it does not use of them is lost to the others for the minute.
    const fn largest_batch(self) -> u32 {
        match self {
            Self::Requests => 32,
            Self::Checks => 2_000,
        }
    }
}

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

/// How many requests or checks of a minute the processes have taken of one organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestCount {
    /// The minute.
    pub minute: Minute,
    /// How many were taken, at most [`Counted::per_minute`].
    pub taken: u32,
}

impl RequestCount {
    /// Takes `wanted` of the minute `now`, or those that are left. Returns the count as it is then, and how
    /// many were taken.
    ///
    /// A count of the next minute is added to: two processes read the time one after the other, and then counted the
    /// other way round. One of a later minute is of a clock that was set back, and is begun anew.
    #[must_use]
    pub fn take(counted: Counted, before: Option<Self>, now: Minute, wanted: u32) -> (Self, u32) {
        let before = before.filter(|count| (now.0..=now.0 + 1).contains(&count.minute.0));
        let before = before.unwrap_or(Self {
            minute: now,
            taken: 0,
        });
        let granted = wanted.min(counted.per_minute().saturating_sub(before.taken));
        let taken = before.taken + granted;
        (Self { taken, ..before }, granted)
    }
}

/// What a process was given of an organization's requests or checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TakenRequests {
    /// How many it may admit in the minute of `count`; zero if none are left.
    pub granted: u32,
    /// The count afterwards.
    pub count: RequestCount,
    /// The time by the store's clock.
    pub now: Timestamp,
}

/// How many a process takes next, if it took `last` before in this minute and the store had `left` then. It
/// doubles, so that many callers ask the store seldom; and a process takes no more than a quarter of what is left, so
/// that near the limit no process keeps what another one needs.
pub fn next_batch(counted: Counted, last: u32, left: u32) -> u32 {
    (last * 2).min(counted.largest_batch()).min(left / 4).max(1)
}
