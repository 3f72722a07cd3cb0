//! Why a run fails, and how often a page is requested again before.

use std::time::Duration;

use crate::klaviyo::KlaviyoError;
use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::writing::WriteError;

text_enum! {
    /// Why a run ended `FAILED`.
    #[derive(serde::Serialize, serde::Deserialize)]
    FailureCode {
        /// Klaviyo refused the key, or none is stored.
        KeyInvalid = "key_invalid",
        /// The key may not read this.
        ScopeMissing = "scope_missing",
        /// The list or segment is gone, or belongs to another account.
        SourceGone = "source_gone",
        /// Klaviyo's answers stayed unusable for too many requests.
        UpstreamInvalid = "upstream_invalid",
        /// Klaviyo gave no answer to too many requests.
        UpstreamUnavailable = "upstream_unavailable",
        /// Klaviyo's cursors led in a circle, or its pages brought no new profiles for too long.
        CursorLoop = "cursor_loop",
        /// The pass saw fewer than nine tenths of what Klaviyo had counted at its start.
        IncompleteRead = "incomplete_read",
        /// The pass would have removed more than half of the members.
        RemovalGuard = "removal_guard",
        /// The worker died three times on the same page, or nine times on the way through the list.
        WorkerCrashed = "worker_crashed",
        /// A user cancelled it, archived the audience or disconnected Klaviyo.
        Cancelled = "cancelled",
        /// A push would change more than was confirmed, or mail whom nobody was told of.
        ConfirmationNeeded = "confirmation_needed",
        /// A defect of this program.
        Internal = "internal",
    }
}

/// How many failed answers for one page, in a row, fail the run.
pub const MAX_FAILED_ANSWERS: u32 = 5;

/// How many crashes of workers, without a committed page in between, fail the run.
pub const MAX_CRASHES: u32 = 3;

/// What to do about a call to Klaviyo that brought no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Wait for as long as Klaviyo says. This counts as no failure.
    Wait,
    /// Send the request again later; after [`MAX_FAILED_ANSWERS`] the run fails with this code.
    Retry(FailureCode),
    /// The same, but from the last join time that was seen, because its cursor is refused.
    Reposition(FailureCode),
    /// Read the whole list in one partition, without what Klaviyo refused.
    ReadWhole,
    /// Fail the run: no further request can succeed.
    Fail(FailureCode),
}

/// Until when an answer asks for no further request; `None` if it does not. Such an answer is no failed answer.
///
/// A 429 always asks for a wait. Another answer does if it names a time that is still to come: a time that has
/// passed announces nothing, and a server that always names such a time would keep a run for ever.
pub fn asks_to_wait_until(error: &KlaviyoError, now: Timestamp) -> Option<Timestamp> {
    match error {
        KlaviyoError::Throttled(retry_after) => Some(retry_after.until(now)),
        KlaviyoError::Outage { retry_after, .. } if retry_after.is_later_than(now) => {
            Some(retry_after.until(now))
        }
        _ => None,
    }
}

/// The same of an answer to a write. That it is not known whether it was done changes nothing: it is sent again after the time.
pub fn write_asks_to_wait_until(error: &WriteError, now: Timestamp) -> Option<Timestamp> {
    match error {
        WriteError::Throttled(retry_after) => Some(retry_after.until(now)),
        WriteError::OutcomeUnknown { retry_after, .. } if retry_after.is_later_than(now) => {
            Some(retry_after.until(now))
        }
        _ => None,
    }
}

/// Decides what to do about an error of Klaviyo's. No other place decides it.
pub const fn remedy(error: &KlaviyoError) -> Remedy {
    match error {
        // The worker waits for room before it comes to this.
        KlaviyoError::Throttled(_) | KlaviyoError::NoRoom(_) => Remedy::Wait,
        // `asks_to_wait_until` comes first: the time that this outage named is over.
        KlaviyoError::Unavailable(_) | KlaviyoError::Outage { .. } => {
            Remedy::Retry(FailureCode::UpstreamUnavailable)
        }
        KlaviyoError::Invalid(_) | KlaviyoError::ForeignLink => {
            Remedy::Retry(FailureCode::UpstreamInvalid)
        }
        KlaviyoError::CursorRejected => Remedy::Reposition(FailureCode::UpstreamInvalid),
        KlaviyoError::RangeRefused => Remedy::ReadWhole,
        KlaviyoError::KeyRejected => Remedy::Fail(FailureCode::KeyInvalid),
        KlaviyoError::ScopeMissing(_) | KlaviyoError::NotPermitted => {
            Remedy::Fail(FailureCode::ScopeMissing)
        }
        KlaviyoError::NotFound => Remedy::Fail(FailureCode::SourceGone),
        KlaviyoError::RevisionRetired | KlaviyoError::Refused(_) => {
            Remedy::Fail(FailureCode::UpstreamInvalid)
        }
    }
}

/// How long to wait after the `failures`-th failed answer for one page: about 1, 4, 16 and 60
/// seconds. Each wait varies by up to a quarter, so that many runs do not send their requests at the same
/// moment, and is never outside 1 to 60 seconds. `random` is any random number.
pub fn backoff(failures: u32, random: u64) -> Duration {
    let base_ms = 1_000_u64.saturating_mul(4_u64.saturating_pow(failures.saturating_sub(1)));
    let base_ms = base_ms.min(60_000);
    let spread_ms = base_ms / 2;
    let jittered = base_ms - spread_ms / 2 + random % (spread_ms + 1);
    Duration::from_millis(jittered.clamp(1_000, 60_000))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::RetryAfter;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_backoff_is_never_outside_one_to_sixty_seconds(failures in 0_u32..40, random: u64) {
            let wait = backoff(failures, random);
            prop_assert!((1..=60).contains(&wait.as_secs()), "{wait:?}");
        }

        #[test]
        fn a_backoff_grows_with_the_failures(failures in 1_u32..4, one: u64, other: u64) {
            prop_assert!(backoff(failures, one) < backoff(failures + 1, other));
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000).unwrap()
    }

    #[test]
    fn being_throttled_counts_as_no_failure() {
        let throttled = KlaviyoError::Throttled(RetryAfter::Unknown);
        assert_eq!(remedy(&throttled), Remedy::Wait);
        assert_eq!(asks_to_wait_until(&throttled, at(0)), Some(at(60)));
    }

    #[test]
    fn an_outage_is_waited_for_if_it_names_a_time_to_come_and_is_a_failed_answer_if_not() {
        let now = at(100);
        let check = |retry_after, want| {
            let what = "it answered 503".to_owned();
            let outage = KlaviyoError::Outage { what, retry_after };
            assert_eq!(asks_to_wait_until(&outage, now), want, "{retry_after:?}");
            let retry = Remedy::Retry(FailureCode::UpstreamUnavailable);
            assert_eq!(remedy(&outage), retry);
        };
        check(RetryAfter::Seconds(120), Some(at(220)));
        check(RetryAfter::At(at(130)), Some(at(130)));
        check(RetryAfter::At(at(100)), None);
        check(RetryAfter::Seconds(0), None);
        check(RetryAfter::Unknown, None);
    }
}
