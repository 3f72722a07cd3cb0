//! The rate limit of organizations.

use fanfare_domain::rate_limit::Counted::{Checks, Requests};
use fanfare_domain::rate_limit::{Minute, RequestCount, next_batch};
use proptest::prelude::*;

/// Requests that an organization may make in a minute.
const LIMIT: u32 = Requests.per_minute();

proptest! {
    /// Whatever is wanted, in whatever order minutes are told by clocks that are a minute apart at most, never more
    /// than the limit is granted of one minute.
    #[test]
    fn no_minute_grants_more_than_its_limit(
        takings in prop::collection::vec((0..3_i64, 0..2_i64, 0..700_u32), 1..60),
    ) {
        let (mut now, mut count) = (0, None);
        let mut granted = std::collections::BTreeMap::<i64, u32>::new();
        for (passed, behind, wanted) in takings {
            now += passed / 2;
            let (after, got) = RequestCount::take(Requests, count, Minute(now - behind), wanted);
            prop_assert!(got <= wanted && after.taken <= LIMIT);
            *granted.entry(after.minute.0).or_default() += got;
            count = Some(after);
        }
        prop_assert!(granted.values().all(|granted| *granted <= LIMIT), "{granted:?}");
    }

    /// Processes that take in batches, in any order, admit all of the limit but what each one has left.
    #[test]
    fn processes_that_take_in_batches_admit_the_limit_and_no_more(turns in prop::collection::vec(0..4_usize, 4_000)) {
        let (mut count, mut shares, mut admitted) = (None, [(0, 0, LIMIT); 4], 0);
        for turn in turns {
            let (own, batch, left) = &mut shares[turn];
            if *own == 0 && *left > 0 {
                *batch = next_batch(Requests, *batch, *left);
                let (after, granted) = RequestCount::take(Requests, count, Minute(7), *batch);
                (count, *own, *left) = (Some(after), granted, LIMIT - after.taken);
            }
            if *own > 0 {
                *own -= 1;
                admitted += 1;
            }
        }
        let kept: u32 = shares.iter().map(|(own, ..)| own).sum();
        prop_assert_eq!(admitted + kept, LIMIT);
    }
}

#[test]
fn a_count_of_a_clock_that_was_set_back_is_begun_anew() {
    let count = |minute| {
        Some(RequestCount {
            minute: Minute(minute),
            taken: LIMIT,
        })
    };
    for (before, granted) in [(100, 0), (101, 0), (99, 5), (102, 5), (160, 5)] {
        let (_, got) = RequestCount::take(Requests, count(before), Minute(100), 5);
        assert_eq!(got, granted, "{before}");
    }
}

#[test]
fn batches_double_and_shrink_where_little_is_left() {
    let batches = [
        (0, 1_000),
        (1, 999),
        (2, 997),
        (16, 900),
        (32, 800),
        (32, 100),
        (32, 7),
        (32, 1),
    ];
    let want = [1, 2, 4, 32, 32, 25, 1, 1];
    assert_eq!(
        batches.map(|(last, left)| next_batch(Requests, last, left)),
        want
    );
}

#[test]
fn checks_are_taken_by_the_thousand() {
    let batches = [(0, 100_000), (64, 99_000), (2_000, 90_000), (2_000, 400)];
    let want = [1, 128, 2_000, 100];
    assert_eq!(
        batches.map(|(last, left)| next_batch(Checks, last, left)),
        want
    );
}
