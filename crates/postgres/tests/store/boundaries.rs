//! To the microsecond: when a lease, a pause and the ten seconds after a ring are over.

use std::time::Duration;

use fanfare_domain::ports::{Clock, DueRuns};

use crate::support::{org, store};

const LEASE: Duration = Duration::from_secs(10);
const QUIET: Duration = Duration::from_secs(10);
const INSTANT: Duration = Duration::from_micros(1);

#[tokio::test]
async fn a_lease_has_run_out_at_its_end_and_not_before() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await.id;
    let mut unit = fixture.begin(&organization).await;
    let claim = unit.claim(&run, LEASE).await.unwrap().unwrap();

    fixture.clock.advance(LEASE.saturating_sub(INSTANT));
    assert_eq!(unit.claim(&run, LEASE).await.unwrap(), None);
    assert!(unit.renew(&run, claim.token, LEASE).await.unwrap());

    fixture.clock.advance(LEASE);
    assert!(!unit.renew(&run, claim.token, LEASE).await.unwrap());
    assert!(unit.claim(&run, LEASE).await.unwrap().unwrap().abandoned);
}

#[tokio::test]
async fn a_paused_run_is_due_at_its_time_and_not_before() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await.id;
    let mut unit = fixture.begin(&organization).await;
    let claim = unit.claim(&run, LEASE).await.unwrap().unwrap();
    let due = fixture.clock.now().plus(LEASE);
    assert!(unit.release(&run, claim.token, Some(due)).await.unwrap());

    fixture.clock.advance(LEASE.saturating_sub(INSTANT));
    assert_eq!(unit.claim(&run, LEASE).await.unwrap(), None);

    fixture.clock.advance(INSTANT);
    assert!(unit.claim(&run, LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_bell_rings_again_after_ten_seconds_and_not_before() {
    let fixture = store().await;
    fixture.queue(&org("org_a"), "list1").await;

    fixture.clock.advance(QUIET.saturating_sub(INSTANT));
    assert_eq!(fixture.store.notify(1).await.unwrap(), 0);

    fixture.clock.advance(INSTANT);
    assert_eq!(fixture.store.notify(1).await.unwrap(), 1);
}
