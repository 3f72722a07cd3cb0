//! Leases: who may write for a run.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::{Clock, DueRuns, Store, StoreError};

use crate::support::{org, store};

const LEASE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_lease_is_had_by_one_and_taken_over_when_it_has_run_out() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await.id;
    let mut unit = fixture.begin(&organization).await;

    let first = unit.claim(&run, LEASE).await.unwrap().unwrap();
    assert!(!first.abandoned);
    assert_eq!(unit.claim(&run, LEASE).await.unwrap(), None);
    assert!(unit.renew(&run, first.token, LEASE).await.unwrap());

    fixture.clock.advance(LEASE);
    assert!(!unit.renew(&run, first.token, LEASE).await.unwrap());
    let second = unit.claim(&run, LEASE).await.unwrap().unwrap();
    assert!(second.abandoned);
    assert!(second.token > first.token);
    assert!(!unit.renew(&run, first.token, LEASE).await.unwrap());
    let now = fixture.clock.now();
    assert!(!unit.release(&run, first.token, now).await.unwrap());
    assert!(unit.release(&run, second.token, now).await.unwrap());
    assert!(!unit.release(&run, second.token, now).await.unwrap());

    let third = unit.claim(&run, LEASE).await.unwrap().unwrap();
    assert!(!third.abandoned);
    assert!(third.token > second.token);
}

#[tokio::test]
async fn a_paused_run_cannot_be_claimed_before_its_time() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await.id;
    let mut unit = fixture.begin(&organization).await;
    let claim = unit.claim(&run, LEASE).await.unwrap().unwrap();
    let due = fixture.clock.now().plus(Duration::from_mins(1));
    assert!(unit.release(&run, claim.token, due).await.unwrap());

    fixture.clock.advance(Duration::from_secs(59));
    assert_eq!(unit.claim(&run, LEASE).await.unwrap(), None);
    fixture.clock.advance(Duration::from_secs(1));
    assert!(unit.claim(&run, LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_finished_run_leaves_the_queue_and_its_holder_writes_no_more() {
    let fixture = store().await;
    let organization = org("org_a");
    let mut run = fixture.queue(&organization, "list1").await;
    let mut unit = fixture.begin(&organization).await;
    let claim = unit.claim(&run.id, LEASE).await.unwrap().unwrap();
    unit.commit().await.unwrap();

    fixture.finish(&mut run).await;

    let mut unit = fixture.begin(&organization).await;
    assert!(!unit.renew(&run.id, claim.token, LEASE).await.unwrap());
    assert_eq!(unit.claim(&run.id, LEASE).await.unwrap(), None);
    assert_eq!(unit.run(&run.id).await.unwrap(), Some(run));
    drop(unit);
    assert_eq!(fixture.store.backlog().await.unwrap(), 0);
}

#[tokio::test]
async fn a_second_active_run_of_a_source_is_refused_and_one_after_the_end_is_not() {
    let fixture = store().await;
    let organization = org("org_a");
    let mut first = fixture.queue(&organization, "list1").await;
    let second = fixture.run(&organization, &fixture.source("list1"));
    let mut unit = fixture.begin(&organization).await;

    let refused = unit.enqueue(&second).await;

    assert!(
        matches!(refused, Err(StoreError::Refused(_))),
        "{refused:?}"
    );
    drop(unit);
    fixture.finish(&mut first).await;
    let mut unit = fixture.begin(&organization).await;
    unit.enqueue(&second).await.unwrap();
    assert_eq!(unit.active_runs().await.unwrap(), [second]);
}

#[tokio::test]
async fn of_fifty_at_once_one_gets_the_lease() {
    let fixture = Arc::new(store().await);
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await.id;

    let claims = (0..50).map(|_| {
        let (fixture, organization, run) = (fixture.clone(), organization.clone(), run.clone());
        tokio::spawn(async move {
            let mut unit = fixture.begin(&organization).await;
            let claim = unit.claim(&run, LEASE).await.unwrap();
            unit.commit().await.unwrap();
            claim.is_some()
        })
    });
    let mut got = 0;
    for claim in claims.collect::<Vec<_>>() {
        got += u32::from(claim.await.unwrap());
    }

    assert_eq!(got, 1);
}

#[tokio::test]
async fn a_reader_waits_for_no_writer_and_sees_one_state() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    let mut reader = fixture.read(&organization).await;
    assert_eq!(reader.run_count(&run.audience).await.unwrap(), 1);

    let mut finished = run.clone();
    fixture.finish(&mut finished).await;

    assert_eq!(reader.run(&run.id).await.unwrap(), Some(run.clone()));
    let mut later = fixture.read(&organization).await;
    assert_eq!(later.run(&run.id).await.unwrap(), Some(finished));
}

#[tokio::test]
async fn a_unit_for_reading_refuses_to_write() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    let mut unit = fixture.store.read(&organization).await.unwrap();

    let refused = [
        unit.save_run(&run).await.err(),
        unit.claim(&run.id, LEASE).await.err(),
        unit.delete_connection().await.err(),
        unit.forget_sightings(1).await.err(),
    ];

    for error in refused {
        assert!(matches!(error, Some(StoreError::ReadOnly)), "{error:?}");
    }
}
