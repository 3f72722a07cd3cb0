//! Manual syncs and cancelling.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::pass::Pass;
use fanfare_domain::run::{SyncStatus, Trigger};
use fanfare_sync::Error;
use fanfare_testkit::build::list;
use futures_util::future::join_all;

use crate::test_organization::{TestOrganization, everything, klaviyo_with};

#[tokio::test(start_paused = true)]
async fn of_fifty_syncs_requested_at_once_one_is_queued() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 3)).await;
    let done = org.synced(&list("L1")).await;

    let request = || {
        org.integration
            .sync_audience(&org.organization, &done.audience, false)
    };
    let answers = join_all((0..50).map(|_| request())).await;

    let (started, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(started.len(), 1);
    assert!(
        refused
            .iter()
            .all(|answer| matches!(answer, Err(Error::SyncInProgress)))
    );
    let runs = org
        .integration
        .runs(&org.organization, &done.audience, &everything())
        .await
        .unwrap();
    assert_eq!(runs.items.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_new_run_begins_at_page_one_and_inherits_nothing() {
    let klaviyo = klaviyo_with(&list("L1"), 4);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    let started = org
        .integration
        .sync_audience(&org.organization, &first.audience, false)
        .await
        .unwrap();

    let run = org.run(&started.run).await;
    assert_eq!(
        (run.status, run.trigger),
        (SyncStatus::Pending, Trigger::Manual)
    );
    assert_eq!(run.pass, Pass::default());
    let source = org
        .integration
        .audience(&org.organization, &first.audience)
        .await
        .unwrap()
        .source
        .unwrap();
    assert_eq!(source.last_synced_at, first.finished_at);

    let pages = klaviyo.member_calls().len();
    org.work_to_end(&started.run).await;
    let first_call = &klaviyo.member_calls()[pages];
    assert_eq!((&first_call.cursor, first_call.joined_from), (&None, None));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_list_changes_no_consumer() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 7)).await;
    let first = org.synced(&list("L1")).await;

    let second = org.resynced(&first, false).await;

    let tally = second.progress.tally;
    assert_eq!((tally.processed, tally.unchanged), (7, 7));
    assert_eq!(
        (
            second.progress.members_added,
            second.progress.members_removed
        ),
        (0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn without_a_key_no_sync_is_queued() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let done = org.synced(&list("L1")).await;
    org.integration.disconnect(&org.organization).await.unwrap();

    let refused = org
        .integration
        .sync_audience(&org.organization, &done.audience, false)
        .await;

    assert!(matches!(refused, Err(Error::KeyNotFound)));
    assert_eq!(org.run(&done.id).await.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_queued_run_can_be_cancelled_once() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let run = org.imported(&list("L1")).await;
    let cancel = || org.integration.cancel_run(&org.organization, &run);

    let cancelled = cancel().await.unwrap();

    assert_eq!(
        (cancelled.status, cancelled.finished_at),
        (SyncStatus::Failed, Some(org.now()))
    );
    assert_eq!(
        cancelled.error.as_ref().unwrap().code,
        FailureCode::Cancelled
    );
    assert_eq!(org.run(&run).await, cancelled);
    assert!(matches!(cancel().await, Err(Error::RunFinished)));
    let again = org
        .integration
        .sync_audience(&org.organization, &cancelled.audience, false)
        .await;
    assert!(again.is_ok());
}
