//! A clock that is set back by far: times that were written before are put right, so that nothing waits for as long as
//! the clock went back.

use std::time::Duration;

use fanfare_domain::work::WorkKey;

use super::harness::StoreHarness;
use super::test_organization::{LEASE, TestOrganization};

/// By how much the clock is set back: by more than every time in the tests lies ahead.
const BACK: Duration = Duration::from_hours(24);

/// What each worker process does every second.
async fn look(org: &TestOrganization<'_>) -> u64 {
    let notified = org.handle().queue.notify(10).await;
    notified.expect("a count")
}

/// A run that waits for a later time is due.
pub async fn a_pause_is_over_after_the_clock_was_set_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    let due = harness.now().await.plus(LEASE);
    assert!(org.release(&work, token, Some(due)).await);

    harness.set_back(BACK).await;

    assert_eq!(look(&org).await, 1);
    assert!(org.claim(&work).await.is_some());
}

/// A worker that died has its lease for the length of a lease, and no longer.
pub async fn a_lease_begins_anew_after_the_clock_was_set_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    org.claim(&work).await.expect("a lease");
    org.advance(LEASE / 2).await;

    harness.set_back(BACK).await;

    assert_eq!(look(&org).await, 0);
    assert_eq!(org.claim(&work).await, None, "its worker may be alive");
    org.advance(LEASE).await;
    assert_eq!(look(&org).await, 1);
    assert!(org.claim(&work).await.is_some());
}

/// A worker that is alive renews its lease as ever.
pub async fn a_worker_keeps_its_lease_after_the_clock_was_set_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");

    for has_looked in [false, true] {
        harness.set_back(BACK).await;
        if has_looked {
            assert_eq!(look(&org).await, 0);
        }

        assert!(org.renew(&work, token).await);
        org.advance(LEASE / 2).await;
        assert!(org.renew(&work, token).await);
        assert_eq!(org.claim(&work).await, None);
    }
}

/// Work that no worker has taken up yet is notified of again.
pub async fn queued_work_is_notified_of_after_the_clock_was_set_back(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    org.queue("list1").await;
    assert_eq!(look(&org).await, 0, "it was notified of when it was queued");

    harness.set_back(BACK).await;

    assert_eq!(look(&org).await, 1);
    let next = org.handle().queue.next().await.expect("an answer");
    assert!(next.is_some());
}

/// An organization that got a lease before is not behind all others until the clock has come so far again.
pub async fn an_organization_gets_its_turn_after_the_clock_was_set_back(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let other = TestOrganization::of(harness, "org_b");
    for list in ["list1", "list2"] {
        org.queue(list).await;
        other.queue(list).await;
    }
    let first = |org: &TestOrganization<'_>| org.organization.clone();
    let work = WorkKey::pull(&org.queue("list3").await.id);
    let token = org.claim(&work).await.expect("a lease");
    assert!(org.release(&work, token, None).await);

    harness.set_back(BACK).await;
    look(&org).await;
    org.advance(Duration::from_secs(1)).await;
    let theirs = WorkKey::pull(&other.queue("list3").await.id);
    let token = other.claim(&theirs).await.expect("a lease");
    assert!(other.release(&theirs, token, None).await);

    let next = org.handle().queue.next().await.expect("an answer");
    let next = next.expect("a candidate").work.organization;
    assert_eq!(next, first(&org), "its last claim is longer ago");
}
