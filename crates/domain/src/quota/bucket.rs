//! A bucket: an account's use of one endpoint, and whether its limits allow one more request.

use std::time::Duration;

use super::window::{BURST, STEADY, Window};
use super::{Demand, Endpoint, Kept, Lease, Priority, RateLimits, Share};
use crate::time::Timestamp;

/// The state of one bucket of one account. All processes share it through the quota ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The limits in force.
    pub limits: RateLimits,
    /// The current burst window, of one second.
    pub burst: Window,
    /// The current steady window, of one minute.
    pub steady: Window,
    /// The end of the rate-limit block, if there is one: until then no request may be made.
    pub blocked_until: Option<Timestamp>,
    /// When that block began. `None` if a version of the program wrote it that did not tell.
    pub blocked_at: Option<Timestamp>,
}

/// Whether requests may be made now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// Requests were taken out of the quota.
    Granted(Lease),
    /// No request may be made before this time: those of the window are used up.
    NotBefore(Timestamp),
    /// No request may be made before this time: Klaviyo has asked for none.
    Blocked(Timestamp),
}

/// How soon a sync asks again for what is kept for a chain: the chain may have ended.
const KEPT_PAUSE: Duration = Duration::from_millis(500);

/// How long before a minute's end syncs may have what is left to users of it: from then on a user waits less than a second
/// for the next minute.
const LAST_MOMENT: Duration = Duration::from_millis(850);

impl Bucket {
    /// An unused bucket with the documented limits.
    pub const fn new(endpoint: Endpoint, now: Timestamp) -> Self {
        Self {
            limits: endpoint.documented_limits(),
            burst: Window {
                since: now,
                used: 0,
            },
            steady: Window {
                since: now,
                used: 0,
            },
            blocked_until: None,
            blocked_at: None,
        }
    }

    /// Takes requests out of the quota, or returns when the next one may be made. At most a quarter of what is left is
    /// taken at once, so that near the limit no process keeps what another one needs.
    pub fn reserve(&mut self, demand: &Demand, now: Timestamp) -> Reservation {
        if let Some(until) = self.current_block(now) {
            return Reservation::Blocked(until);
        }
        self.burst.roll(now, BURST);
        self.steady.roll(now, STEADY);
        if let Some(unused) = &demand.unused {
            self.take_back(unused);
        }
        let (allowed, kept) = match demand.priority {
            Priority::User => (self.limits, Kept::default()),
            Priority::Serial(_) => (demand.share.of(self.limits), Kept::default()),
            Priority::Sync(kept) => (demand.share.of(self.limits), kept),
            Priority::Unshared => (demand.share.of_unshared(self.limits), Kept::default()),
        };
        let minute_ends = self.steady.closes(STEADY);
        let reserve_ends = minute_ends.minus(LAST_MOMENT);
        let without_reserve = demand.share.of_unshared(self.limits).steady;
        let allowed_steady = if now < reserve_ends {
            allowed.steady
        } else {
            allowed.steady.max(without_reserve)
        };
        let in_minute = allowed_steady.saturating_sub(self.steady.used);
        if in_minute == 0 && now < reserve_ends && self.steady.used < without_reserve {
            return Reservation::NotBefore(reserve_ends);
        }
        if in_minute == 0 || now >= minute_ends {
            return Reservation::NotBefore(self.steady.next(STEADY));
        }
        let second_ends = self.burst.closes(BURST);
        let in_second = allowed.burst.saturating_sub(self.burst.used);
        if in_second == 0 || now >= second_ends {
            return Reservation::NotBefore(self.burst.next(BURST));
        }
        let in_minute = in_minute.saturating_sub(kept.requests(minute_ends.since(now).as_secs()));
        if in_minute == 0 {
            return Reservation::NotBefore(now.plus(KEPT_PAUSE).min(self.steady.next(STEADY)));
        }
        let requests = demand.wanted.min(in_second.min(in_minute) / 4).max(1);
        self.burst.used += requests;
        self.steady.used += requests;
        Reservation::Granted(Lease {
            requests,
            until: second_ends.min(minute_ends),
            limits: self.limits,
            windows: (self.burst.since, self.steady.since),
        })
    }

    /// Takes back what was not used of a lease, where its window still counts it.
    fn take_back(&mut self, unused: &Lease) {
        let (second, minute) = unused.windows;
        for (window, since) in [(&mut self.burst, second), (&mut self.steady, minute)] {
            if window.since == since {
                window.used = window.used.saturating_sub(unused.requests);
            }
        }
    }

    /// Begins a rate-limit block until `until`. A block that ends later is never shortened.
    pub fn block(&mut self, until: Timestamp, now: Timestamp) {
        if self.current_block(now).is_none_or(|known| known < until) {
            self.blocked_until = Some(until);
            self.blocked_at = Some(now);
        }
    }

    /// Ends the rate-limit block, whatever Klaviyo has asked for.
    pub const fn unblock(&mut self) {
        self.blocked_until = None;
        self.blocked_at = None;
    }

    /// The end of the rate-limit block that is in force now, if there is one.
    pub fn blocked(&self, now: Timestamp) -> Option<Timestamp> {
        let mut bucket = *self;
        bucket.current_block(now)
    }

