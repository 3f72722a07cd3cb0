//! The notifications of due work.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::work::WorkItem;

use super::harness::StoreHarness;
use super::scheduling::{next, work};
use super::test_organization::{LEASE, TestOrganization};

/// Half of the time that a worker has to claim work it was notified of, and a little more than the whole.
const HALF_TIMEOUT: Duration = Duration::from_secs(5);
const AFTER_TIMEOUT: Duration = Duration::from_secs(11);

/// Notifies workers, and fails unless they were notified of exactly this much work.
async fn assert_notifies(
    org: &TestOrganization<'_>,
    limit: u32,
    want: usize,
) -> BTreeSet<WorkItem> {
    org.harness.notifications().await;
    let count = org.handle().queue.notify(limit).await.expect("a count");
    assert_eq!(count, want as u64);
    let Some(notified) = org.harness.notifications().await else {
        return BTreeSet::new();
    };
    assert_eq!(notified.len(), want, "notifications that arrived");
    notified.into_iter().collect()
}

/// Fails unless workers were notified of this work, and no other, since the last time.
async fn assert_notified(org: &TestOrganization<'_>, want: &[WorkItem]) {
    let notified = org.harness.notifications().await;
    assert!(
        notified.as_deref().is_none_or(|notified| notified == want),
        "{notified:?} is not {want:?}"
    );
}

/// Queued, work is due at once, and a worker is notified of it with the commit.
pub async fn queued_work_is_due_and_notified_of(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;

    assert_notified(&org, &[work(&run)]).await;
    let queue = &harness.handles()[1].queue;
    assert_eq!(queue.backlog().await.expect("a backlog"), 1);
    assert_eq!(next(&org).await, Some((work(&run), 0)));
}

/// Of work that no worker has claimed, workers are notified again after ten seconds, and again, and not
/// before.
pub async fn a_notification_that_no_worker_took_is_repeated(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    assert_notifies(&org, 10, 0).await;
    for _ in 0..3 {
        org.advance(HALF_TIMEOUT).await;
        assert_notifies(&org, 10, 0).await;
        org.advance(AFTER_TIMEOUT).await;
        let notified = assert_notifies(&org, 10, 1).await;
        assert!(notified.iter().all(|one| *one == work(&run)));
        assert_notifies(&org, 10, 0).await;
    }
}

/// Leased work is not notified of until its lease has run out, as that of a dead worker does.
pub async fn work_of_a_dead_worker_is_notified_of(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = work(&org.queue("list1").await).key;
    let token = org.claim(&work).await.expect("a lease");
    org.advance(AFTER_TIMEOUT).await;
    assert_notifies(&org, 10, 0).await;
    let mut unit = org.begin().await;
    assert!(unit.renew(&work, token, LEASE).await.expect("an answer"));
    unit.commit().await.expect("a commit");
    org.advance(LEASE.saturating_sub(AFTER_TIMEOUT)).await;
    assert_notifies(&org, 10, 0).await;

    org.advance(AFTER_TIMEOUT * 2).await;

    assert_notifies(&org, 10, 1).await;
}

/// The claim ends the ten seconds in which a notification is not repeated: work of a worker that dies or pauses
/// soon afterwards is notified of as soon as it is due.
pub async fn a_claim_ends_the_pause_after_a_notification(harness: &dyn StoreHarness) {
    const SHORT: Duration = Duration::from_secs(1);
    const SOON: Duration = Duration::from_secs(5);
    let org = TestOrganization::new(harness);
    let work = work(&org.queue("list1").await).key;
    let mut unit = org.begin().await;
    let claim = unit.claim(&work, SHORT).await.expect("an answer");
    assert!(claim.is_some());
    unit.commit().await.expect("a commit");
    org.advance(SOON).await;
    assert_notifies(&org, 10, 1).await;

    let token = org.claim(&work).await.expect("a lease");
    let due = harness.now().await.plus(SHORT);
    assert!(org.release(&work, token, Some(due)).await);
    org.advance(SOON).await;
    assert_notifies(&org, 10, 1).await;
}

/// Work that is released to be due at once is notified of with the commit; work that is released for later, when
/// it is due.
pub async fn released_work_is_notified_of_when_it_is_due(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    assert_notified(&org, &[work(&run)]).await;
    let token = org.claim(&work(&run).key).await.expect("a lease");
    assert_notified(&org, &[]).await;
    assert!(org.release(&work(&run).key, token, None).await);
    assert_notified(&org, &[work(&run)]).await;

    let token = org.claim(&work(&run).key).await.expect("a lease");
    let later = harness.now().await.plus(LEASE);
    assert!(org.release(&work(&run).key, token, Some(later)).await);
    assert_notified(&org, &[]).await;
    org.advance(LEASE / 2).await;
    assert_notifies(&org, 10, 0).await;

    org.advance(LEASE / 2 + AFTER_TIMEOUT).await;

    assert_notifies(&org, 10, 1).await;
}

/// No more than the limit at a time, each once, of every organization.
pub async fn much_work_is_notified_of_up_to_the_limit(harness: &dyn StoreHarness) {
    let (ours, theirs) = (
        TestOrganization::new(harness),
        TestOrganization::of(harness, "org_b"),
    );
    for list in ["l1", "l2", "l3"] {
        ours.queue(list).await;
        theirs.queue(list).await;
    }
    ours.advance(AFTER_TIMEOUT).await;

    let mut notified = assert_notifies(&ours, 4, 4).await;
    notified.extend(assert_notifies(&ours, 4, 2).await);
    assert_notifies(&ours, 4, 0).await;

    assert!(
        notified.is_empty() || notified.len() == 6,
        "each piece of work once: {notified:?}"
    );
    assert_notifies(&ours, 0, 0).await;
}

/// Of finished work no worker is notified.
pub async fn finished_work_is_not_notified_of(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    org.finish(&run).await;

    org.advance(AFTER_TIMEOUT).await;

    assert_notifies(&org, 10, 0).await;
}
