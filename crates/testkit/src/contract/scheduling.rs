//! Which work is next, and how much there is.

use std::time::Duration;

use fanfare_domain::run::SyncRun;
use fanfare_domain::work::WorkItem;

use super::harness::StoreHarness;
use super::test_organization::{LEASE, TestOrganization};
use crate::build::at;

/// By how much later one thing happens than another.
const A_WHILE: Duration = Duration::from_secs(5);

pub(super) fn work(run: &SyncRun) -> WorkItem {
    WorkItem::pull(&run.organization, &run.id)
}

/// The next work, and how many leases its organization has.
pub(super) async fn next(org: &TestOrganization<'_>) -> Option<(WorkItem, u64)> {
    let candidate = org.handle().queue.next().await.expect("an answer");
    candidate.map(|candidate| (candidate.work, candidate.leased))
}

async fn leased(org: &TestOrganization<'_>) -> u64 {
    let organization = &org.organization;
    let leased = org.handle().queue.leased(organization).await;
    leased.expect("a count")
}

/// Work can be next while it is due and leased to no worker.
pub async fn work_is_a_candidate_while_it_is_due_and_not_leased(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    assert_eq!(next(&org).await, None, "an empty queue");
    let run = org.queue("list1").await;
    let is_next = Some((work(&run), 0));
    assert_eq!((next(&org).await, leased(&org).await), (is_next.clone(), 0));

    let token = org.claim(&work(&run).key).await.expect("a lease");
    assert_eq!((next(&org).await, leased(&org).await), (None, 1), "leased");
    let later = harness.now().await.plus(LEASE);
    assert!(org.release(&work(&run).key, token, Some(later)).await);
    assert_eq!((next(&org).await, leased(&org).await), (None, 0), "paused");
    org.advance(LEASE + A_WHILE).await;
    assert_eq!(next(&org).await, is_next, "due again");

    org.claim(&work(&run).key).await.expect("a lease");
    org.advance(LEASE + A_WHILE).await;
    assert_eq!(
        (next(&org).await, leased(&org).await),
        (is_next, 0),
        "its worker died"
    );
}

/// Work of the organization with fewer leases is next, however long the others have been waiting.
pub async fn the_organization_with_the_fewest_leases_is_next(harness: &dyn StoreHarness) {
    let (many, single) = (
        TestOrganization::new(harness),
        TestOrganization::of(harness, "org_single"),
    );
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3", "l4"] {
        runs.push(many.queue(list).await);
        many.advance(A_WHILE).await;
    }
    let alone = single.queue("l1").await;
    assert_eq!(
        next(&many).await,
        Some((work(&runs[0]), 0)),
        "no organization has a lease"
    );

    many.claim(&work(&runs[0]).key).await.expect("a lease");
    assert_eq!(next(&many).await, Some((work(&alone), 0)));
    single.claim(&work(&alone).key).await.expect("a lease");
    assert_eq!(next(&many).await, Some((work(&runs[1]), 1)), "even again");
    many.claim(&work(&runs[1]).key).await.expect("a lease");
    let another = single.queue("l2").await;
    assert_eq!(next(&many).await, Some((work(&another), 1)));
    assert_eq!((leased(&many).await, leased(&single).await), (2, 1));
}

/// Among organizations without a lease, none has a second claim before the others have had one.
pub async fn the_organization_whose_last_claim_is_longest_ago_is_next(harness: &dyn StoreHarness) {
    let (many, single) = (
        TestOrganization::new(harness),
        TestOrganization::of(harness, "org_single"),
    );
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3"] {
        runs.push(many.queue(list).await);
    }
    many.advance(A_WHILE).await;
    let alone = single.queue("l1").await;

    let first = next(&many).await.expect("a candidate").0;
    assert_eq!(first.organization, many.organization, "due for longest");
    let index = runs.iter().position(|run| work(run) == first);
    let done = runs.remove(index.expect("one of them"));
    many.claim(&work(&done).key).await.expect("a lease");
    many.finish(&done).await;
    assert_eq!(next(&many).await, Some((work(&alone), 0)));

    many.advance(A_WHILE).await;
    let token = single.claim(&work(&alone).key).await.expect("a lease");
    assert!(single.release(&work(&alone).key, token, None).await);
    let next = next(&many).await.expect("a candidate").0;
    assert_eq!(next.organization, many.organization);
}

/// Of one organization's work that became due at once, what was claimed least often is next.
pub async fn work_that_was_claimed_least_often_is_next(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (first, second) = (org.queue("l1").await, org.queue("l2").await);
    let later = harness.now().await.plus(LEASE);
    for run in [&first, &first, &second] {
        let token = org.claim(&work(run).key).await.expect("a lease");
        let at = if run.id == first.id && token.0 == 1 {
            at(0)
        } else {
            later
        };
        assert!(org.release(&work(run).key, token, Some(at)).await);
    }
    assert_eq!(next(&org).await, None);
    org.advance(LEASE + A_WHILE).await;
    assert_eq!(next(&org).await, Some((work(&second), 0)));
}

/// The backlog is what is due and what is leased, not what is paused.
pub async fn the_backlog_is_what_is_due_or_leased(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let queue = &org.handle().queue;
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3"] {
        runs.push(org.queue(list).await);
    }
    assert_eq!(queue.backlog().await.expect("a backlog"), 3, "due");
    org.claim(&work(&runs[0]).key).await.expect("a lease");
    let token = org.claim(&work(&runs[1]).key).await.expect("a lease");
    assert_eq!(queue.backlog().await.expect("a backlog"), 3, "leased");
    let later = harness.now().await.plus(LEASE);
    assert!(org.release(&work(&runs[1]).key, token, Some(later)).await);
    assert_eq!(queue.backlog().await.expect("a backlog"), 2, "paused");
    org.finish(&runs[2]).await;
    assert_eq!(queue.backlog().await.expect("a backlog"), 1, "finished");
    org.advance(LEASE + A_WHILE).await;
    assert_eq!(
        queue.backlog().await.expect("a backlog"),
        2,
        "due again, and its worker dead"
    );
}
