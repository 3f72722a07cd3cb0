//! Workers that are killed between any two calls, and an API that dies before or after a commit, while the store loses commits and
//! Klaviyo loses answers: each event is in Klaviyo once, and those of one person in their order.
//!
//! `FANFARE_KILL_SEEDS=n` runs as many seeds, `cargo xtask faults --full` as many as there must be for a thousand kills in twenty
//! thousand events. A failure names its seed.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::delivery::DeliveryStatus;
use fanfare_testkit::fake_writes::WriteFault;
use fanfare_testkit::memory::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Shop;
use crate::test_organization::{LEASE, Worker, poll};

/// Seeds in one run of the test, unless the environment says otherwise.
const SEEDS: u64 = 60;

/// So many seeds are a thousand kills in twenty thousand events.
const FULL: u64 = 200;

/// How many people the shop has: few, so that they have several events each.
const PEOPLE: usize = 70;

/// What of the store fails.
const OPERATIONS: [Operation; 3] = [Operation::Begin, Operation::Commit, Operation::CommitAnswer];

impl Shop {
    /// Fanfare sends again until it gets an answer. Returns how often it got none.
    async fn win_at_last(&self, id: &str, person: usize) -> u64 {
        let data = json!({"consumerId": self.people[person].as_str(), "drawId": id});
        let mut unanswered = 0;
        loop {
            match self.send(id, "draw.consumer.won", data.clone()).await {
                Ok(received) => {
                    assert!(received.accepted);
                    return unanswered;
                }
                Err(error) => assert!(error.is_transient(), "{error:?}"),
            }
            unanswered += 1;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_to_the_workers_each_event_is_in_klaviyo_once() {
    let chosen = std::env::var_os("FANFARE_KILL_SEEDS");
    let chosen = chosen.map(|seeds| seeds.to_str().unwrap().parse().unwrap());
    let seeds = chosen.unwrap_or(SEEDS);
    let mut all = Tally::default();
    for seed in 0..seeds {
        let one = run(seed).await;
        all.events += one.events;
        all.workers_killed += one.workers_killed;
        all.unanswered += one.unanswered;
        all.faults += one.faults;
    }
    println!("{seeds} seeds: {all:?}");
    // What did not happen was not tested.
    assert!(all.workers_killed > 3 * seeds, "{all:?}");
    assert!(all.unanswered > seeds && all.faults > seeds, "{all:?}");
    if seeds >= FULL {
        assert!(
            all.workers_killed >= 1_000 && all.events >= 20_000,
            "{all:?}"
        );
    }
}

/// What has happened.
#[derive(Debug, Default)]
struct Tally {
    events: usize,
    workers_killed: u64,
    /// Webhooks whose answer never came: the API died before the commit, or after it.
    unanswered: u64,
    /// Answers of Klaviyo's that were lost.
    faults: u64,
}

async fn run(seed: u64) -> Tally {
    let mut random = StdRng::seed_from_u64(seed);
    let shop = Shop::new(i64::try_from(PEOPLE).unwrap()).await;
    let mut tally = Tally::default();
    let mut events = Vec::new();
    for round in 0..random.random_range(2..5) {
        for n in 0..random.random_range(1..90) {
            let id = format!("whk_{round}_{n}");
            let person = random.random_range(0..PEOPLE);
            if random.random_ratio(1, 20) {
                let operation = OPERATIONS[random.random_range(0..OPERATIONS.len())];
                shop.org.store.fail_next(operation, 1);
            }
            tally.unanswered += shop.win_at_last(&id, person).await;
            events.push((id, person));
        }
        for _ in 0..random.random_range(1..6) {
            for _ in 0..random.random_range(0..3) {
                tally.faults += 1;
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
            let (engine, work) = (shop.org.engine(), shop.work_item());
            let mut worker: Worker =
                Box::pin(async move { engine.work(&work, &CancellationToken::new()).await });
            // It is killed after some steps, unless it has ended by then.
            if poll(&mut worker, random.random_range(1..60)).is_none() {
                tally.workers_killed += 1;
                drop(worker);
                shop.wait(LEASE + Duration::from_secs(1)).await;
            }
            shop.wait(Duration::from_secs(random.random_range(0..5)))
                .await;
        }
    }
    for operation in OPERATIONS {
        shop.org.store.fail_next(operation, 0);
    }
    shop.writes.forget_faults();
    shop.wait(LEASE + Duration::from_secs(1)).await;
    shop.work_to_end().await;

    let recorded = shop.writes.unique_ids();
    let mut want: Vec<&String> = events.iter().map(|(id, _)| id).collect();
    let mut got: Vec<&String> = recorded.iter().collect();
    want.sort();
    got.sort();
    assert_eq!(got, want, "seed {seed}");
    let mut of_people: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
    for (id, person) in &events {
        of_people.entry(*person).or_default().push(id);
    }
    for ids in of_people.values() {
        let in_klaviyo: Vec<&String> = recorded.iter().filter(|id| ids.contains(id)).collect();
        assert_eq!(&in_klaviyo, ids, "seed {seed}");
    }
    let all = shop.deliveries().await;
    assert!(
        all.iter().all(|one| one.status == DeliveryStatus::Sent),
        "seed {seed}"
    );
    tally.events = events.len();
    tally
}
