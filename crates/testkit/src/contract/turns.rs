//! Which work is next after any changes, compared with the rule carried out on all rows.

use std::time::Duration;

use fanfare_domain::lease::FencingToken;
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;

use super::harness::StoreHarness;
use super::scheduling::{next, work};
use super::test_organization::{LEASE, SeededNumbers, TestOrganization};

/// A row of the queue, as the rule sees it.
struct Row {
    organization: usize,
    run: SyncRun,
    due: Timestamp,
    lease_until: Option<Timestamp>,
    token: u64,
}

impl Row {
    fn is_leased(&self, now: Timestamp) -> bool {
        self.lease_until.is_some_and(|until| until > now)
    }
}

/// The queue with the last claim of each organization.
#[derive(Default)]
struct Model {
    rows: Vec<Row>,
    claimed_at: [Option<Timestamp>; 3],
    lists: usize,
}

impl Model {
    /// The next work by the rule, and the leases of its organization.
    fn next(&self, now: Timestamp) -> Option<(WorkItem, u64)> {
        let count = |of: usize| {
            let rows = self.rows.iter();
            rows.filter(|row| row.organization == of && row.is_leased(now))
                .count() as u64
        };
        let waiting = self
            .rows
            .iter()
            .filter(|row| row.due <= now && !row.is_leased(now));
        let next = waiting.min_by_key(|row| {
            let claimed_at = self.claimed_at[row.organization];
            let leased = count(row.organization);
            (leased, claimed_at, row.due, row.token, row.run.id.clone())
        })?;
        Some((work(&next.run), count(next.organization)))
    }

    /// Changes the queue once, as chance has it.
    async fn change(&mut self, orgs: &[TestOrganization<'_>; 3], numbers: &mut SeededNumbers) {
        let now = orgs[0].harness.now().await;
        let index = numbers.below(self.rows.len().max(1));
        let kind = numbers.below(10);
        let Some(row) = self.rows.get_mut(index).filter(|_| kind > 2) else {
            let organization = numbers.below(3);
            self.lists += 1;
            let run = orgs[organization].queue(&format!("l{}", self.lists)).await;
            self.rows.push(Row {
                organization,
                run,
                due: now,
                lease_until: None,
                token: 0,
            });
            return;
        };
        let org = &orgs[row.organization];
        let key = work(&row.run).key;
        if kind == 3 {
            org.finish(&row.run).await;
            self.rows.remove(index);
        } else if row.due <= now && !row.is_leased(now) {
            let token = org.claim(&key).await.expect("a lease");
            row.token = token.0;
            row.lease_until = Some(now.plus(LEASE));
            self.claimed_at[row.organization] = Some(now);
        } else if row.lease_until.is_some() && kind > 7 {
            assert!(org.renew(&key, FencingToken(row.token)).await);
            row.lease_until = Some(now.plus(LEASE));
        } else if row.lease_until.is_some() {
            let due = (kind > 5).then(|| now.plus(LEASE * 2));
            assert!(org.release(&key, FencingToken(row.token), due).await);
            row.lease_until = None;
            row.due = due.unwrap_or(now);
        }
    }
}

/// After each of many changes (work that is queued, claimed, released for now or later, finished, and that of workers
/// who died) the next work is what the rule says of all rows together.
pub async fn the_next_work_is_what_the_rule_says_of_all_rows(harness: &dyn StoreHarness) {
    let orgs = ["org_a", "org_b", "org_c"].map(|id| TestOrganization::of(harness, id));
    let mut numbers = SeededNumbers::new(7);
    let mut model = Model::default();
    for step in 0..150 {
        model.change(&orgs, &mut numbers).await;
        let pause = [1, 1, 1, 30, 240][numbers.below(5)];
        orgs[0].advance(Duration::from_secs(pause)).await;

        let now = harness.now().await;
        assert_eq!(next(&orgs[0]).await, model.next(now), "after change {step}");
    }
}
