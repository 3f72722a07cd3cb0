//! Runs that a caller ends while a worker has them.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::StoreError;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;

use crate::mocks::MockQueue;
use crate::test_organization::{TestOrganization, klaviyo_with, poll};

#[derive(Debug, Clone, Copy)]
enum Action {
    Cancel,
    Archive,
    Disconnect,
}

/// At whichever step the worker is, the caller's action ends the run in its own transaction, and from then on
/// the worker writes nothing.
#[tokio::test(start_paused = true)]
async fn a_worker_writes_nothing_to_a_run_that_a_caller_has_ended() {
    for action in [Action::Cancel, Action::Archive, Action::Disconnect] {
        for polls in 1.. {
            let klaviyo = klaviyo_with(&list("L1"), 6);
            let org = TestOrganization::on(&klaviyo).await;
            let run = org.imported(&list("L1")).await;
            let mut worker = org.worker(&run);
            if poll(&mut worker, polls).is_some() || !org.run(&run).await.status.is_active() {
                assert!(polls > 20, "the run was ended at too few steps");
                break;
            }
            let audience = org.run(&run).await.audience;
            // A worker inside a unit of work has the organization's lock: it has to go on before the caller can act.
            let ended = tokio::spawn(worker);
            let (integration, organization) = (&org.integration, &org.organization);
            let has_ended = match action {
                Action::Cancel => integration.cancel_run(organization, &run).await.is_ok(),
                Action::Archive => integration
                    .archive_audience(organization, &audience, "key_1")
                    .await
                    .is_ok(),
                Action::Disconnect => integration.disconnect(organization).await.is_ok(),
            };
            let rows_after = org.stored_rows(std::slice::from_ref(&run)).await;

            let end = ended.await.unwrap().unwrap();

            let ended = org.run(&run).await;
            if ended.status == SyncStatus::Success {
                // The run had ended before the action.
                continue;
            }
            assert!(has_ended, "{action:?} after {polls} polls");
            assert!(
                matches!(end, SliceEnd::Overtaken | SliceEnd::NotDue),
                "{end:?}: {action:?} after {polls} polls"
            );
            assert_eq!(ended.error.unwrap().code, FailureCode::Cancelled);
            assert_eq!(
                org.stored_rows(std::slice::from_ref(&run)).await,
                rows_after
            );
            assert_eq!(org.work(&run).await, SliceEnd::NotDue);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_waiting_run_is_ended_at_once() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let wait = fanfare_domain::quota::RetryAfter::Seconds(100);
    klaviyo.fail_members([Some(fanfare_domain::ports::KlaviyoError::Throttled(wait))]);
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));

    org.integration
        .cancel_run(&org.organization, &run)
        .await
        .unwrap();

    tokio::time::advance(Duration::from_secs(100)).await;
    assert_eq!(org.work(&run).await, SliceEnd::NotDue);
    assert_eq!(org.run(&run).await.status, SyncStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_corrupt_row_ends_the_run_instead_of_being_tried_again_for_ever() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let mut broken = MockQueue::new();
    broken
        .expect_next()
        .returning(|| Err(StoreError::Corrupt("work_queue.due".to_owned())));
    let mut org = TestOrganization::on(&klaviyo)
        .await
        .with_work_queue(Arc::new(broken));
    org.pace.slice = Duration::ZERO;
    let run = org.imported(&list("L1")).await;

    assert_eq!(org.work(&run).await, SliceEnd::Finished(SyncStatus::Failed));

    let error = org.run(&run).await.error.unwrap();
    assert_eq!(error.code, FailureCode::Internal);
    assert!(!error.message.contains("work_queue"), "{}", error.message);
}
