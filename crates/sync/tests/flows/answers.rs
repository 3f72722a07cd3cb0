//! Klaviyo's answers that are errors.

use std::time::Duration;

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{TestOrganization, emails, klaviyo_with};

fn unavailable() -> KlaviyoError {
    KlaviyoError::Unavailable("ordered by the test".to_owned())
}

fn invalid() -> KlaviyoError {
    KlaviyoError::Invalid("ordered by the test".to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_fifth_failed_answer_for_a_page_ends_the_run_with_its_code() {
    for (error, code) in [
        (unavailable(), FailureCode::UpstreamUnavailable),
        (invalid(), FailureCode::UpstreamInvalid),
        (KlaviyoError::ForeignLink, FailureCode::UpstreamInvalid),
    ] {
        let klaviyo = klaviyo_with(&list("L1"), 6);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.imported(&list("L1")).await;
        klaviyo.fail_members(std::iter::once(None).chain(vec![Some(error); 5]));

        let run = org.work_to_end(&run).await;

        assert_eq!(run.status, SyncStatus::Failed);
        let error = run.error.clone().unwrap();
        assert_eq!(error.code, code);
        assert!(!error.message.is_empty());
        assert_eq!(klaviyo.member_calls().len(), 6);
        assert_eq!(
            org.members(&run.id).await,
            emails(0..2),
            "the members of the pages read stay"
        );
        assert_eq!(run.progress.members_removed, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_are_one_to_sixty_seconds_apart_ever_longer_and_hold_no_worker() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members(vec![Some(unavailable()); 4]);
    let mut waits = Vec::new();
    for attempt in 1..=4 {
        let SliceEnd::Paused(until) = org.work(&run).await else {
            panic!("the worker waited instead of pausing the run");
        };
        waits.push(until.since(org.now()));
        assert_eq!(org.run(&run).await.attempt, attempt);
        assert_eq!(org.work(&run).await, SliceEnd::NotDue);
        tokio::time::advance(until.since(org.now())).await;
    }
    assert_eq!(
        org.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );

    assert!(waits.is_sorted(), "{waits:?}");
    let allowed = Duration::from_secs(1)..=Duration::from_mins(1);
    assert!(waits.iter().all(|wait| allowed.contains(wait)), "{waits:?}");
    assert!(
        waits.iter().any(|wait| wait.subsec_millis() != 0),
        "no jitter: {waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_page_in_between_sets_the_count_of_failed_answers_back() {
    let klaviyo = klaviyo_with(&list("L1"), 8);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    for _ in 0..4 {
        klaviyo.fail_members(vec![Some(invalid()); 4]);
        klaviyo.fail_members([None]);
    }
    let run = org.work_to_end(&run).await;
    assert_eq!((run.status, run.attempt), (SyncStatus::Success, 1));
}

#[tokio::test(start_paused = true)]
async fn the_look_up_of_the_list_is_tried_as_often() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_others(vec![Some(unavailable()); 5]);

    let run = org.work_to_end(&run).await;

    assert_eq!(run.error.unwrap().code, FailureCode::UpstreamUnavailable);
    assert!(klaviyo.member_calls().is_empty());
}

async fn connection_status(org: &TestOrganization) -> (ConnectionStatus, bool) {
    let settings = org.integration.settings(&org.organization).await.unwrap();
    let connection = settings.connection.unwrap();
    (connection.status, connection.message.is_some())
}

#[tokio::test(start_paused = true)]
async fn an_error_that_another_attempt_cannot_cure_ends_the_run_at_once() {
    for (error, code, is_the_keys_fault) in [
        (KlaviyoError::KeyRejected, FailureCode::KeyInvalid, true),
        (
            KlaviyoError::ScopeMissing(vec!["profiles:read".to_owned()]),
            FailureCode::ScopeMissing,
            true,
        ),
        (KlaviyoError::NotPermitted, FailureCode::ScopeMissing, true),
        (KlaviyoError::NotFound, FailureCode::SourceGone, false),
        (
            KlaviyoError::RevisionRetired,
            FailureCode::UpstreamInvalid,
            false,
        ),
        (
            KlaviyoError::Refused("ordered by the test".to_owned()),
            FailureCode::UpstreamInvalid,
            false,
        ),
    ] {
        let klaviyo = klaviyo_with(&list("L1"), 6);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.imported(&list("L1")).await;
        klaviyo.fail_members([None, Some(error)]);

        assert_eq!(org.work(&run).await, SliceEnd::Finished(SyncStatus::Failed));

        let run = org.run(&run).await;
        assert_eq!(run.error.unwrap().code, code);
        assert_eq!(org.members(&run.id).await, emails(0..2));
        let want = if is_the_keys_fault {
            ConnectionStatus::Error
        } else {
            ConnectionStatus::Active
        };
        assert_eq!(connection_status(&org).await, (want, is_the_keys_fault));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_run_keeps_the_time_of_the_last_success() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    tokio::time::advance(Duration::from_mins(1)).await;
    klaviyo.fail_members([Some(KlaviyoError::NotFound)]);

    let second = org.resynced(&first, false).await;

    assert_eq!(second.status, SyncStatus::Failed);
    let source = org
        .integration
        .audience(&org.organization, &first.audience)
        .await
        .unwrap()
        .source
        .unwrap();
    assert_eq!(source.last_synced_at, first.finished_at);
    assert_eq!(source.data.last_error.as_deref(), Some("source_gone"));
    assert_eq!(org.members(&first.id).await, emails(0..2));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_key_that_reads_a_whole_list_again_makes_the_connection_active() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    klaviyo.fail_members([Some(KlaviyoError::KeyRejected)]);
    org.resynced(&first, false).await;
    assert_eq!(
        connection_status(&org).await,
        (ConnectionStatus::Error, true)
    );

    org.resynced(&first, false).await;

    assert_eq!(
        connection_status(&org).await,
        (ConnectionStatus::Active, false)
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_deleted_during_the_scan_ends_the_run_and_keeps_the_members() {
    let klaviyo: FakeKlaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    klaviyo.change_after_pages(1, |contents| drop(contents.collections.remove(&list("L1"))));

    let second = org.resynced(&first, false).await;

    assert_eq!(second.error.unwrap().code, FailureCode::SourceGone);
    assert_eq!(org.members(&first.id).await, emails(0..6));
}
