//! When the next request may be made after an answer that asks to wait.

use std::time::Duration;

use crate::time::Timestamp;

/// `Retry-After`, as Klaviyo or a network in front of it sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// This many seconds after the answer.
    Seconds(u64),
    /// At this time.
    At(Timestamp),
    /// Missing or unreadable.
    Unknown,
}

/// How long to wait if Klaviyo does not say: one whole steady window.
const UNKNOWN_WAIT: Duration = Duration::from_mins(1);

/// The shortest wait, whatever Klaviyo says: a burst window lasts one second.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

impl RetryAfter {
    /// When the next request may be made. There is no longest wait: even a wait of days is obeyed.
    pub fn until(self, now: Timestamp) -> Timestamp {
        let until = match self {
            Self::Seconds(seconds) => now.plus(Duration::from_secs(seconds)),
            Self::At(at) => at,
            Self::Unknown => now.plus(UNKNOWN_WAIT),
        };
        until.max(now.plus(SHORTEST_WAIT))
    }

    /// Whether it names a time that is still to come.
    pub fn is_later_than(self, now: Timestamp) -> bool {
        match self {
            Self::Seconds(seconds) => seconds > 0,
            Self::At(at) => at > now,
            Self::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1_000).unwrap()
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
}
