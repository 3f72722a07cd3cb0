//! Previews, confirmations, and pushes of everything.

use std::time::Duration;

use fanfare_domain::delivery::{DeliveryCode, DeliveryFilter, DeliveryKind, DeliveryStatus};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::push::{ConfirmationRefused, MustConfirm, RowStanding};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::writing::{Flow, FlowStatus, WriteError};
use fanfare_sync::{Error, NotConfirmed};
use fanfare_testkit::fake_writes::{Direction, WriteFault};

use super::{ALL, Shop, list_id, places};

fn live(id: &str) -> Flow {
    Flow {
        id: id.to_owned(),
        name: Some("Welcome".to_owned()),
        status: FlowStatus::Live,
        archived: false,
        trigger_type: Some("Added to List".to_owned()),
    }
}

#[tokio::test(start_paused = true)]
async fn a_push_adds_whom_its_preview_has_shown_and_claims_nobody_who_was_there() {
    let shop = Shop::new(6).await;
    shop.add(0..5).await;
    shop.choose("L2").await.unwrap();
    for place in [1, 5] {
        shop.writes
            .by_hand(Direction::Add, &list_id("L2"), &shop.people[place].1);
    }
    shop.writes.set_flows(Some(vec![live("F1")]));

    let shown = shop.preview().await;
    let preview = &shown.confirmation.preview;
    assert_eq!((preview.adds, preview.removes, preview.unknown), (4, 0, 0));
    assert_eq!(preview.flows.as_ref().map(Vec::len), Some(1));
    assert!(shown.is_exact);
    assert_eq!(shown.must_confirm, Some(MustConfirm::Mails(4)));
    let run = shop.push().await;

    assert_eq!((run.status, run.progress.added), (SyncStatus::Success, 4));
    assert_eq!(run.progress.processed, 5);
    assert_eq!(shop.in_list("L2"), places(0..6));
    let ledger = shop.ledger().await;
    let theirs = ledger
        .iter()
        .filter(|row| row.standing == RowStanding::Theirs);
    assert_eq!((ledger.len(), theirs.count()), (6, 2));
    assert!(shop.kept().await.is_followed());
    // Whoever was there before stays, whatever happens to their membership.
    shop.remove([0, 1]).await;
    let run = shop.push().await;
    assert_eq!(run.progress.removed, 1);
    assert_eq!(shop.in_list("L2"), places(1..6));
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn whoever_is_suppressed_is_counted_apart() {
    let shop = Shop::new(3).await;
    shop.add(0..3).await;
    shop.choose("L2").await.unwrap();
    let emails = shop.org.consumers().await;
    let email = emails[0].email.as_ref().unwrap().as_str();
    shop.writes.suppress(email);
    let preview = shop.preview().await.confirmation.preview;
    assert_eq!((preview.adds, preview.suppressed), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_push_needs_the_confirmation_of_what_it_does_now() {
    let shop = Shop::new(5).await;
    shop.add(0..3).await;
    shop.choose("L2").await.unwrap();
    let required = |result: Result<_, Error>| match result {
        Err(Error::ConfirmationRequired(why)) => why,
        other => panic!("{other:?}"),
    };
    let missing = required(shop.start(None).await);
    assert_eq!(missing, NotConfirmed::Missing(MustConfirm::First));
    let shown = shop.preview().await.confirmation.text;
    let wrong = required(shop.start(Some("wrong")).await);
    assert_eq!(wrong, NotConfirmed::Refused(ConfirmationRefused::Unknown));
    shop.add([3]).await;
    let more = required(shop.start(Some(&shown)).await);
    assert_eq!(more, NotConfirmed::Refused(ConfirmationRefused::More));
    shop.remove([3]).await;
    shop.writes.set_flows(Some(vec![live("F9")]));
    let more = required(shop.start(Some(&shown)).await);
    assert_eq!(more, NotConfirmed::Refused(ConfirmationRefused::More));
    shop.writes.set_flows(Some(Vec::new()));
    shop.wait(Duration::from_mins(15)).await;
    let old = required(shop.start(Some(&shown)).await);
    assert_eq!(old, NotConfirmed::Refused(ConfirmationRefused::Old));
    let shown = shop.preview().await.confirmation.text;
    shop.start(Some(&shown)).await.unwrap();
    let second = shop.start(Some(&shown)).await;
    assert!(matches!(second, Err(Error::SyncInProgress)), "{second:?}");
    assert_eq!(shop.writes.list_calls(), [], "no worker has come to it yet");
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places(0..3));
    // Nothing more is to be done, and that needs nobody.
    let run = shop.start(None).await.unwrap();
    shop.work_to_rest().await;
    assert_eq!(shop.run(&run).await.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_lost_change_nothing_at_the_end() {
    for fault in [WriteFault::AnswerLost, WriteFault::RequestLost] {
        let shop = Shop::new(4).await;
        shop.add(0..4).await;
        shop.choose("L2").await.unwrap();
        let shown = shop.preview().await.confirmation.text;
        let run = shop.start(Some(&shown)).await.unwrap();
        shop.writes.fail_next([fault.clone(), fault]);
        shop.work_to_rest().await;
        let run = shop.run(&run).await;
        assert_eq!((run.status, run.progress.added), (SyncStatus::Success, 4));
        assert_eq!(shop.in_list("L2"), places(0..4));
        let all_added = shop
            .ledger()
            .await
            .iter()
            .all(|row| row.standing == RowStanding::Added);
        assert!(all_added);
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_klaviyo_does_not_know_costs_only_itself() {
    let shop = Shop::new(5).await;
    shop.add(0..5).await;
    // What changes in the very moment of a push is looked at once more.
    shop.wait(Duration::from_secs(1)).await;
    shop.choose("L2").await.unwrap();
    let gone = shop.people[2].1.clone();
    shop.klaviyo.change(|contents| {
        for (_, members) in contents.collections.values_mut() {
            members.retain(|one| one.id != gone);
        }
    });
    let run = shop.push().await;
    assert_eq!(
        (run.status, run.progress.added, run.progress.skipped),
        (SyncStatus::Success, 4, 1)
    );
    assert_eq!(shop.in_list("L2"), places([0, 1, 3, 4]));
    let filter = DeliveryFilter {
        kind: Some(DeliveryKind::Membership),
        ..DeliveryFilter::default()
    };
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let told = integration
        .deliveries(organization, &filter, &ALL)
        .await
        .unwrap()
        .items;
    let sent = told.iter().filter(|one| one.status == DeliveryStatus::Sent);
    assert_eq!((told.len(), sent.count()), (5, 4));
    let dropped = told
        .iter()
        .find(|one| one.status == DeliveryStatus::Dropped)
        .unwrap();
    assert_eq!(dropped.code, Some(DeliveryCode::UnknownInKlaviyo));
    assert_eq!(dropped.consumer.as_ref(), Some(&shop.people[2].0));
    assert_eq!(dropped.target.as_deref(), Some("L2"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_and_a_list_that_is_gone_end_the_push() {
    let refused = WriteFault::Refused(WriteError::KeyRejected);
    let shop = Shop::new(2).await;
    shop.add(0..2).await;
    shop.choose("L2").await.unwrap();
    let shown = shop.preview().await.confirmation.text;
    let run = shop.start(Some(&shown)).await.unwrap();
    shop.writes.fail_next([refused]);
    shop.work_to_rest().await;
    let run = shop.run(&run).await;
    assert_eq!(run.error.unwrap().code, FailureCode::KeyInvalid);
    // With a good key it is confirmed and pushed anew; what was begun is not lost.
    shop.org.connect("pk_key2").await.unwrap();
    let run = shop.push().await;
    assert_eq!(run.status, SyncStatus::Success);
    assert_eq!(shop.in_list("L2"), places(0..2));

    let shown = shop.preview().await.confirmation.text;
    let run = shop.start(Some(&shown)).await.unwrap();
    shop.klaviyo.change(|contents| {
        contents.collections.remove(&super::list_ref("L2"));
    });
    shop.work_to_rest().await;
    let run = shop.run(&run).await;
    assert_eq!(run.error.unwrap().code, FailureCode::SourceGone);
    assert!(!shop.kept().await.is_followed());
}

#[tokio::test(start_paused = true)]
async fn a_push_that_is_cancelled_stays_ended() {
    let shop = Shop::new(2).await;
    shop.add(0..2).await;
    shop.choose("L2").await.unwrap();
    let shown = shop.preview().await.confirmation.text;
    let run = shop.start(Some(&shown)).await.unwrap();
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let ended = integration
        .cancel_any_run(organization, &run)
        .await
        .unwrap();
    assert_eq!(ended.status(), SyncStatus::Failed);
    let again = integration.cancel_any_run(organization, &run).await;
    assert!(matches!(again, Err(Error::RunFinished)), "{again:?}");
    shop.work_to_rest().await;
    assert_eq!(shop.writes.list_calls(), []);
    let all = integration
        .all_runs(organization, &shop.audience, &ALL)
        .await
        .unwrap();
    assert_eq!(all.items, [ended]);
}
