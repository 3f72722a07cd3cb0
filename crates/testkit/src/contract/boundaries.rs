//! The microsecond at which a lease, a pause and the ten seconds after a notification are over.

use std::time::Duration;

use fanfare_domain::work::WorkKey;

use super::harness::StoreHarness;
use super::test_organization::{LEASE, TestOrganization};

const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);
const MICROSECOND: Duration = Duration::from_micros(1);

/// Queues work that a worker releases, to be due after [`LEASE`].
async fn paused(org: &TestOrganization<'_>) -> WorkKey {
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");
    let due = org.harness.now().await.plus(LEASE);
    assert!(org.release(&work, token, Some(due)).await);
    work
}

/// Fails unless a worker is notified after `wait`, and not a microsecond earlier.
async fn assert_notifies_after(org: &TestOrganization<'_>, wait: Duration) {
    org.advance(wait.saturating_sub(MICROSECOND)).await;
    let queue = &org.handle().queue;
    assert_eq!(queue.notify(10).await.expect("a count"), 0, "before");
    org.advance(MICROSECOND).await;
    assert_eq!(queue.notify(10).await.expect("a count"), 1, "after");
}

/// Until its end a lease is renewed, and no other worker claims the work.
pub async fn a_lease_runs_out_at_its_end_and_not_before(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    let token = org.claim(&work).await.expect("a lease");

    org.advance(LEASE.saturating_sub(MICROSECOND)).await;
    assert_eq!(org.claim(&work).await, None);
    assert!(org.renew(&work, token).await);

    org.advance(LEASE).await;
    assert!(!org.renew(&work, token).await);
    assert!(org.claim(&work).await.is_some());
}

/// Paused work is claimed when it is due.
pub async fn paused_work_is_due_at_its_time_and_not_before(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let work = paused(&org).await;

    org.advance(LEASE.saturating_sub(MICROSECOND)).await;
    assert_eq!(org.claim(&work).await, None);

    org.advance(MICROSECOND).await;
    assert!(org.claim(&work).await.is_some());
}

/// Of work that no worker claims, workers are notified every ten seconds.
pub async fn a_notification_is_repeated_after_ten_seconds_and_not_before(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    org.queue("list1").await;

    assert_notifies_after(&org, NOTIFICATION_TIMEOUT).await;
    assert_notifies_after(&org, NOTIFICATION_TIMEOUT).await;
}

/// Of work of a worker that died, others are notified when its lease runs out.
pub async fn leased_work_is_notified_of_when_its_lease_is_over_and_not_before(
    harness: &dyn StoreHarness,
) {
    let org = TestOrganization::new(harness);
    let work = WorkKey::pull(&org.queue("list1").await.id);
    org.claim(&work).await.expect("a lease");

    assert_notifies_after(&org, LEASE).await;
}

/// Of paused work, workers are notified when it is due.
pub async fn paused_work_is_notified_of_when_it_is_due_and_not_before(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    paused(&org).await;

    assert_notifies_after(&org, LEASE).await;
}
