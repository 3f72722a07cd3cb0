//! Answers of Klaviyo's that are no pages.

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
    KlaviyoError::Unavailable("played".to_owned())
}

fn invalid() -> KlaviyoError {
    KlaviyoError::Invalid("played".to_owned())
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
            "what was read stays"
        );
        assert_eq!(run.progress.members_removed, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn tries_are_one_to_sixty_seconds_apart_without_a_worker_and_ever_longer() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members(vec![Some(unavailable()); 4]);
    let mut waits = Vec::new();
    for attempt in 1..=4 {
        let SliceEnd::Paused(until) = org.work(&run).await else {
            panic!("the worker was held");
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
async fn a_page_in_between_forgives_failed_answers() {
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
async fn the_lists_own_look_up_is_tried_as_often() {
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
async fn what_another_try_cannot_cure_ends_the_run_at_once() {
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
            KlaviyoError::Refused("played".to_owned()),
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
        .source;
    assert_eq!(source.last_synced_at, first.finished_at);
    assert_eq!(source.data.last_error.as_deref(), Some("source_gone"));
    assert_eq!(org.members(&first.id).await, emails(0..2));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_reads_a_whole_list_again_is_no_longer_in_doubt() {
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
async fn a_list_that_is_deleted_during_the_walk_ends_the_run_and_keeps_the_members() {
    let klaviyo: FakeKlaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    klaviyo.change_after_pages(1, |contents| drop(contents.collections.remove(&list("L1"))));

    let second = org.resynced(&first, false).await;

    assert_eq!(second.error.unwrap().code, FailureCode::SourceGone);
    assert_eq!(org.members(&first.id).await, emails(0..6));
}
