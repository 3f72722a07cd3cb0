//! Klaviyo's request quotas: fixed limits of a second and a minute, per account and endpoint.

use std::time::Duration;

use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// A bucket of Klaviyo's quota: an endpoint, or a costly parameter of one.
    Endpoint {
        /// `GET /api/accounts`
        Accounts = "accounts",
        /// `GET /api/lists`
        Lists = "lists",
        /// `GET /api/lists/{id}`
        List = "list",
        /// The same with `additional-fields[list]=profile_count`
        ListCount = "list_count",
        /// `GET /api/lists/{id}/profiles`
        ListProfiles = "list_profiles",
        /// `GET /api/segments`
        Segments = "segments",
        /// `GET /api/segments/{id}`
        Segment = "segment",
        /// The same with `additional-fields[segment]=profile_count`
        SegmentCount = "segment_count",
        /// `GET /api/segments/{id}/profiles`
        SegmentProfiles = "segment_profiles",
        /// `GET /api/profiles`
        Profiles = "profiles",
    }
}

impl Endpoint {
    /// The endpoint's own bucket, for a costly parameter's: a request with the parameter is taken out
    /// of both, and silence that is asked of it is asked for both.
    pub const fn base(self) -> Option<Self> {
        match self {
            Self::ListCount => Some(Self::List),
            Self::SegmentCount => Some(Self::Segment),
            Self::Accounts
            | Self::Lists
            | Self::List
            | Self::ListProfiles
            | Self::Segments
            | Self::Segment
            | Self::SegmentProfiles
            | Self::Profiles => None,
        }
    }
}

/// Requests allowed per fixed window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    /// Per second.
    pub burst: u32,
    /// Per minute.
    pub steady: u32,
}

impl RateLimits {
    const XS: Self = Self {
        burst: 1,
        steady: 15,
    };
    const L: Self = Self {
        burst: 75,
        steady: 750,
    };

    /// What Klaviyo documents for the endpoint at revision 2026-07-15; its answers may teach
    /// better.
    pub const fn documented(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Accounts | Endpoint::ListCount | Endpoint::SegmentCount => Self::XS,
            Endpoint::Lists
            | Endpoint::List
            | Endpoint::ListProfiles
            | Endpoint::Segments
            | Endpoint::Segment
            | Endpoint::SegmentProfiles
            | Endpoint::Profiles => Self::L,
        }
    }

    /// Reads `RateLimit-Limit`, `75, 75;w=1, 750;w=60`: a number, then the limits with their
    /// seconds. `None` unless both limits are there and not zero.
    pub fn parse(header: &str) -> Option<Self> {
        let window = |seconds: &str| {
            header.split(',').find_map(|item| {
                let (limit, parameters) = item.trim().split_once(';')?;
                let named = parameters
                    .split(';')
                    .find_map(|p| p.trim().strip_prefix("w="))?;
                (named.trim() == seconds).then(|| limit.trim().parse::<u32>().ok())?
            })
        };
        let limits = Self {
            burst: window("1")?,
            steady: window("60")?,
        };
        (limits.burst > 0 && limits.steady > 0).then_some(limits)
    }
}

/// `Retry-After`, as Klaviyo or a network in front of it sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// So many seconds from the answer.
    Seconds(u64),
    /// At that time.
    At(Timestamp),
    /// Missing or unreadable.
    Unknown,
}

/// How long to wait where Klaviyo does not say: one whole steady window.
const UNKNOWN_WAIT: Duration = Duration::from_mins(1);

/// However soon Klaviyo says to come back, a burst window is over only after a second.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

impl RetryAfter {
    /// When to ask again. There is no longest wait: Klaviyo's word is obeyed, days included.
    pub fn until(self, now: Timestamp) -> Timestamp {
        let asked = match self {
            Self::Seconds(seconds) => now.plus(Duration::from_secs(seconds)),
            Self::At(at) => at,
            Self::Unknown => now.plus(UNKNOWN_WAIT),
        };
        asked.max(now.plus(SHORTEST_WAIT))
    }
}

/// What is known of one bucket of one account. Shared by all processes through the quota ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The limits in force.
    pub limits: RateLimits,
    /// The current second: when it began for us, and the requests made in it.
    pub burst: Window,
    /// The current minute.
    pub steady: Window,
    /// Klaviyo asked for silence until then.
    pub blocked_until: Option<Timestamp>,
}

/// A fixed window and its use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// When it began.
    pub since: Timestamp,
    /// Requests made in it.
    pub used: u32,
}

/// The answer to a wish to ask Klaviyo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// One request was taken out of the quota; these limits were assumed.
    Granted(RateLimits),
    /// Not before then.
    NotBefore(Timestamp),
}

impl Bucket {
    /// An unused bucket with the documented limits.
    pub const fn new(endpoint: Endpoint, now: Timestamp) -> Self {
        Self {
            limits: RateLimits::documented(endpoint),
            burst: Window {
                since: now,
                used: 0,
            },
            steady: Window {
                since: now,
                used: 0,
            },
            blocked_until: None,
        }
    }

