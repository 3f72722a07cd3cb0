//! Leases of work.

use std::time::Duration;

use fanfare_domain::lease::FencingToken;
use fanfare_domain::work::{WorkKey, WorkKind};
use tokio::task::JoinSet;

use super::harness::StoreHarness;
use super::test_organization::{LEASE, TestOrganization};
use crate::build::run_id;

/// Half of a lease, and a little more than a whole one.
const HALF: Duration = Duration::from_mins(5);
const MORE: Duration = Duration::from_mins(11);

/// While one worker has the lease, no other worker of any process gets it.
pub async fn a_lease_has_one_holder(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let mut unit = org.begin().await;
    let claim = unit
        .claim(&work, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!claim.abandoned);
    assert_eq!(
        unit.claim(&work, LEASE).await.expect("an answer"),
        None,
        "in the same unit"
    );
    unit.commit().await.expect("a commit");

    org.advance(HALF).await;

    let mut unit = org
        .elsewhere()
        .begin(&org.organization)
        .await
        .expect("a unit");
    assert_eq!(
        unit.claim(&work, LEASE).await.expect("an answer"),
        None,
        "elsewhere"
    );
}

/// Of fifty workers in two processes that claim the same work, one gets the lease.
pub async fn of_fifty_at_once_one_gets_the_lease(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let mut workers = JoinSet::new();
    for n in 0..50 {
        let store = harness.handles()[n % 2].store.clone();
        let (organization, work) = (org.organization.clone(), work.clone());
        workers.spawn(async move {
            let mut unit = store
                .begin(&organization)
                .await
                .expect("a unit for writing");
            let claim = unit.claim(&work, LEASE).await.expect("an answer");
            unit.commit().await.expect("a commit");
            u32::from(claim.is_some())
        });
    }
    assert_eq!(workers.join_all().await.into_iter().sum::<u32>(), 1);
}

/// A lease that is renewed before its end lasts for its whole length again.
pub async fn a_lease_that_is_renewed_goes_on(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    for _ in 0..4 {
        org.advance(HALF).await;
        let mut unit = org.begin().await;
        assert!(unit.renew(&work, token, LEASE).await.expect("an answer"));
        unit.commit().await.expect("a commit");
    }

    org.advance(HALF).await;

    assert_eq!(org.claim(&work).await, None);
}

/// A renewal counts from now on, and may make a lease end sooner.
pub async fn a_lease_is_renewed_from_now_on(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    let mut unit = org.begin().await;
    assert!(
        unit.renew(&work, token, Duration::from_mins(1))
            .await
            .expect("an answer")
    );
    unit.commit().await.expect("a commit");

    org.advance(Duration::from_mins(2)).await;

    assert!(org.claim(&work).await.is_some());
}

