//! What keeps deliveries from being sent for a while.

use std::time::Duration;

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::delivery::DeliveryStatus::{Dropped, Pending, Sent};
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::Store;
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::writing::WriteError;
use fanfare_sync::ConnectRequest;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::api_key;
use fanfare_testkit::fake_writes::WriteFault;

use super::Shop;

impl Shop {
    async fn status(&self) -> (ConnectionStatus, Vec<String>) {
        let (integration, organization) = (&self.org.integration, &self.org.organization);
        let settings = integration.settings(organization).await.unwrap();
        let connection = settings.connection.unwrap();
        (connection.status, connection.missing_scopes)
    }
}

#[tokio::test(start_paused = true)]
async fn being_throttled_counts_as_no_try_and_nothing_is_asked_before_its_time() {
    let shop = Shop::new(3).await;
    let throttled = WriteError::Throttled(RetryAfter::Seconds(90));
    shop.writes.fail_next([WriteFault::Refused(throttled)]);
    shop.win("whk_1", 0).await;
    let asked_at = shop.org.now();
    let SliceEnd::Paused(until) = shop.work().await else {
        panic!("it waits");
    };
    assert_eq!(until.since(asked_at), Duration::from_secs(90));
    // More that comes wakes the work, which asks Klaviyo for nothing.
    shop.win("whk_2", 1).await;
    assert_eq!(shop.work().await, SliceEnd::Paused(until));
    assert_eq!(shop.writes.calls().len(), 1);
    let attempts: Vec<u32> = shop
        .deliveries()
        .await
        .iter()
        .map(|one| one.attempts)
        .collect();
    assert_eq!(attempts, [0, 0]);

    shop.work_to_end().await;
    assert_eq!(shop.ends().await, [(Sent, None); 2]);
}

#[tokio::test(start_paused = true)]
async fn with_a_dead_key_nothing_is_sent_until_it_is_replaced() {
    let shop = Shop::new(2).await;
    shop.writes
        .fail_next([WriteFault::Refused(WriteError::KeyRejected)]);
    shop.win("whk_1", 0).await;
    shop.work().await;
    assert_eq!(shop.status().await.0, ConnectionStatus::Error);
    shop.win("whk_2", 1).await;
    assert_eq!(shop.work().await, SliceEnd::NotDue);
    assert_eq!(shop.org.store_backlog().await, 0);
    shop.wait(Duration::from_hours(100)).await;
    assert_eq!(shop.ends().await, [(Pending, None); 2]);

    shop.org.connect("pk_key2").await.unwrap();
    shop.work_to_end().await;
    assert_eq!(shop.ends().await, [(Sent, None); 2]);
    assert_eq!(shop.writes.calls().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_may_not_send_events_goes_on_reading_and_is_told_of() {
    let shop = Shop::new(1).await;
    let scopes = vec!["events:write".to_owned()];
    let missing = WriteError::ScopeMissing(scopes.clone());
    shop.writes.fail_next([WriteFault::Refused(missing)]);
    shop.win("whk_1", 0).await;
    shop.work().await;
    let (status, missing) = shop.status().await;
    assert_eq!(status, ConnectionStatus::Active);
    assert!(missing.contains(&scopes[0]), "{missing:?}");
    assert_eq!(shop.work().await, SliceEnd::NotDue);

    shop.org.connect("pk_key2").await.unwrap();
    shop.work_to_end().await;
    assert_eq!(shop.ends().await, [(Sent, None)]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_one_account_is_not_sent_to_another() {
    let klaviyo = crate::test_organization::klaviyo_with(&fanfare_testkit::build::list("L1"), 1);
    let account = |id: &str| AccountId::parse(id).unwrap();
    klaviyo.change(|contents| contents.account = Some(account("AbC123")));
    let shop = Shop::on(&klaviyo).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration.disconnect(organization).await.unwrap();
    shop.win("whk_1", 0).await;
    assert_eq!(shop.work().await, SliceEnd::NotDue);
    shop.org.connect("pk_key1").await.unwrap();
    shop.work_to_end().await;
    integration.disconnect(organization).await.unwrap();
    shop.win("whk_2", 0).await;

    klaviyo.change(|contents| contents.account = Some(account("XyZ789")));
    let request = ConnectRequest {
        api_key: api_key("pk_key2"),
        confirm_account_change: true,
    };
    integration.connect(organization, request).await.unwrap();

    assert_eq!(shop.work().await, SliceEnd::NotDue);
    let want = [(Sent, None), (Dropped, Some("account_changed"))];
    assert_eq!(shop.ends().await, want);
    shop.win("whk_3", 0).await;
    shop.work_to_end().await;
    assert_eq!(shop.writes.unique_ids(), ["whk_1", "whk_3"]);
}

#[tokio::test(start_paused = true)]
async fn a_place_in_the_queue_that_was_lost_is_mended() {
    let shop = Shop::new(1).await;
    shop.win("whk_1", 0).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let mut unit = shop.org.store.begin(organization).await.unwrap();
    unit.dequeue(&shop.work_item().key).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(shop.work().await, SliceEnd::NotDue);

    assert_eq!(
        integration.mend_queue(organization).await.unwrap().queued,
        1
    );
    assert_eq!(
        integration.mend_queue(organization).await.unwrap().queued,
        0
    );
    shop.work_to_end().await;
    assert_eq!(shop.ends().await, [(Sent, None)]);
}