    /// Takes one request, or tells when there will be one.
    pub fn reserve(&mut self, now: Timestamp) -> Reservation {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Reservation::NotBefore(until);
        }
        self.blocked_until = None;
        self.burst.roll(now, BURST);
        self.steady.roll(now, STEADY);
        if self.steady.used >= self.limits.steady {
            return Reservation::NotBefore(self.steady.since.plus(STEADY));
        }
        if self.burst.used >= self.limits.burst {
            return Reservation::NotBefore(self.burst.since.plus(BURST));
        }
        self.burst.used += 1;
        self.steady.used += 1;
        Reservation::Granted(self.limits)
    }

    /// Takes note that Klaviyo asked for silence until `until`. An earlier word never shortens it.
    pub fn block(&mut self, until: Timestamp) {
        self.blocked_until = self.blocked_until.max(Some(until));
    }

    /// Requests that could be made right now.
    pub fn free(&self, now: Timestamp) -> u32 {
        if self.blocked_until.is_some_and(|until| until > now) {
            return 0;
        }
        let mut steady = self.steady;
        steady.roll(now, STEADY);
        self.limits.steady.saturating_sub(steady.used)
    }

    /// The least time that `requests` requests take: what the minute at hand still holds goes first, a
    /// second's worth a second, and the rest a minute's worth a minute. An estimate: the round trips
    /// themselves come on top.
    pub fn estimate(&self, requests: u64, now: Timestamp) -> Duration {
        let burst = u64::from(self.limits.burst.max(1));
        let per_window = u64::from(self.limits.steady.max(1));
        let mut steady = self.steady;
        steady.roll(now, STEADY);
        let opens = steady
            .since
            .plus(STEADY)
            .max(self.blocked_until.unwrap_or(now));
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

const BURST: Duration = Duration::from_secs(1);
const STEADY: Duration = Duration::from_mins(1);

impl Window {
    fn roll(&mut self, now: Timestamp, length: Duration) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000).unwrap()
    }

    #[test]
    fn the_recorded_form_of_the_limit_header_is_understood() {
        let l = Some(RateLimits {
            burst: 75,
            steady: 750,
        });
        assert_eq!(RateLimits::parse("75, 75;w=1, 750;w=60"), l);
        assert_eq!(RateLimits::parse("75,750;w=60 , 75; w=1"), l);
        assert_eq!(
            RateLimits::parse("1, 1;w=1, 15;w=60"),
            Some(RateLimits {
                burst: 1,
                steady: 15
            })
        );
        for nonsense in ["", "75", "75;w=1", "0, 0;w=1, 0;w=60", "x;w=1, y;w=60"] {
            assert_eq!(RateLimits::parse(nonsense), None, "{nonsense:?}");
        }
    }

    #[test]
    fn every_form_of_retry_after_gives_a_time_that_is_obeyed() {
        let now = at(10_000);
        assert_eq!(RetryAfter::Seconds(30).until(now), at(40_000));
        assert_eq!(RetryAfter::Seconds(0).until(now), at(11_000));
        assert_eq!(RetryAfter::Seconds(400_000).until(now), at(400_010_000));
        assert_eq!(RetryAfter::At(at(20_000)).until(now), at(20_000));
        assert_eq!(RetryAfter::At(at(1)).until(now), at(11_000));
        assert_eq!(RetryAfter::Unknown.until(now), at(70_000));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_its_limit(waits in prop::collection::vec(0_i64..400, 1..600)) {
            let mut bucket = Bucket::new(Endpoint::ListCount, at(0));
            let (mut now, mut granted) = (0, Vec::new());
            for wait in waits {
                now += wait;
                match bucket.reserve(at(now)) {
                    Reservation::Granted(_) => granted.push(now),
                    Reservation::NotBefore(until) => prop_assert!(until > at(now)),
                }
            }
            // RateLimits begin with a request, so each granted request opens or shares one.
            let mut index = 0;
            while index < granted.len() {
                let end = granted[index] + 1_000;
                let inside = granted[index..].iter().filter(|t| **t < end).count();
                prop_assert!(inside <= 2, "two adjoining limits at the most");
                index += inside;
            }
        }

        #[test]
        fn waiting_as_told_is_always_enough(used in 1_u32..40) {
            let mut bucket = Bucket::new(Endpoint::Accounts, at(0));
            let mut now = at(0);
            for _ in 0..used {
                while let Reservation::NotBefore(until) = bucket.reserve(now) {
                    now = until;
                }
            }
            prop_assert!(now <= at(60_000 * i64::from(used / 15 + 1)));
        }
    }

    #[test]
    fn silence_asked_for_is_kept_and_never_shortened() {
        let mut bucket = Bucket::new(Endpoint::Lists, at(0));
        bucket.block(at(30_000));
        bucket.block(at(5_000));
        assert_eq!(
            bucket.reserve(at(29_999)),
            Reservation::NotBefore(at(30_000))
        );
        assert!(matches!(
            bucket.reserve(at(30_000)),
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
