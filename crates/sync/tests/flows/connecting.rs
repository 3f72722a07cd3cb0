//! Connecting Klaviyo, connecting it again with another key, and disconnecting it.

use std::time::Duration;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::{Capability, KlaviyoError};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_sync::{ConnectRequest, Error};
use fanfare_testkit::build::{api_key, list};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};

use crate::reading::every_failure;
use crate::test_organization::{TestOrganization, klaviyo_with};

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// A Klaviyo whose keys belong to that account and may say so.
fn klaviyo_of(id: &str) -> FakeKlaviyo {
    let klaviyo = FakeKlaviyo::default();
    klaviyo.change(|contents| contents.account = Some(account(id)));
    klaviyo
}

async fn last4(org: &TestOrganization) -> Option<String> {
    let settings = org.integration.settings(&org.organization).await.unwrap();
    settings.connection.map(|connection| connection.last4)
}

#[tokio::test(start_paused = true)]
async fn every_capability_of_a_key_is_tried_before_it_is_stored() {
    let klaviyo = klaviyo_of("AbC123");
    let org = TestOrganization::unconnected(&klaviyo).await;

    let connection = org
        .connect(" pk_0123456789 ")
        .await
        .unwrap()
        .connection
        .unwrap();

    let tried = [
        Capability::ReadCollections(CollectionKind::List),
        Capability::ReadProfiles,
        Capability::ReadCollections(CollectionKind::Segment),
    ];
    let mut calls = vec![Call::Account];
    calls.extend(tried.map(Call::Probe));
    assert_eq!(klaviyo.calls(), calls);
    assert_eq!(
        (connection.last4.as_str(), connection.status),
        ("6789", ConnectionStatus::Active)
    );
    assert_eq!(
        (connection.account, connection.verified_at),
        (Some(account("AbC123")), org.now())
    );
    assert!(connection.missing_scopes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failed_verification_leaves_the_stored_key_as_it_was() {
    let klaviyo = FakeKlaviyo::default();
    klaviyo.change(|contents| contents.keys = vec!["pk_key1".to_owned()]);
    let org = TestOrganization::on(&klaviyo).await;

    assert!(matches!(
        org.connect("pk_other").await,
        Err(Error::KeyRejected)
    ));
    // The account is told; then the lists are not available, and not the second time either.
    let failure = Some(KlaviyoError::Unavailable("ordered by the test".to_owned()));
    klaviyo.fail_others([None, failure.clone(), failure]);
    assert!(matches!(
        org.connect("pk_key1").await,
        Err(Error::KlaviyoUnreachable(_))
    ));
    klaviyo.change(|contents| contents.missing_scopes = vec!["profiles:read".to_owned()]);
    let Err(Error::ScopeMissing(scopes)) = org.connect("pk_key1").await else {
        panic!("a key that reads no profiles was accepted");
    };
    assert_eq!(scopes, ["profiles:read"]);

    assert_eq!(last4(&org).await.as_deref(), Some("key1"));
}

#[tokio::test(start_paused = true)]
async fn scopes_of_optional_features_are_only_listed() {
    let klaviyo = klaviyo_of("AbC123");
    let optional = ["accounts:read", "segments:read"].map(str::to_owned);
    klaviyo.change(|contents| contents.missing_scopes = optional.to_vec());
    let org = TestOrganization::unconnected(&klaviyo).await;

    let connection = org.connect("pk_key1").await.unwrap().connection.unwrap();

    assert_eq!(connection.missing_scopes, optional);
    assert_eq!(
        (connection.account, connection.status),
        (None, ConnectionStatus::Active)
    );
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_not_to_be_had_costs_the_connection_nothing_but_its_id() {
    for failure in every_failure() {
        if matches!(failure, KlaviyoError::KeyRejected) {
            continue;
        }
        let klaviyo = klaviyo_of("AbC123");
        let org = TestOrganization::unconnected(&klaviyo).await;
        let may_pass = matches!(
            failure,
            KlaviyoError::Unavailable(_) | KlaviyoError::Invalid(_) | KlaviyoError::ForeignLink
        );
        klaviyo.fail_others(vec![Some(failure.clone()); if may_pass { 2 } else { 1 }]);

        let connection = org.connect("pk_key1").await.unwrap().connection.unwrap();

        let got = (connection.account, connection.status);
        assert_eq!(got, (None, ConnectionStatus::Active), "{failure:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_key_keeps_its_account_when_klaviyo_does_not_tell_it() {
    let klaviyo = klaviyo_of("AbC123");
    let org = TestOrganization::on(&klaviyo).await;
    for (key, want) in [("pk_key1", Some(account("AbC123"))), ("pk_other", None)] {
        tokio::time::advance(Duration::from_mins(1)).await;
        klaviyo.fail_others([Some(KlaviyoError::Refused("status 400".to_owned()))]);
        let connection = org.connect(key).await.unwrap().connection.unwrap();
        assert_eq!(connection.account, want);
    }
}

#[tokio::test(start_paused = true)]
async fn an_optional_feature_that_cannot_be_tried_costs_no_connection() {
    for failure in [
        KlaviyoError::Refused("status 400".to_owned()),
        KlaviyoError::Throttled(RetryAfter::Seconds(90)),
    ] {
        let klaviyo = klaviyo_of("AbC123");
        let org = TestOrganization::unconnected(&klaviyo).await;
        // After the account, the lists and the profiles, the segments are tried.
        klaviyo.fail_others([None, None, None, Some(failure)]);
        let connection = org.connect("pk_key1").await.unwrap().connection.unwrap();
        assert!(connection.missing_scopes.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_of_another_account_has_to_be_confirmed() {
    let klaviyo = klaviyo_of("AbC123");
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.change(|contents| contents.account = Some(account("XyZ789")));

    let Err(Error::AccountDiffers { connected, offered }) = org.connect("pk_other").await else {
        panic!("the other account was accepted without confirmation");
    };
    assert_eq!((connected, offered), (account("AbC123"), account("XyZ789")));
    assert_eq!(last4(&org).await.as_deref(), Some("key1"));

    let confirmed = ConnectRequest {
        api_key: api_key("pk_other"),
        confirm_account_change: true,
    };
    org.integration
        .connect(&org.organization, confirmed)
        .await
        .unwrap();
    assert_eq!(last4(&org).await.as_deref(), Some("ther"));
}

#[tokio::test(start_paused = true)]
async fn a_short_wait_for_quota_is_waited_out_and_a_long_one_is_reported() {
    let klaviyo = FakeKlaviyo::default();
    let org = TestOrganization::unconnected(&klaviyo).await;
    let before = org.now();
    // The first call is for the account, the second for the lists.
    klaviyo.fail_others([None, Some(KlaviyoError::Throttled(RetryAfter::Seconds(1)))]);
    org.connect("pk_key1").await.unwrap();
    // The next window of a second begins 50 ms after the last one.
    assert_eq!(org.now().since(before), Duration::from_millis(1_050));

    klaviyo.fail_others([None, Some(KlaviyoError::Throttled(RetryAfter::Seconds(30)))]);
    // The quota of the accounts endpoint is one request a second.
    tokio::time::advance(Duration::from_secs(1)).await;
    let Err(Error::KlaviyoThrottled(wait)) = org.connect("pk_key1").await else {
        panic!("the caller was not told to wait");
    };
    assert_eq!(wait, Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn the_same_key_keeps_its_account_when_the_quota_does_not_allow_to_ask_for_it() {
    let klaviyo = klaviyo_of("AbC123");
    let org = TestOrganization::on(&klaviyo).await;
    // The quota of the accounts endpoint is fifteen requests a minute.
    for _ in 0..17 {
        let connection = org.connect("pk_key1").await.unwrap().connection.unwrap();
        assert_eq!(connection.account, Some(account("AbC123")));
    }
    // Whether another key's account differs cannot be known without asking.
    assert!(matches!(
        org.connect("pk_other").await,
        Err(Error::KlaviyoThrottled(_))
    ));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_block_binds_the_connection_also_once_its_account_is_known() {
    let klaviyo = klaviyo_with(&list("L1"), 4);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.fail_members([Some(KlaviyoError::Throttled(RetryAfter::Seconds(300)))]);
    let until = org.now().plus(Duration::from_mins(5));
    assert_eq!(org.work(&run).await, SliceEnd::Paused(until));

    klaviyo.change(|contents| contents.account = Some(account("AbC123")));
    org.connect("pk_key1").await.unwrap();
    let cancelled = org
        .integration
        .cancel_run(&org.organization, &run)
        .await
        .unwrap();
    let next = org
        .integration
        .sync_audience(&org.organization, &cancelled.audience, false)
        .await;

    assert_eq!(org.work(&next.unwrap().run).await, SliceEnd::Paused(until));
    assert_eq!(klaviyo.member_calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn disconnecting_deletes_the_key_cancels_active_runs_and_keeps_the_audiences() {
    let klaviyo = klaviyo_with(&list("L1"), 4).with(
        list("L2"),
        "Other",
        Vec::<fanfare_domain::profile::Profile>::new(),
    );
    let org = TestOrganization::on(&klaviyo).await;
    let done = org.synced(&list("L1")).await;
    let queued = org.imported(&list("L2")).await;

    org.integration.disconnect(&org.organization).await.unwrap();

    assert_eq!(last4(&org).await, None);
    let cancelled = org.run(&queued).await;
    assert_eq!(cancelled.status, SyncStatus::Failed);
    assert_eq!(cancelled.error.unwrap().code, FailureCode::Cancelled);
    assert_eq!(org.work(&queued).await, SliceEnd::NotDue);
    assert_eq!(org.members(&done.id).await.len(), 4);
    assert!(matches!(
        org.import(&[list("L1")]).await,
        Err(Error::KeyNotFound)
    ));
}
