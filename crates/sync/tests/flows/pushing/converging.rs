//! Contacts that both sides write, while workers are killed between any two calls, the store loses commits, Klaviyo loses answers
//! and passes read late: both sides come to rest equal, by few writes. `FANFARE_CONVERGENCE_SEEDS=n` runs as many seeds.

use std::time::Duration;

use fanfare_domain::contact::Winner;
use fanfare_domain::delivery::{Delivery, DeliveryCode, DeliveryStatus};
use fanfare_domain::profile::Attribute;
use fanfare_testkit::fake_writes::WriteFault;
use fanfare_testkit::memory::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use super::contacts::Firm;
use crate::test_organization::{LEASE, Worker, poll};

const SEEDS: u64 = 40;
const PEOPLE: usize = 4;

/// What of the store fails while a worker is at it.
const OPERATIONS: [Operation; 3] = [Operation::Begin, Operation::Commit, Operation::CommitAnswer];

/// Names that only people here give, and names that only people in Klaviyo give.
const OURS: [&str; 3] = ["Ada Ours", "Bo Ours", "Cy Ours"];
const THEIRS: [&str; 3] = ["Dee", "Eve", "Flo"];

#[tokio::test(start_paused = true)]
async fn whatever_happens_both_sides_come_to_rest_equal_by_few_writes() {
    let chosen = std::env::var_os("FANFARE_CONVERGENCE_SEEDS");
    let seeds = chosen.map_or(SEEDS, |seeds| seeds.to_str().unwrap().parse().unwrap());
    let (mut kills, mut faults) = (0, 0);
    for seed in 0..seeds {
        let (killed, failed) = run(seed).await;
        kills += killed;
        faults += failed;
    }
    assert!(
        kills > seeds / 2 && faults > seeds / 2,
        "{kills} kills and {faults} faults"
    );
}

async fn run(seed: u64) -> (u64, u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let firm = Firm::new(i64::try_from(PEOPLE).unwrap()).await;
    let winner = Winner::ALL[random.random_range(0..Winner::ALL.len())];
    firm.choose(|on| on.winner = Some(winner)).await;
    let (mut kills, mut faults, mut changes) = (0, 0, 0_usize);
    for _ in 0..random.random_range(3..12) {
        let person = random.random_range(0..PEOPLE);
        match random.random_range(0..6) {
            0 | 1 => {
                firm.rename(person, OURS[random.random_range(0..OURS.len())])
                    .await;
                changes += 1;
            }
            2 => {
                let number = format!("+1202555{:04}", 1_000 + random.random_range(0..9_000));
                firm.call(person, random.random_ratio(3, 4).then_some(number.as_str()))
                    .await;
                changes += 1;
            }
            3 => {
                let first = THEIRS[random.random_range(0..THEIRS.len())];
                firm.change(person, |one| one.first_name = Attribute::text(first));
                changes += 1;
            }
            // Something else of the profile changes.
            4 => firm.change(person, |_| {}),
            _ => {
                let run = firm.shop.org.queued_again(&firm.latest().await).await;
                firm.shop.org.work_to_end(&run).await;
            }
        }
        if random.random_ratio(1, 3) {
            faults += 1;
            firm.shop.writes.fail_next([if random.random() {
                WriteFault::AnswerLost
            } else {
                WriteFault::RequestLost
            }]);
        }
        if random.random_ratio(1, 4) {
            let operation = OPERATIONS[random.random_range(0..OPERATIONS.len())];
            firm.shop.org.store.fail_next(operation, 1);
        }
        let (engine, work) = (firm.shop.org.engine(), firm.shop.work_item());
        let mut worker: Worker =
            Box::pin(async move { engine.work(&work, &CancellationToken::new()).await });
        // It is killed after some steps, unless it has ended by then.
        if poll(&mut worker, random.random_range(1..60)).is_none() {
            kills += 1;
            drop(worker);
            firm.shop.wait(LEASE + Duration::from_secs(1)).await;
        }
        for operation in OPERATIONS {
            firm.shop.org.store.fail_next(operation, 0);
        }
        firm.wait(random.random_range(0..90)).await;
    }
    firm.shop.writes.forget_faults();
    firm.shop.wait(LEASE + Duration::from_secs(1)).await;
    firm.rest(seed).await;
    for person in 0..PEOPLE {
        let [ours, theirs] = firm.values(person).await;
        assert_eq!(ours, theirs, "seed {seed}, person {person}");
    }
    // Each person may have to be made equal once; an answer that was lost costs no write that does anything.
    let writes = firm.shop.writes.profile_calls().len();
    let lost = usize::try_from(faults).unwrap();
    assert!(
        writes <= 2 * (changes + PEOPLE) + lost,
        "seed {seed}: {writes} writes for {changes} changes"
    );
    let all = firm.shop.deliveries().await;
    let is_told = |one: &Delivery| {
        // A field that both sides keep writing is left alone for an hour, and told of then.
        let is_held = one.code == Some(DeliveryCode::WrittenByBoth);
        is_held || matches!(one.status, DeliveryStatus::Sent | DeliveryStatus::Dropped)
    };
    assert!(all.iter().all(is_told), "seed {seed}: {all:?}");
    (kills, faults)
}

impl Firm {
    async fn latest(&self) -> fanfare_domain::run::SyncRun {
        self.shop
            .org
            .queued_first(&fanfare_testkit::build::list("L1"))
            .await
    }

    /// Lets nobody change anything until a pass and its deliveries write nothing any more.
    async fn rest(&self, seed: u64) {
        for _ in 0..6 {
            self.wait(2 * 3_600).await;
            self.shop.work_to_end().await;
            let before = self.shop.writes.profile_calls().len();
            self.wait(60).await;
            let run = self.shop.org.resynced(&self.latest().await, false).await;
            self.wait(60).await;
            self.shop.work_to_end().await;
            let after = self.shop.writes.profile_calls().len();
            if run.progress.tally.updated == 0 && after == before {
                return;
            }
        }
        panic!("seed {seed} does not come to rest");
    }
}
