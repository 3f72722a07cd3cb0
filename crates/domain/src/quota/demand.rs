//! Demands for requests, and the leases that answer them: a process takes several requests of a bucket at once.

use super::{RateLimits, Share};
use crate::time::Timestamp;

/// A process's demand for requests of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// How many it can use before the second is over; one at least is granted or none.
    pub wanted: u32,
    /// Who waits for them.
    pub priority: Priority,
    /// The part of the quota that syncs may use.
    pub share: Share,
    /// What is left of the process's earlier lease, which it gives back.
    pub unused: Option<Lease>,
}

impl Demand {
    /// One request that a user waits for.
    pub const ONE: Self = Self {
        wanted: 1,
        priority: Priority::User,
        share: Share::WHOLE,
        unused: None,
    };
}

/// Who waits for a request. Those above come before those below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// A user, by a click.
    User,
    /// A sync, for a page of a chain that cannot be divided: the sync lasts as long as the chain.
    Serial(Kept),
    /// A sync, for anything else. It leaves to chains what they need of the minute.
    Sync(Kept),
    /// A worker, of a bucket that no click uses: nothing of it is left to users.
    Unshared,
}

/// How much of a minute's requests is kept for chains that cannot be divided.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kept {
    /// Requests for each second that is left of the minute.
    pub per_second: u32,
    /// Requests at most.
    pub most: u32,
}

impl Kept {
    /// How many pages a second one reader of a chain gets at most: a page takes 150 to 600 ms, mostly about 250.
    const PER_READER: u32 = 4;

    /// What so many readers of chains need, of a list with so many pages left.
    pub fn for_readers(readers: u32, pages_left: u64) -> Self {
        Self {
            per_second: readers.saturating_mul(Self::PER_READER),
            most: u32::try_from(pages_left).unwrap_or(u32::MAX),
        }
    }

    /// How many that are, when the minute still lasts so long.
    pub(super) fn requests(self, seconds_left: u64) -> u32 {
        let seconds = u32::try_from(seconds_left).unwrap_or(u32::MAX);
        self.per_second.saturating_mul(seconds).min(self.most)
    }
}

/// Requests that a process has taken out of a bucket and may make until a time. It makes the first one at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How many.
    pub requests: u32,
    /// Before this time: then the window ends in which they are counted.
    pub until: Timestamp,
    /// The limits by which they were granted.
    pub limits: RateLimits,
    /// When the windows of a second and of a minute began in which they are counted.
    pub windows: (Timestamp, Timestamp),
}

impl Lease {
    /// Whether one of its requests may be made at `now`. If the clock was set back since, none may be: the windows of
    /// Klaviyo have gone on.
    pub fn allows(&self, now: Timestamp) -> bool {
        self.requests > 0 && now < self.until && now >= self.windows.0
    }

    /// How many requests a process asks for, of which so many callers wait for one, and whose last lease was of
    /// `granted`, of which `unused` are left.
    pub fn next_size(waiting: u32, granted: u32, unused: u32) -> u32 {
        let used = granted.saturating_sub(unused);
        let expected = if unused == 0 { used * 2 } else { used };
        expected.max(waiting).clamp(1, LARGEST)
    }
}

/// The most requests that a process takes at once. If it dies, so many are lost for the minute.
const LARGEST: u32 = 16;
