//! The quota ledger, which limits the requests of all processes together.

use std::time::Duration;

use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;
use tokio::task::JoinSet;

use super::harness::StoreHarness;
use super::test_organization::SeededNumbers;
use crate::build::at;

/// Any calls in any order, through either process and at any times, have the answers and leave the state of a
/// [`Bucket`] in memory.
pub async fn a_ledger_does_what_a_bucket_does(harness: &dyn StoreHarness) {
    for seed in 0..8 {
        let (account, endpoint) = (format!("acct_{seed}"), Endpoint::ALL[seed % 10]);
        let (mut numbers, mut bucket) = (SeededNumbers::new(seed as u64), None::<Bucket>);
        let mut now = at(0);
        for step in 0..120 {
            let quota = &harness.handles()[numbers.below(2)].quota;
            let fresh = Bucket::new(endpoint, now);
            match numbers.below(10) {
                0..=5 => {
                    let got = quota
                        .reserve(&account, endpoint, now)
                        .await
                        .expect("an answer");
                    let want = bucket.get_or_insert(fresh).reserve(now);
                    assert_eq!(got, want, "seed {seed}, step {step}");
                }
                6 => {
                    let limits = RateLimits {
                        burst: 1 + u32::try_from(numbers.below(5)).expect("a small number"),
                        steady: 1 + u32::try_from(numbers.below(40)).expect("a small number"),
                    };
                    let learnt = quota.learn(&account, endpoint, limits, now).await;
                    learnt.expect("an answer");
                    bucket.get_or_insert(fresh).limits = limits;
                }
                7 => {
                    let until = now.plus(Duration::from_millis(numbers.below(90_000) as u64));
                    let blocked = quota.block(&account, endpoint, until, now).await;
                    blocked.expect("an answer");
                    bucket.get_or_insert(fresh).block(until, now);
                }
                8 if numbers.below(3) == 0 => {
                    let unblocked = quota.unblock(&account, endpoint, now).await;
                    unblocked.expect("an answer");
                    bucket.get_or_insert(fresh).unblock();
                }
                8 => now = move_time(now, &mut numbers, 70_000),
                _ => now = move_time(now, &mut numbers, 700),
            }
            let stored = quota
                .bucket(&account, endpoint, now)
                .await
                .expect("a bucket");
            let want = bucket.unwrap_or_else(|| Bucket::new(endpoint, now));
            assert_eq!(stored, want, "seed {seed}, step {step}");
        }
    }
}

/// Moves the time mostly forwards and at times back, since the clocks of two processes differ.
fn move_time(now: Timestamp, numbers: &mut SeededNumbers, most_ms: usize) -> Timestamp {
    let by = i64::try_from(numbers.below(most_ms)).expect("a small number") * 1_000;
    let sign = if numbers.below(8) == 0 { -1 } else { 1 };
    Timestamp::from_micros(now.as_micros() + sign * by).expect("a time")
}

/// Of fifty reservations at once, in two processes, as many are granted as the burst limit allows.
pub async fn a_quota_is_used_up_by_all_processes_together(harness: &dyn StoreHarness) {
    let endpoint = Endpoint::Lists;
    let limits = RateLimits {
        burst: 7,
        steady: 100,
    };
    let quota = &harness.handles()[0].quota;
    quota
        .learn("acct", endpoint, limits, at(0))
        .await
        .expect("an answer");
    let mut asking = JoinSet::new();
    for n in 0..50 {
        let quota = harness.handles()[n % 2].quota.clone();
        asking.spawn(async move {
            let answer = quota.reserve("acct", endpoint, at(0)).await;
            u32::from(matches!(
                answer.expect("an answer"),
                Reservation::Granted(_)
            ))
        });
    }
    assert_eq!(asking.join_all().await.into_iter().sum::<u32>(), 7);
}

/// Every process keeps a rate-limit block, and a shorter block does not end it sooner.
pub async fn a_rate_limit_block_binds_every_process_and_is_never_shortened(
    harness: &dyn StoreHarness,
) {
    let [here, there] = harness.handles().each_ref().map(|handle| &handle.quota);
    let endpoint = Endpoint::ListProfiles;
    for until in [30, 5] {
        here.block("acct", endpoint, at(until), at(0))
            .await
            .expect("an answer");
    }

    for (now, want) in [
        (0, Reservation::Blocked(at(30))),
        (29, Reservation::Blocked(at(30))),
        (30, Reservation::Granted(endpoint.documented_limits())),
    ] {
        let got = there
            .reserve("acct", endpoint, at(now))
            .await
            .expect("an answer");
        assert_eq!(got, want, "at {now} s");
    }
}

/// A block that one process ends binds no other any longer.
pub async fn a_rate_limit_block_that_was_ended_binds_no_process(harness: &dyn StoreHarness) {
    let [here, there] = harness.handles().each_ref().map(|handle| &handle.quota);
    let endpoint = Endpoint::ListProfiles;
    let blocked = here.block("acct", endpoint, at(99_999_999), at(0)).await;
    blocked.expect("an answer");

    let unblocked = there.unblock("acct", endpoint, at(1)).await;

    unblocked.expect("an answer");
    let reserved = here.reserve("acct", endpoint, at(1)).await;
    let granted = Reservation::Granted(endpoint.documented_limits());
    assert_eq!(reserved.expect("an answer"), granted);
}

/// A block of one account and endpoint does not concern another.
pub async fn each_account_and_endpoint_has_its_own_bucket(harness: &dyn StoreHarness) {
    let quota = &harness.handles()[0].quota;
    let endpoint = Endpoint::Accounts;
    quota
        .block("acct", endpoint, at(60), at(0))
        .await
        .expect("an answer");

    for (account, endpoint, is_free) in [
        ("acct", Endpoint::Accounts, false),
        ("acct", Endpoint::Lists, true),
        ("ACCT", Endpoint::Accounts, true),
        ("other", Endpoint::Accounts, true),
    ] {
        let got = quota
            .reserve(account, endpoint, at(1))
            .await
            .expect("an answer");
        assert_eq!(
            matches!(got, Reservation::Granted(_)),
            is_free,
            "{account}, {endpoint}"
        );
    }
    let unknown = quota
        .bucket("unknown", endpoint, at(9))
        .await
        .expect("a bucket");
    assert_eq!(unknown, Bucket::new(endpoint, at(9)));
}
