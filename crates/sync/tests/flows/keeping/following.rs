//! Changes of an audience, followed in its list.

use std::time::Duration;

use fanfare_domain::delivery::{DeliveryCode, DeliveryFilter, DeliveryStatus};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::push::{MustConfirm, PushMode, RowStanding};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::writing::{Flow, FlowStatus};
use fanfare_sync::ListChoice;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::fake_writes::Direction;

use super::{ALL, Shop, list_id, places};

#[tokio::test(start_paused = true)]
async fn each_change_is_followed_and_a_burst_is_few_pushes() {
    let shop = Shop::keeping(12, 3).await;
    let before = shop.writes.list_calls().len();
    for place in 3..10 {
        shop.add([place]).await;
        shop.wait(Duration::from_millis(500)).await;
    }
    shop.remove([0, 1]).await;
    shop.work_to_rest().await;

    assert_eq!(shop.in_list("L2"), places(2..10));
    let runs = shop.runs().await;
    let following: Vec<_> = runs
        .iter()
        .filter(|run| run.mode == PushMode::Following)
        .collect();
    assert!(following.len() <= 2, "{following:?}");
    assert!(
        following
            .iter()
            .all(|run| run.status == SyncStatus::Success)
    );
    assert!(shop.writes.list_calls().len() - before <= 4);
    // Nothing has changed since: no further push is made.
    let calls = shop.writes.list_calls().len();
    shop.wait(Duration::from_mins(1)).await;
    shop.work_to_rest().await;
    assert_eq!(shop.writes.list_calls().len(), calls);
    assert_eq!(shop.runs().await.len(), runs.len());
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn whom_others_put_into_the_list_is_not_claimed_when_they_join_later() {
    let shop = Shop::keeping(4, 1).await;
    shop.writes
        .by_hand(Direction::Add, &list_id("L2"), &shop.people[2].1);
    shop.add([2, 3]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places([0, 2, 3]));
    shop.remove([2, 3]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places([0, 2]));
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn whom_somebody_took_off_by_hand_is_not_added_again() {
    let shop = Shop::keeping(4, 3).await;
    shop.writes
        .by_hand(Direction::Remove, &list_id("L2"), &shop.people[1].1);
    // The daily reading of all members finds it.
    shop.wait(Duration::from_hours(25)).await;
    shop.work_to_rest().await;
    let ledger = shop.ledger().await;
    let row = ledger
        .iter()
        .find(|row| row.profile == shop.people[1].1)
        .unwrap();
    assert_eq!(row.standing, RowStanding::TakenOff);
    assert_eq!(shop.in_list("L2"), places([0, 2]));

    shop.remove([1]).await;
    shop.work_to_rest().await;
    shop.add([1]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places([0, 2]));
    let dropped = DeliveryFilter {
        status: Some(DeliveryStatus::Dropped),
        ..DeliveryFilter::default()
    };
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let told = integration
        .deliveries(organization, &dropped, &ALL)
        .await
        .unwrap()
        .items;
    assert!(
        told.iter()
            .any(|one| one.code == Some(DeliveryCode::TakenOff))
    );
}

#[tokio::test(start_paused = true)]
async fn more_people_than_the_limit_or_another_live_flow_wait_for_a_person() {
    let shop = Shop::keeping(12, 1).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration.set_push_limit(organization, 4).await.unwrap();
    shop.add(1..7).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places([0]));
    assert_eq!(shop.kept().await.waits_for, Some(MustConfirm::TooMany));
    let run = shop.runs().await.remove(0);
    assert_eq!(run.error.unwrap().code, FailureCode::ConfirmationNeeded);
    // Somebody confirms, and then it is followed again.
    shop.push().await;
    assert_eq!(shop.in_list("L2"), places(0..7));
    shop.add([7]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places(0..8));

    shop.writes.set_flows(Some(vec![Flow {
        id: "F1".to_owned(),
        name: None,
        status: FlowStatus::Live,
        archived: false,
        trigger_type: None,
    }]));
    shop.add([8]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places(0..8));
    assert_eq!(shop.kept().await.waits_for, Some(MustConfirm::Mails(1)));
    shop.push().await;
    // Leaving mails nobody, and the flow was shown.
    shop.add([9]).await;
    shop.remove([0]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places(1..10));
    shop.writes.set_flows(None);
    shop.add([10]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.kept().await.waits_for, Some(MustConfirm::FlowsUnknown));
}

#[tokio::test(start_paused = true)]
async fn an_erased_person_leaves_the_list_and_then_the_ledger() {
    let shop = Shop::keeping(3, 3).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration
        .erase_consumer(organization, &shop.people[1].0)
        .await
        .unwrap();
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places([0, 2]));
    let ledger = shop.ledger().await;
    assert!(
        ledger.iter().all(|row| row.profile != shop.people[1].1),
        "{ledger:?}"
    );
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn what_a_sync_changes_is_followed_too() {
    let shop = Shop::new(4).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let all = integration
        .audiences(organization, &ALL)
        .await
        .unwrap()
        .items;
    let synced = all
        .into_iter()
        .find(|record| record.source.is_some())
        .unwrap();
    let shop = Shop {
        audience: synced.audience.id,
        ..shop
    };
    shop.choose("L2").await.unwrap();
    shop.push().await;
    assert_eq!(shop.in_list("L2"), places(0..4));

    let gone = shop.people[3].1.clone();
    shop.writes
        .by_hand(Direction::Remove, &list_id("L1"), &gone);
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let started = integration
        .sync_audience(organization, &shop.audience, true)
        .await
        .unwrap();
    shop.org.work_to_end(&started.run).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places(0..3));
    shop.assert_no_breach();
}

#[tokio::test(start_paused = true)]
async fn an_audience_that_is_archived_or_kept_nowhere_is_followed_no_more() {
    let shop = Shop::keeping(3, 2).await;
    shop.choose_any(ListChoice::None).await.unwrap();
    shop.add([2]).await;
    assert_eq!(shop.work().await, SliceEnd::NotDue);
    assert_eq!(shop.in_list("L2"), places(0..2), "whoever is there stays");

    let shop = Shop::keeping(3, 2).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration
        .archive_audience(organization, &shop.audience, "key_1")
        .await
        .unwrap();
    assert_eq!(shop.work().await, SliceEnd::NotDue);
    assert_eq!(
        integration
            .kept_list(organization, &shop.audience)
            .await
            .unwrap(),
        None
    );
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_has_lost_a_lists_work_is_mended() {
    let shop = Shop::keeping(3, 2).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let mut unit = fanfare_domain::ports::Store::begin(&shop.org.store, organization)
        .await
        .unwrap();
    unit.dequeue(&shop.work_item().key).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(
        integration.mend_queue(organization).await.unwrap().queued,
        1
    );
    shop.add([2]).await;
    shop.work_to_rest().await;
    assert_eq!(shop.in_list("L2"), places(0..3));
}
