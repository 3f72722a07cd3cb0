//! Runs whose rows this version of the program cannot read.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::RunId;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_sync::Error;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;

use crate::test_organization::{TestOrganization, klaviyo_with};

/// A run of an imported list, which cannot be read.
async fn unreadable(by_newer: bool) -> (TestOrganization, SyncRun) {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 2)).await;
    let run = org.imported(&list("L1")).await;
    let run = org.run(&run).await;
    org.store
        .make_unreadable(&org.organization, &run.id, by_newer);
    (org, run)
}

/// Fails unless the run has ended so, and another one can be queued and worked.
async fn assert_ended(org: &TestOrganization, run: &RunId, code: FailureCode) {
    let ended = org.run(run).await;
    assert_eq!(ended.status, SyncStatus::Failed);
    assert_eq!(ended.error.as_ref().unwrap().code, code);
    let backlog = org.store_backlog().await;
    assert_eq!(backlog, 0, "it has left the queue");
}

#[tokio::test(start_paused = true)]
async fn a_broken_run_ends_at_its_first_claim() {
    let (org, run) = unreadable(false).await;

    let end = org.work(&run.id).await;

    assert_eq!(end, SliceEnd::Finished(SyncStatus::Failed));
    assert_ended(&org, &run.id, FailureCode::Internal).await;
    assert_eq!(org.resynced(&run, false).await.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_run_of_a_newer_version_is_left_to_it_and_named() {
    let (org, run) = unreadable(true).await;
    let named = org.integration.unreadable_runs(&org.organization).await;
    assert_eq!(named.unwrap(), std::slice::from_ref(&run.id));
    for _ in 0..3 {
        let due = org.now().plus(Duration::from_mins(1));
        assert_eq!(org.work(&run.id).await, SliceEnd::Paused(due));
        assert_eq!(org.work(&run.id).await, SliceEnd::NotDue);
        tokio::time::advance(Duration::from_mins(1)).await;
    }
    let read = org.integration.run(&org.organization, &run.id).await;
    assert!(read.is_err(), "nothing was written to it: {read:?}");

    let cancelled = org.integration.cancel_run(&org.organization, &run.id).await;

    assert_eq!(cancelled.unwrap().status, SyncStatus::Failed);
    assert_ended(&org, &run.id, FailureCode::Cancelled).await;
    let named = org.integration.unreadable_runs(&org.organization).await;
    assert_eq!(named.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn cancelling_archiving_and_disconnecting_end_a_run_that_cannot_be_read() {
    for by_newer in [false, true] {
        let (org, run) = unreadable(by_newer).await;
        let (integration, organization) = (&org.integration, &org.organization);
        integration.cancel_run(organization, &run.id).await.unwrap();
        assert_ended(&org, &run.id, FailureCode::Cancelled).await;
        let again = integration.cancel_run(organization, &run.id).await;
        assert!(matches!(again, Err(Error::RunFinished)), "{again:?}");

        let (org, run) = unreadable(by_newer).await;
        let (integration, organization) = (&org.integration, &org.organization);
        let archived = integration.archive_audience(organization, &run.audience, "key_1");
        assert!(archived.await.unwrap().unwrap().audience.archived);
        assert_ended(&org, &run.id, FailureCode::Cancelled).await;

        let (org, run) = unreadable(by_newer).await;
        let (integration, organization) = (&org.integration, &org.organization);
        let settings = integration.disconnect(organization).await.unwrap();
        assert_eq!(settings.connection, None);
        assert_ended(&org, &run.id, FailureCode::Cancelled).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_be_read_keeps_no_other_from_being_mended() {
    let (org, run) = unreadable(false).await;
    let mended = org.integration.mend_queue(&org.organization).await.unwrap();
    assert_eq!((mended.queued, mended.dequeued), (0, 0));
    assert_eq!(
        org.work(&run.id).await,
        SliceEnd::Finished(SyncStatus::Failed)
    );
}
