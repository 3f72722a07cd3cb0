//! The microsecond at which a lease, a pause and the ten seconds after a notification are over, which the
//! contract cannot test for stores whose clock goes on.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::{Clock, Store, UnitOfWork, WorkQueue};
use fanfare_domain::work::WorkKey;
use fanfare_testkit::build::{audience, audience_id, list, organization_id, run, run_id, source};
use fanfare_testkit::clock::FixedClock;
use fanfare_testkit::memory::InMemoryStore;

const LEASE: Duration = Duration::from_secs(10);
const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);
const MICROSECOND: Duration = Duration::from_micros(1);

async fn begin(store: &InMemoryStore) -> Box<dyn UnitOfWork> {
    store.begin(&organization_id("org_a")).await.unwrap()
}

/// A store with one piece of queued work.
async fn with_queued_work() -> (InMemoryStore, FixedClock, WorkKey) {
    let clock = FixedClock::default();
    let store = InMemoryStore::new(Arc::new(clock.clone()));
    let id = run_id("run_1");
    let of = source("sync_1", list("L1"), &audience_id("aud_1"));
    let mut unit = begin(&store).await;
    unit.put_source(&of).await.unwrap();
    unit.put_audience(&audience(&of.audience, &of.id))
        .await
        .unwrap();
    let run = run(&id, unit.organization(), &of);
    unit.insert_run(&run).await.unwrap();
    let work = WorkKey::pull(&id);
    unit.enqueue(&work).await.unwrap();
    unit.commit().await.unwrap();
    (store, clock, work)
}

#[tokio::test]
async fn a_lease_has_run_out_at_its_end_and_not_before() {
    let (store, clock, work) = with_queued_work().await;
    let mut unit = begin(&store).await;
    let claim = unit.claim(&work, LEASE).await.unwrap().unwrap();

    clock.advance(LEASE.saturating_sub(MICROSECOND));
    assert_eq!(unit.claim(&work, LEASE).await.unwrap(), None);
    assert!(unit.renew(&work, claim.token, LEASE).await.unwrap());

    clock.advance(LEASE);
    assert!(!unit.renew(&work, claim.token, LEASE).await.unwrap());
    assert!(unit.claim(&work, LEASE).await.unwrap().unwrap().abandoned);
}

#[tokio::test]
async fn paused_work_is_due_at_its_time_and_not_before() {
    let (store, clock, work) = with_queued_work().await;
    let mut unit = begin(&store).await;
    let claim = unit.claim(&work, LEASE).await.unwrap().unwrap();
    let due = clock.now().plus(LEASE);
    assert!(unit.release(&work, claim.token, Some(due)).await.unwrap());

    clock.advance(LEASE.saturating_sub(MICROSECOND));
    assert_eq!(unit.claim(&work, LEASE).await.unwrap(), None);

    clock.advance(MICROSECOND);
    assert!(unit.claim(&work, LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn workers_are_notified_again_after_ten_seconds_and_not_before() {
    let (store, clock, _) = with_queued_work().await;

    clock.advance(NOTIFICATION_TIMEOUT.saturating_sub(MICROSECOND));
    assert_eq!(store.notify(1).await.unwrap(), 0);

    clock.advance(MICROSECOND);
    assert_eq!(store.notify(1).await.unwrap(), 1);
}
