//! What a run tells of its waits, and how an operator ends a wait for Klaviyo.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::{AccountId, OrganizationId, RunId};
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::{Endpoint, RateLimits, RetryAfter};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::waiting::{WaitReason, Waiting};
use fanfare_domain::work::WorkItem;
use fanfare_sync::engine::{Engine, SliceEnd};
use fanfare_sync::{ConnectRequest, Error, ImportRequest};
use fanfare_testkit::build::{api_key, list};
use fanfare_testkit::clock::PlainSealer;
use tokio_util::sync::CancellationToken;

use crate::test_organization::{TestOrganization, klaviyo_with, members};

/// Three years: what Klaviyo has asked for by mistake.
const YEARS: u64 = 99_999_999;

fn throttled(seconds: u64) -> KlaviyoError {
    KlaviyoError::Throttled(RetryAfter::Seconds(seconds))
}

async fn waiting(org: &TestOrganization, run: &RunId) -> Option<Waiting> {
    org.run(run).await.waiting_at(org.now())
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_what_it_waits_for_from_its_queue_to_its_end() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    klaviyo.announce(RateLimits {
        burst: 75,
        steady: 2,
    });
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let queued = Waiting::for_turn(org.now());
    assert_eq!(waiting(&org, &run).await, Some(queued));
    klaviyo.fail_members([
        Some(throttled(YEARS)),
        Some(KlaviyoError::Unavailable("no answer".to_owned())),
    ]);
    let mut seen = Vec::new();
    loop {
        let end = org.work(&run).await;
        let SliceEnd::Paused(until) = end else {
            assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
            break;
        };
        let now = waiting(&org, &run).await.unwrap();
        assert_eq!(now.until, until);
        seen.push(now.why);
        tokio::time::sleep(until.since(org.now())).await;
        let due = Some(Waiting::for_turn(until));
        assert_eq!(waiting(&org, &run).await, due, "the wait is over");
    }
    assert_eq!(waiting(&org, &run).await, None);
    let want = [WaitReason::RetryAfter, WaitReason::Retry, WaitReason::Quota];
    assert_eq!(seen[..3], want, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wait_of_years_is_named_and_ended_at_once_in_every_process_and_organization_of_the_account()
 {
    let klaviyo = klaviyo_with(&list("L1"), 6).with(list("L2"), "Other", members(0..2));
    klaviyo.change(|klaviyo| klaviyo.account = AccountId::parse("AbC123").ok());
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let (other, theirs) = other_organization(&org).await;
    klaviyo.fail_members([Some(throttled(YEARS))]);
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
    let another_process = Engine::new(org.beside(Arc::new(PlainSealer)), org.pace);
    let work = WorkItem::pull(&other, &theirs);
    let stop = CancellationToken::new();
    let end = another_process.work(&work, &stop).await.unwrap();
    assert!(matches!(end, SliceEnd::Paused(_)), "{end:?}");
    let blocks = org.integration.rate_limit_blocks(&other).await.unwrap();
    let named: Vec<(Endpoint, u64)> = blocks
        .iter()
        .map(|block| (block.endpoint, block.wait.as_secs()))
        .collect();
    assert_eq!(named, [(Endpoint::ListProfiles, YEARS)]);
    tokio::time::advance(Duration::from_secs(1)).await;

    let unblocked = org.integration.unblock(&org.organization).await.unwrap();

    assert_eq!((unblocked.blocks.len(), unblocked.woken), (1, 2));
    let turn = Some(Waiting::for_turn(org.now()));
    assert_eq!(waiting(&org, &run).await, turn);
    let end = another_process.work(&work, &stop).await.unwrap();
    assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
    assert_eq!(
        org.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );
    let again = org.integration.unblock(&org.organization).await.unwrap();
    assert_eq!((again.blocks.len(), again.woken), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_block_after_one_that_was_ended_binds_again() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([Some(throttled(YEARS)), Some(throttled(40))]);
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
    tokio::time::advance(Duration::from_secs(2)).await;
    org.integration.unblock(&org.organization).await.unwrap();

    let until = org.now().plus(Duration::from_secs(40));
    assert_eq!(org.work(&run).await, SliceEnd::Paused(until));

    assert_eq!(org.work(&run).await, SliceEnd::NotDue);
    assert_eq!(klaviyo.member_calls().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_another_try_is_not_woken() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([Some(KlaviyoError::Unavailable("no answer".to_owned()))]);
    assert!(matches!(org.work(&run).await, SliceEnd::Paused(_)));
    let before = waiting(&org, &run).await;

    let unblocked = org.integration.unblock(&org.organization).await.unwrap();

    assert_eq!(unblocked.woken, 0);
    assert_eq!(waiting(&org, &run).await, before);
}

#[tokio::test(start_paused = true)]
async fn an_organization_without_a_connection_has_no_blocks_to_end() {
    let org = TestOrganization::unconnected(&klaviyo_with(&list("L1"), 1)).await;
    let ended = org.integration.unblock(&org.organization).await;
    assert!(matches!(ended, Err(Error::KeyNotFound)), "{ended:?}");
}

/// Another organization with the same Klaviyo account, which imports a list.
async fn other_organization(org: &TestOrganization) -> (OrganizationId, RunId) {
    let integration = &org.integration;
    let made = integration.create_organization("Other").await.unwrap();
    let other = made.organization;
    let request = ConnectRequest {
        api_key: api_key("pk_key1"),
        confirm_account_change: false,
    };
    integration.connect(&other, request).await.unwrap();
    let request = ImportRequest {
        collections: vec![list("L2")],
        refresh_interval_seconds: None,
        actor: "key_1".to_owned(),
    };
    let outcome = integration.import(&other, request).await.unwrap();
    (other, outcome.imported[0].run.clone())
}
