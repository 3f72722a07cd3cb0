//! Rate limits, waits and estimates.

use std::time::Duration;

use fanfare_domain::quota::{Bucket, Demand, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;
use proptest::prelude::*;

use crate::leases::Klaviyo;
use crate::world::at;

fn ms(ms: i64) -> Timestamp {
    Timestamp::from_micros(ms * 1_000).unwrap()
}

/// Makes requests one after the other, as soon as each is granted, from `now`. Returns the time of each.
fn requests(bucket: &mut Bucket, count: u64, mut now: Timestamp) -> Vec<Timestamp> {
    let mut granted = Vec::new();
    for _ in 0..count {
        while let Reservation::NotBefore(until) | Reservation::Blocked(until) =
            bucket.reserve(&Demand::ONE, now)
        {
            assert!(until > now, "a wait leads somewhere");
            now = until;
        }
        granted.push(now);
    }
    granted
}

proptest! {
    #[test]
    fn as_many_as_are_allowed_are_granted_and_no_more(burst in 1_u32..9, steady in 1_u32..40, count in 1_u64..120) {
        let mut bucket = Bucket::new(Endpoint::Lists, at(0));
        bucket.limits = RateLimits { burst, steady };
        let granted = requests(&mut bucket, count, at(0));

        let mut klaviyo = Klaviyo::new(bucket.limits);
        prop_assert!(granted.iter().all(|at| klaviyo.takes(*at)));
        // Between two windows a tenth of a second is left out.
        let last = granted.last().unwrap().since(at(0));
        let windows = |count: u64, most: u32| u32::try_from((count - 1) / u64::from(most)).unwrap();
        let (minutes, in_the_last) = (windows(count, steady), (count - 1) % u64::from(steady) + 1);
        let minute = Duration::from_millis(60_050);
        let second = Duration::from_millis(1_050);
        let most = minute * minutes + second * windows(in_the_last, burst);
        let is_slow = u64::from(steady) > 50 * u64::from(burst);
        prop_assert!(is_slow || last <= most, "{last:?} of {most:?}");
    }

    #[test]
    fn an_estimate_is_the_time_that_the_quota_alone_takes(
        before in 0_u64..900,
        pause_ms in 0_i64..70_000,
        count in 1_u64..3_000,
        is_small: bool,
    ) {
        let endpoint = if is_small { Endpoint::ListCount } else { Endpoint::ListProfiles };
        let (before, count) = if is_small { (before / 60, count / 60 + 1) } else { (before, count) };
        let mut bucket = Bucket::new(endpoint, at(0));
        let made = requests(&mut bucket, before, at(0));
        let now = made.last().copied().unwrap_or(at(0)).plus(Duration::from_millis(pause_ms.unsigned_abs()));

        // A burst that just fits into a minute, or just does not, makes a minute's difference.
        let burst = 2 * u64::from(bucket.limits.burst);
        let least = bucket.estimate(count.saturating_sub(burst).max(1), now);
        let most = bucket.estimate(count + burst, now);
        let taken = requests(&mut bucket, count, now).last().unwrap().since(now);

        let tolerance = Duration::from_secs(2);
        let fits = least <= taken + tolerance && taken <= most + tolerance;
        prop_assert!(fits, "{least:?} to {most:?} for {taken:?}");
    }

    #[test]
    fn a_rate_limit_block_is_kept_whatever_the_windows_allow(wait in 1_i64..1_000, asked in 0_i64..2_000) {
        let mut bucket = Bucket::new(Endpoint::Lists, at(0));
        bucket.block(at(wait), at(0));
        match bucket.reserve(&Demand::ONE, at(asked)) {
            Reservation::Granted(_) => prop_assert!(asked >= wait),
            Reservation::Blocked(until) => {
                prop_assert!(asked < wait);
                prop_assert_eq!(until, at(wait));
            }
            Reservation::NotBefore(_) => prop_assert!(false, "the windows are unused"),
        }
    }

    #[test]
    fn a_block_lasts_its_length_after_the_clock_was_set_back_and_not_for_as_long_as_it_went_back(
        length in 1_i64..1_000,
        passed in 0_i64..1_000,
        back in 1_i64..100_000,
    ) {
        let passed = passed % length;
        let begun = 200_000;
        let mut bucket = Bucket::new(Endpoint::Lists, at(begun));
        bucket.block(at(begun + length), at(begun));
        let now = begun + passed - back;

        let left = match bucket.reserve(&Demand::ONE, at(now)) {
            Reservation::Blocked(until) => until.since(at(now)).as_secs(),
            other => return Err(TestCaseError::fail(format!("{other:?}"))),
        };

        let (left, really_left) = (i64::try_from(left).unwrap(), length - passed);
        prop_assert!(left >= really_left, "a request inside the block");
        prop_assert!(left <= length, "a wait for as long as the clock went back");
        prop_assert!(matches!(bucket.reserve(&Demand::ONE, at(now + left)), Reservation::Granted(_)));
    }

    #[test]
    fn a_block_that_was_ended_binds_no_request_and_a_new_one_does(wait in 1_i64..100_000_000) {
        let mut bucket = Bucket::new(Endpoint::Lists, at(0));
        bucket.block(at(wait), at(0));
        bucket.unblock();
        prop_assert!(matches!(bucket.reserve(&Demand::ONE, at(0)), Reservation::Granted(_)));
        bucket.block(at(1), at(0));
        prop_assert_eq!(bucket.reserve(&Demand::ONE, at(0)), Reservation::Blocked(at(1)));
    }
}

#[test]
fn an_estimate_late_in_a_minute_counts_only_what_the_minute_can_still_take() {
    let mut bucket = Bucket::new(Endpoint::ListProfiles, at(0));
    bucket.reserve(&Demand::ONE, at(0));

    let estimate = bucket.estimate(1_600, ms(59_500));

    assert_eq!(estimate, Duration::from_millis(120_500));
}

#[test]
fn a_clock_that_is_set_back_begins_new_windows() {
    let mut bucket = Bucket::new(Endpoint::Accounts, at(1_000));
    assert!(matches!(
        bucket.reserve(&Demand::ONE, at(1_000)),
        Reservation::Granted(_)
    ));
    assert!(matches!(
        bucket.reserve(&Demand::ONE, at(1_000)),
        Reservation::NotBefore(_)
    ));
    assert!(matches!(
        bucket.reserve(&Demand::ONE, at(10)),
        Reservation::Granted(_)
    ));
}

/// The same happens if one process reads its clock before another, and the ledger serves it later.
#[test]
fn a_clock_that_is_a_little_behind_anothers_begins_no_window() {
    let mut bucket = Bucket::new(Endpoint::Accounts, at(1_000));
    assert!(matches!(
        bucket.reserve(&Demand::ONE, at(1_000)),
        Reservation::Granted(_)
    ));
    assert!(matches!(
        bucket.reserve(&Demand::ONE, ms(999_100)),
        Reservation::NotBefore(_)
    ));
}

#[test]
fn a_costly_parameter_draws_on_its_endpoints_bucket_too() {
    let drawn: Vec<_> = Endpoint::ALL
        .iter()
        .filter_map(|endpoint| Some((*endpoint, endpoint.base()?)))
        .collect();
    assert_eq!(
        drawn,
        [
            (Endpoint::ListCount, Endpoint::List),
            (Endpoint::SegmentCount, Endpoint::Segment)
        ]
    );
}
