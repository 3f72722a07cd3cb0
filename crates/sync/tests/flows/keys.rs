//! Keys that are replaced, or no longer open, while a run is under way.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::{KeySealer, SealError};
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;
use fanfare_testkit::clock::PlainSealer;

use crate::mocks::MockSealer;
use crate::test_organization::{TestOrganization, emails, klaviyo_with, poll_until};

#[tokio::test(start_paused = true)]
async fn a_replaced_key_is_used_from_the_next_slice_on() {
    let klaviyo = klaviyo_with(&list("L1"), 8);
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.slice = Duration::ZERO;
    let run = org.imported(&list("L1")).await;
    let mut worker = org.worker(&run);
    poll_until(&mut worker, || klaviyo.member_calls().len() == 1);
    org.connect("pk_new").await.unwrap();
    // From here on Klaviyo accepts only the new key; it has accepted the call under way already.
    klaviyo.change(|contents| contents.keys = vec!["pk_new".to_owned()]);

    assert_eq!(
        worker.await.unwrap(),
        SliceEnd::Finished(SyncStatus::Success)
    );
    assert_eq!(org.members(&run).await, emails(0..8));
}

/// An organization that replaces its key soon revokes the old one, and the run must not fail because of that.
#[tokio::test(start_paused = true)]
async fn a_key_that_was_replaced_and_revoked_within_a_slice_costs_a_slice_and_not_the_run() {
    let klaviyo = klaviyo_with(&list("L1"), 8);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let mut worker = org.worker(&run);
    poll_until(&mut worker, || klaviyo.member_calls().len() == 2);
    org.connect("pk_new").await.unwrap();
    klaviyo.change(|contents| contents.keys = vec!["pk_new".to_owned()]);

    assert_eq!(worker.await.unwrap(), SliceEnd::Yielded);
    let connection = org
        .integration
        .settings(&org.organization)
        .await
        .unwrap()
        .connection
        .unwrap();
    assert_eq!(connection.status, ConnectionStatus::Active);
    assert_eq!(
        org.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );
    assert_eq!(org.members(&run).await, emails(0..8));
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_key_no_longer_opens_fails_and_says_what_to_do() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let mut sealer = MockSealer::new();
    sealer
        .expect_seal()
        .returning(|organization, key| PlainSealer.seal(organization, key));
    // It opens once, for the import, and then never again.
    let mut opened = 0;
    sealer.expect_open().returning(move |organization, sealed| {
        opened += 1;
        if opened == 1 {
            PlainSealer.open(organization, sealed)
        } else {
            Err(SealError::UnknownForm(2))
        }
    });
    let org = TestOrganization::wired(Arc::new(klaviyo.clone()), Arc::new(sealer)).await;
    org.connect("pk_key1").await.unwrap();
    let run = org.imported(&list("L1")).await;

    assert_eq!(org.work(&run).await, SliceEnd::Finished(SyncStatus::Failed));

    let error = org.run(&run).await.error.unwrap();
    assert_eq!(error.code, FailureCode::KeyInvalid);
    assert!(error.message.contains("Connect Klaviyo again"));
    assert!(klaviyo.member_calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_stops_opening_between_two_slices_ends_the_run_the_same_way() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let mut sealer = MockSealer::new();
    sealer
        .expect_seal()
        .returning(|organization, key| PlainSealer.seal(organization, key));
    let mut opened = 0;
    sealer.expect_open().returning(move |organization, sealed| {
        opened += 1;
        if opened <= 3 {
            PlainSealer.open(organization, sealed)
        } else {
            Err(SealError::DoesNotOpen)
        }
    });
    let mut org = TestOrganization::wired(Arc::new(klaviyo.clone()), Arc::new(sealer)).await;
    org.pace.slice = Duration::ZERO;
    org.connect("pk_key1").await.unwrap();
    let run = org.imported(&list("L1")).await;

    assert_eq!(org.work(&run).await, SliceEnd::Finished(SyncStatus::Failed));

    assert_eq!(
        org.run(&run).await.error.unwrap().code,
        FailureCode::KeyInvalid
    );
}