    /// Ends a block that is over, and begins one anew that began later than now, because the clock has been set
    /// back since: for how long it has been in force is not known, so it is in force for its whole length from now
    /// on, and not for as long as the clock went back. Returns its end.
    fn current_block(&mut self, now: Timestamp) -> Option<Timestamp> {
        if let (Some(until), Some(since)) = (self.blocked_until, self.blocked_at)
            && since > now
        {
            self.blocked_until = Some(now.plus(until.since(since)));
            self.blocked_at = Some(now);
        }
        if self.blocked_until.is_some_and(|until| until <= now) {
            self.unblock();
        }
        self.blocked_until
    }

    /// How many requests may be made in the rest of the current minute.
    pub fn free(&self, now: Timestamp) -> u32 {
        if self.blocked(now).is_some() {
            return 0;
        }
        let mut steady = self.steady;
        steady.roll(now, STEADY);
        self.limits.steady.saturating_sub(steady.used)
    }

    /// Whether nothing is known of it: it is as new as at `now`.
    pub fn is_new(&self, endpoint: Endpoint, now: Timestamp) -> bool {
        *self == Self::new(endpoint, now)
    }

    /// It as it is at `now`: windows that are over, and a block that is over, say nothing any more.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let mut bucket = *self;
        bucket.current_block(now);
        bucket.burst.roll(now, BURST);
        bucket.steady.roll(now, STEADY);
        bucket
    }

    /// The same, with the limits of syncs that use this share.
    #[must_use]
    pub fn for_syncs(&self, share: Share) -> Self {
        let limits = share.of(self.limits);
        Self { limits, ..*self }
    }

    /// When the minute ends whose requests are counted.
    pub fn resets_at(&self) -> Timestamp {
        self.steady.since.plus(STEADY)
    }

    /// The least time that `requests` requests take: those that the current minute still allows are made
    /// first, a burst in each second, and the rest by the limit of each following minute. The time of the
    /// round trips is not included.
    pub fn estimate(&self, requests: u64, now: Timestamp) -> Duration {
        let burst = u64::from(self.limits.burst.max(1));
        let per_window = u64::from(self.limits.steady.max(1));
        let mut steady = self.steady;
        steady.roll(now, STEADY);
        let opens = steady
            .since
            .plus(STEADY)
            .max(self.blocked(now).unwrap_or(now));
        let wait = opens.since(now);
        let reachable = burst.saturating_mul(wait.as_secs() + 1);
        let later = requests.saturating_sub(reachable.min(u64::from(self.free(now))));
        if later == 0 {
            return Duration::from_secs(requests / burst);
        }
        let minutes = u32::try_from((later - 1) / per_window).unwrap_or(u32::MAX);
        let in_the_last = (later - 1) % per_window + 1;
        wait + STEADY.saturating_mul(minutes) + Duration::from_secs(in_the_last / burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000).unwrap()
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_its_limit(waits in prop::collection::vec(0_i64..400, 1..600)) {
            let mut bucket = Bucket::new(Endpoint::ListCount, at(0));
            let (mut now, mut granted) = (0, Vec::new());
            for wait in waits {
                now += wait;
                match bucket.reserve(&Demand::ONE, at(now)) {
                    Reservation::Granted(_) => granted.push(now),
                    Reservation::NotBefore(until) | Reservation::Blocked(until) => prop_assert!(until > at(now)),
                }
            }
            // A window begins with a request, so each granted request opens or shares one.
            let mut index = 0;
            while index < granted.len() {
                let end = granted[index] + 1_000;
                let inside = granted[index..].iter().filter(|t| **t < end).count();
                prop_assert!(inside <= 2, "two adjoining windows at the most");
                index += inside;
            }
        }

        #[test]
        fn waiting_until_the_returned_time_is_always_enough(used in 1_u32..40) {
            let mut bucket = Bucket::new(Endpoint::Accounts, at(0));
            let mut now = at(0);
            for _ in 0..used {
                while let Reservation::NotBefore(until) = bucket.reserve(&Demand::ONE, now) {
                    now = until;
                }
            }
            prop_assert!(now <= at(60_000 * i64::from(used / 15 + 1)));
        }
    }

    #[test]
    fn a_rate_limit_block_is_kept_and_never_shortened() {
        let mut bucket = Bucket::new(Endpoint::Lists, at(0));
        bucket.block(at(30_000), at(0));
        bucket.block(at(5_000), at(0));
        assert_eq!(
            bucket.reserve(&Demand::ONE, at(29_999)),
            Reservation::Blocked(at(30_000))
        );
        assert!(matches!(
            bucket.reserve(&Demand::ONE, at(30_000)),
            Reservation::Granted(_)
        ));
    }

    #[test]
    fn an_estimate_follows_the_windows() {
        let bucket = Bucket::new(Endpoint::ListProfiles, at(0));
        assert_eq!(bucket.estimate(75, at(0)).as_secs(), 1);
        assert_eq!(bucket.estimate(750, at(0)).as_secs(), 10);
        assert_eq!(bucket.estimate(1_000, at(0)).as_secs(), 63);
        assert_eq!(bucket.estimate(10_000, at(0)).as_secs(), 783);
    }
}
