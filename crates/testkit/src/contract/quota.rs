//! The quota ledger, which limits the requests of all processes together.

use std::time::Duration;

use fanfare_domain::quota::{
    Bucket, Demand, Endpoint, Kept, Lease, Priority, RateLimits, Reservation, Share,
};
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
        let (mut now, mut lease) = (at(0), None);
        for step in 0..120 {
            let quota = &harness.handles()[numbers.below(2)].quota;
            let fresh = Bucket::new(endpoint, now);
            match numbers.below(10) {
                0..=5 => {
                    let demand = any_demand(&mut numbers, lease.take());
                    let got = quota
                        .reserve(&account, endpoint, &demand, now)
                        .await
                        .expect("an answer");
                    let want = bucket.get_or_insert(fresh).reserve(&demand, now);
                    assert_eq!(got, want, "seed {seed}, step {step}");
                    if let Reservation::Granted(granted) = got {
                        lease = Some(granted);
                    }
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

/// A demand of a user's or of a sync's, which gives back what was not used of a lease.
fn any_demand(numbers: &mut SeededNumbers, lease: Option<Lease>) -> Demand {
    let mut below = |most| u32::try_from(numbers.below(most)).expect("a small number");
    let kept = Kept::for_readers(below(3), u64::from(below(40)));
    let priority = match below(4) {
        0 => Priority::User,
        1 => Priority::Serial(kept),
        2 => Priority::Unshared,
        _ => Priority::Sync(kept),
    };
    Demand {
        wanted: 1 + below(20),
        priority,
        share: Share::of_percent(1 + below(100)).expect("a share"),
        unused: lease.map(|lease| Lease {
            requests: below(lease.requests as usize),
            ..lease
        }),
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
            let answer = quota.reserve("acct", endpoint, &Demand::ONE, at(0)).await;
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

    for (now, is_blocked) in [(0, true), (29, true), (30, false)] {
        let got = there
            .reserve("acct", endpoint, &Demand::ONE, at(now))
            .await
            .expect("an answer");
        let blocked = got == Reservation::Blocked(at(30));
        let granted = matches!(got, Reservation::Granted(_));
        assert_eq!((blocked, granted), (is_blocked, !is_blocked), "at {now} s");
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
    let reserved = here.reserve("acct", endpoint, &Demand::ONE, at(1)).await;
    let reserved = reserved.expect("an answer");
    assert!(matches!(reserved, Reservation::Granted(_)), "{reserved:?}");
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
            .reserve(account, endpoint, &Demand::ONE, at(1))
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
