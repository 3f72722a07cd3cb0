//! To the microsecond: when a lease, a pause and the ten seconds after a notification are over.

use std::time::Duration;

use fanfare_domain::ports::{Clock, WorkQueue};
use fanfare_domain::work::WorkKey;

use crate::support::{org, store};

const LEASE: Duration = Duration::from_secs(10);
const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);
const INSTANT: Duration = Duration::from_micros(1);

#[tokio::test]
async fn a_lease_has_run_out_at_its_end_and_not_before() {
    let fixture = store().await;
    let organization = org("org_a");
    let work = WorkKey::pull(&fixture.queue(&organization, "list1").await.id);
    let mut unit = fixture.begin(&organization).await;
    let claim = unit.claim(&work, LEASE).await.unwrap().unwrap();

    fixture.clock.advance(LEASE.saturating_sub(INSTANT));
    assert_eq!(unit.claim(&work, LEASE).await.unwrap(), None);
    assert!(unit.renew(&work, claim.token, LEASE).await.unwrap());

    fixture.clock.advance(LEASE);
    assert!(!unit.renew(&work, claim.token, LEASE).await.unwrap());
    assert!(unit.claim(&work, LEASE).await.unwrap().unwrap().abandoned);
}

#[tokio::test]
async fn paused_work_is_due_at_its_time_and_not_before() {
    let fixture = store().await;
    let organization = org("org_a");
    let work = WorkKey::pull(&fixture.queue(&organization, "list1").await.id);
    let mut unit = fixture.begin(&organization).await;
    let claim = unit.claim(&work, LEASE).await.unwrap().unwrap();
    let due = fixture.clock.now().plus(LEASE);
    assert!(unit.release(&work, claim.token, Some(due)).await.unwrap());

    fixture.clock.advance(LEASE.saturating_sub(INSTANT));
    assert_eq!(unit.claim(&work, LEASE).await.unwrap(), None);

    fixture.clock.advance(INSTANT);
    assert!(unit.claim(&work, LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn workers_are_notified_again_after_ten_seconds_and_not_before() {
    let fixture = store().await;
    fixture.queue(&org("org_a"), "list1").await;

    fixture
        .clock
        .advance(NOTIFICATION_TIMEOUT.saturating_sub(INSTANT));
    assert_eq!(fixture.store.notify(1).await.unwrap(), 0);

    fixture.clock.advance(INSTANT);
    assert_eq!(fixture.store.notify(1).await.unwrap(), 1);
}
