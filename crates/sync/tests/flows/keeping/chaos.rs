//! Workers that are killed between any two calls, while the store loses commits, Klaviyo loses answers, and people change the list
//! by hand: nobody is removed whom we had not added, and at rest the list is what the audience is.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::ids::ConsumerId;
use fanfare_domain::push::RowStanding;
use fanfare_testkit::fake_writes::{Direction, WriteFault};
use fanfare_testkit::memory::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use super::{Shop, list_id};
use crate::test_organization::{LEASE, Worker, poll};

const SEEDS: u64 = 40;

const PEOPLE: usize = 30;

/// What of the store fails.
const OPERATIONS: [Operation; 3] = [Operation::Begin, Operation::Commit, Operation::CommitAnswer];

#[tokio::test(start_paused = true)]
async fn whatever_happens_the_list_becomes_what_the_audience_is() {
    let (mut killed, mut lost) = (0, 0);
    for seed in 0..SEEDS {
        let (kills, faults) = run(seed).await;
        killed += kills;
        lost += faults;
    }
    assert!(
        killed > SEEDS && lost > SEEDS,
        "{killed} kills and {lost} faults"
    );
}

async fn run(seed: u64) -> (u64, u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let shop = Shop::keeping(i64::try_from(PEOPLE).unwrap(), 5).await;
    // People whom Klaviyo does not know are in the audience too: some, or so many that an import job makes their profiles.
    shop.contacts(false, true).await;
    let crowd = if seed.is_multiple_of(16) { 60 } else { 0 };
    let mut strangers: Vec<(ConsumerId, bool)> = Vec::new();
    for consumer in shop.people_from(0, crowd).await {
        strangers.push((consumer, true));
    }
    let (mut kills, mut faults) = (0, 0);
    let mut wanted: BTreeSet<usize> = (0..5).collect();
    // Whom somebody has taken off the list by hand, or put into it.
    let mut taken_off = BTreeSet::new();
    let mut theirs = BTreeSet::new();
    for _ in 0..random.random_range(3..8) {
        for _ in 0..random.random_range(1..6) {
            let place = random.random_range(0..PEOPLE);
            match random.random_range(0..7) {
                5 => {
                    let next = strangers.len();
                    let made = shop.people_from(next, next + 1).await;
                    strangers.extend(made.into_iter().map(|consumer| (consumer, true)));
                }
                6 => {
                    let one = random.random_range(0..strangers.len().max(1));
                    if let Some((consumer, is_member)) = strangers.get_mut(one) {
                        *is_member = !*is_member;
                        shop.set_member(consumer, *is_member).await;
                    }
                }
                0 | 1 => {
                    shop.add([place]).await;
                    wanted.insert(place);
                }
                2 | 3 => {
                    shop.remove([place]).await;
                    wanted.remove(&place);
                }
                _ => {
                    let profile = &shop.people[place].1;
                    let in_ledger = shop
                        .ledger()
                        .await
                        .into_iter()
                        .find(|row| row.profile == *profile);
                    let is_there = shop.in_list("L2").contains(&place);
                    match in_ledger {
                        // A form adds somebody whom we are not adding.
                        None if !is_there && !wanted.contains(&place) => {
                            shop.writes.by_hand(Direction::Add, &list_id("L2"), profile);
                            theirs.insert(place);
                        }
                        // The merchant takes somebody off whom we had added for good.
                        Some(row) if row.standing == RowStanding::Added && is_there => {
                            shop.writes
                                .by_hand(Direction::Remove, &list_id("L2"), profile);
                            taken_off.insert(place);
                        }
                        _ => {}
                    }
                }
            }
        }
        for _ in 0..random.random_range(1..5) {
            faults += order_faults(&shop, &mut random);
            let (engine, work) = (shop.org.engine(), shop.work_item());
            let mut worker: Worker =
                Box::pin(async move { engine.work(&work, &CancellationToken::new()).await });
            // It is killed after some steps, unless it has ended by then.
            if poll(&mut worker, random.random_range(1..120)).is_none() {
                kills += 1;
                drop(worker);
                shop.wait(LEASE + Duration::from_secs(1)).await;
            }
            shop.wait(Duration::from_secs(random.random_range(0..20)))
                .await;
        }
        for operation in OPERATIONS {
            shop.org.store.fail_next(operation, 0);
        }
    }
    shop.writes.forget_faults();
    // An outage is over after a quarter of an hour, and a day brings a reading of everything.
    for wait in [
        Duration::from_mins(20),
        Duration::from_hours(25),
        Duration::from_hours(25),
    ] {
        shop.wait(wait).await;
        shop.work_to_rest().await;
    }

    assert_at_rest(&shop, seed, &wanted, (&taken_off, &theirs)).await;
    assert_strangers(&shop, seed, &strangers);
    (kills, faults)
}

/// Lets some of the next calls and operations go wrong. Returns how many calls.
fn order_faults(shop: &Shop, random: &mut StdRng) -> u64 {
    let faults = random.random_range(0..3);
    for _ in 0..faults {
        shop.writes.fail_next([if random.random() {
            WriteFault::AnswerLost
        } else {
            WriteFault::RequestLost
        }]);
    }
    if random.random_ratio(1, 3) {
        let operation = OPERATIONS[random.random_range(0..OPERATIONS.len())];
        shop.org.store.fail_next(operation, 1);
    }
    faults
}

/// Of each of those who were unknown there is one profile at most, and whoever is a member is in the list.
fn assert_strangers(shop: &Shop, seed: u64, strangers: &[(ConsumerId, bool)]) {
    let listed = shop.emails_in_list();
    let mut known = Vec::new();
    shop.klaviyo.change(|contents| {
        let profiles = contents.profiles().into_iter();
        known.extend(profiles.filter_map(|one| one.email.as_text().map(str::to_owned)));
    });
    for (n, (_, is_member)) in strangers.iter().enumerate() {
        let email = format!("new{n}@example.com");
        let times = |of: &[String]| of.iter().filter(|one| **one == email).count();
        assert_eq!(
            times(&listed),
            usize::from(*is_member),
            "seed {seed}: {email}"
        );
        assert!(times(&known) <= 1, "seed {seed}: {email} has two profiles");
    }
}

/// The list is what the audience is, but for whom people have put there or taken off by hand.
async fn assert_at_rest(
    shop: &Shop,
    seed: u64,
    wanted: &BTreeSet<usize>,
    (taken_off, theirs): (&BTreeSet<usize>, &BTreeSet<usize>),
) {
    let listed = shop.in_list("L2");
    for place in wanted {
        let is_off = taken_off.contains(place);
        assert!(
            listed.contains(place) || is_off,
            "seed {seed}: {place} should be there"
        );
    }
    for place in listed.difference(wanted) {
        assert!(
            theirs.contains(place),
            "seed {seed}: {place} should be gone"
        );
    }
    assert_eq!(shop.writes.breaches(), Vec::<String>::new(), "seed {seed}");
    let open = shop
        .ledger()
        .await
        .into_iter()
        .filter(|row| row.standing.is_open());
    assert_eq!(open.count(), 0, "seed {seed}");
}
