//! Which part of an account's quota syncs use.

use super::RateLimits;

/// The part of an account's quota that syncs may use, in whole percent from 1 to 100. The rest is left to other
/// integrations of the account. Requests that a user waits for may use all of the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// All of it.
    pub const WHOLE: Self = Self(100);

    /// So many percent; `None` outside 1 to 100.
    pub fn of_percent(percent: u32) -> Option<Self> {
        (1..=100).contains(&percent).then_some(Self(percent))
    }

    /// In percent.
    pub const fn percent(self) -> u32 {
        self.0
    }

    /// How many requests of each window syncs may use, at least one. Of large windows a fiftieth is left to users, of a
    /// minute until its last moment, so that no click waits long for the next one.
    pub(super) fn of(self, limits: RateLimits) -> RateLimits {
        let for_users = |limit: u32| {
            if limit < SMALLEST_WITH_A_RESERVE {
                0
            } else {
                (limit / 50).max(1)
            }
        };
        self.leaving(limits, for_users)
    }

    /// The same, of a bucket that no click uses: nothing is left to users.
    pub(super) fn of_unshared(self, limits: RateLimits) -> RateLimits {
        self.leaving(limits, |_| 0)
    }

    fn leaving(self, limits: RateLimits, left: impl Fn(u32) -> u32) -> RateLimits {
        let part = |limit: u32| {
            let percent = u64::from(limit) * u64::from(self.0) / 100;
            let percent = u32::try_from(percent).unwrap_or(limit);
            percent.min(limit - left(limit)).max(1)
        };
        RateLimits {
            burst: part(limits.burst),
            steady: part(limits.steady),
        }
    }
}

/// Of a smaller window nothing is left to users: they wait for the next one.
const SMALLEST_WITH_A_RESERVE: u32 = 10;

impl Default for Share {
    fn default() -> Self {
        Self::WHOLE
    }
}