/// A lease that has run out is not renewed, even if no other worker has claimed it. The next holder is told that
/// the work was abandoned, and the one before can no longer renew or release.
pub async fn a_lease_that_ran_out_is_taken_over(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let first = org.claim(&work).await.expect("a lease");
    org.advance(MORE).await;

    let mut unit = org.begin().await;
    assert!(
        !unit.renew(&work, first, LEASE).await.expect("an answer"),
        "it has run out"
    );
    let second = unit
        .claim(&work, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(second.abandoned);
    assert!(second.token > first);
    assert!(
        !unit.renew(&work, first, LEASE).await.expect("an answer"),
        "another worker has it"
    );
    assert!(
        !unit.release(&work, first, None).await.expect("an answer"),
        "another worker has it"
    );
    assert!(
        unit.renew(&work, second.token, LEASE)
            .await
            .expect("an answer")
    );
}

/// A lease can be released once. The next claim is not told that the work was abandoned.
pub async fn a_lease_that_was_released_is_free(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");

    assert!(org.release(&work, token, None).await);

    assert!(
        !org.release(&work, token, None).await,
        "it was released before"
    );
    let mut unit = org.begin().await;
    assert!(!unit.renew(&work, token, LEASE).await.expect("an answer"));
    let next = unit
        .claim(&work, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!next.abandoned);
    assert!(next.token > token);
}

/// A holder whose lease has run out may still release it, until another worker claims the work.
pub async fn a_lease_that_ran_out_can_be_released_until_another_worker_claims_it(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    org.advance(MORE).await;

    assert!(org.release(&work, token, None).await);

    let mut unit = org.begin().await;
    let next = unit
        .claim(&work, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!next.abandoned, "it was released");
}

/// Every token is higher than all before it, whether the lease was released or ran out.
pub async fn tokens_only_grow(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let mut tokens = Vec::new();
    for n in 0..6 {
        let token = org.claim(&work).await.expect("a lease");
        tokens.push(token);
        if n % 2 == 0 {
            assert!(org.release(&work, token, None).await);
        } else {
            org.advance(MORE).await;
        }
    }
    assert!(tokens.is_sorted_by(|a, b| a < b), "{tokens:?}");
    let guessed = FencingToken(tokens[5].0 + 1);
    let mut unit = org.begin().await;
    assert!(!unit.renew(&work, guessed, LEASE).await.expect("an answer"));
}

/// After a claim that was not committed, the work can be claimed as before.
pub async fn a_claim_that_is_not_committed_has_no_effect(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let mut unit = org.begin().await;
    assert!(unit.claim(&work, LEASE).await.expect("an answer").is_some());
    drop(unit);

    let mut unit = org.begin().await;
    let claim = unit
        .claim(&work, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!claim.abandoned);
}

/// A paused run waits for its time.
pub async fn a_paused_run_cannot_be_claimed_before_its_time(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    let due = harness.now().await.plus(LEASE);
    assert!(org.release(&work, token, Some(due)).await);

    org.advance(HALF).await;
    assert_eq!(org.claim(&work).await, None);

    org.advance(HALF).await;
    org.advance(Duration::from_mins(1)).await;
    assert!(org.claim(&work).await.is_some());
}

/// Paused work that is woken is due at once, and a worker is notified; work that is leased, due already or not there
/// is not woken.
pub async fn paused_work_that_is_woken_is_due_at_once(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    assert!(!wake(&org, &work).await, "it is due");
    let token = org.claim(&work).await.expect("a lease");
    assert!(!wake(&org, &work).await, "it is leased");
    let due = harness.now().await.plus(LEASE);
    assert!(org.release(&work, token, Some(due)).await);
    harness.notifications().await;

    assert!(wake(&org, &work).await);

    if let Some(notified) = harness.notifications().await {
        let keys: Vec<WorkKey> = notified.into_iter().map(|item| item.key).collect();
        assert_eq!(keys, std::slice::from_ref(&work));
    }
    assert!(!wake(&org, &work).await, "it is due");
    assert!(org.claim(&work).await.is_some());
    assert!(!wake(&org, &WorkKey::pull(&run_id("run_none"))).await);
}

async fn wake(org: &TestOrganization<'_>, work: &WorkKey) -> bool {
    let mut unit = org.begin().await;
    let woken = unit.wake(work).await.expect("an answer");
    unit.commit().await.expect("a commit");
    woken
}

/// Work that has left the queue cannot be claimed, renewed or released.
pub async fn work_that_left_the_queue_has_no_lease(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let work = WorkKey::pull(&run.id);
    let token = org.claim(&work).await.expect("a lease");
    org.finish(&run).await;

    let mut unit = org.begin().await;
    assert!(!unit.renew(&work, token, LEASE).await.expect("an answer"));
    assert!(!unit.release(&work, token, None).await.expect("an answer"));
    assert_eq!(unit.claim(&work, LEASE).await.expect("an answer"), None);
    drop(unit);
    org.advance(MORE).await;
    assert_eq!(org.claim(&work).await, None);
    assert_eq!(org.handle().queue.backlog().await.expect("a backlog"), 0);
}

/// The unit that takes work out of the queue can no longer renew or claim it, and may take it out again.
pub async fn work_leaves_the_queue_at_once(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    let mut unit = org.begin().await;
    for _ in 0..2 {
        unit.dequeue(&work).await.expect("an answer");

        assert!(!unit.renew(&work, token, LEASE).await.expect("an answer"));
        assert_eq!(unit.claim(&work, LEASE).await.expect("an answer"), None);
    }
}

/// Work that was never queued has no lease.
pub async fn unknown_work_has_no_lease(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (unknown, token) = (WorkKey::pull(&run_id("run_none")), FencingToken(0));
    let mut unit = org.begin().await;
    assert_eq!(unit.claim(&unknown, LEASE).await.expect("an answer"), None);
    assert!(!unit.renew(&unknown, token, LEASE).await.expect("an answer"));
    assert!(
        !unit
            .release(&unknown, token, None)
            .await
            .expect("an answer")
    );
}

/// Work is listed by id while it is in the queue, whether it is due, leased or paused, and no organization's but
/// the unit's.
pub async fn the_work_in_the_queue_is_listed_by_id(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let other = TestOrganization::of(harness, "org_b");
    assert_eq!(queued(&org).await, []);
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3", "l4"] {
        runs.push(org.queue(list).await);
        other.queue(list).await;
    }
    let mut keys: Vec<WorkKey> = runs.iter().map(|run| WorkKey::pull(&run.id)).collect();
    let token = org.claim(&keys[0]).await.expect("a lease");
    let later = harness.now().await.plus(LEASE);
    assert!(org.release(&keys[0], token, Some(later)).await);
    org.claim(&keys[1]).await.expect("a lease");
    org.finish(&runs[2]).await;
    keys.remove(2);
    keys.sort();

    assert_eq!(queued(&org).await, keys);
}

async fn queued(org: &TestOrganization<'_>) -> Vec<WorkKey> {
    let mut unit = org.read().await;
    unit.queued(WorkKind::Pull).await.expect("a list")
}
