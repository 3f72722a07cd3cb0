//! How events reach Klaviyo, and what becomes of those that do not.

use std::time::Duration;

use fanfare_domain::delivery::DeliveryStatus::{Failed, Sent};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::writing::{ContentRefusal, WriteError};
use fanfare_sync::Error;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::fake_writes::{EventCall, WriteFault};

use super::Shop;

#[tokio::test(start_paused = true)]
async fn an_event_alone_is_sent_at_once_by_itself_and_the_queue_is_left() {
    let shop = Shop::new(1).await;
    let mut notified = shop.org.store.notifications();
    shop.win("whk_1", 0).await;
    assert_eq!(notified.recv().await, Some(shop.work_item()));

    assert_eq!(shop.work().await, SliceEnd::Finished(SyncStatus::Success));

    assert_eq!(shop.writes.calls(), [EventCall::Single("whk_1".to_owned())]);
    let recorded = shop.writes.recorded();
    assert_eq!(recorded[0].metric.as_str(), "Fanfare Draw Winner");
    assert_eq!(shop.ends().await, [(Sent, None)]);
    assert_eq!(shop.org.store_backlog().await, 0);
    assert_eq!(shop.work().await, SliceEnd::NotDue);
    shop.win("whk_2", 0).await;
    assert_eq!(notified.recv().await, Some(shop.work_item()));
    shop.work_to_end().await;
    assert_eq!(shop.writes.unique_ids(), ["whk_1", "whk_2"]);
}

#[tokio::test(start_paused = true)]
async fn many_events_go_at_once_and_those_of_one_person_one_after_the_other() {
    let shop = Shop::new(120).await;
    for person in 0..120 {
        shop.win(&format!("whk_{person}"), person).await;
    }
    shop.win("whk_again", 7).await;
    shop.work_to_end().await;

    let calls = shop.writes.calls();
    assert!(
        matches!(&calls[0], EventCall::Bulk(ids) if ids.len() == 120),
        "{calls:?}"
    );
    assert_eq!(calls[1..], [EventCall::Single("whk_again".to_owned())]);
    assert_eq!(shop.writes.recorded().len(), 121);
}

#[tokio::test(start_paused = true)]
async fn what_one_bulk_job_does_not_hold_goes_in_two_of_which_each_is_answered_by_itself() {
    let shop = Shop::new(1_100).await;
    for person in 0..1_100 {
        shop.win(&format!("whk_{person}"), person).await;
    }
    shop.writes.fail_next([WriteFault::AnswerLost]);
    shop.work_to_end().await;

    let calls = shop.writes.calls().into_iter();
    let sizes: Vec<usize> = calls
        .map(|call| match call {
            EventCall::Bulk(ids) => ids.len(),
            EventCall::Single(_) => 1,
        })
        .collect();
    assert_eq!(sizes, [1_000, 100, 1_000], "the first is sent again");
    assert_eq!(shop.writes.recorded().len(), 1_100);
    assert!(shop.ends().await.iter().all(|end| *end == (Sent, None)));
}

#[tokio::test(start_paused = true)]
async fn one_bad_event_of_many_costs_itself_alone() {
    for names_rows in [true, false] {
        let shop = Shop::new(100).await;
        for person in 0..100 {
            shop.win(&format!("whk_{person}"), person).await;
        }
        shop.writes.refuse("whk_61", names_rows);
        shop.work_to_end().await;

        assert_eq!(shop.writes.recorded().len(), 99);
        let ends = shop.ends().await;
        assert_eq!(ends[61], (Failed, Some("refused")));
        assert_eq!(ends.iter().filter(|end| **end == (Sent, None)).count(), 99);
        let calls = shop.writes.calls().len();
        // Halving uses up the ten bulk jobs of a second; what is left goes singly.
        assert!(calls <= if names_rows { 2 } else { 60 }, "{calls} calls");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_lost_is_asked_for_again_and_makes_no_second_event() {
    let shop = Shop::new(60).await;
    shop.writes
        .fail_next([WriteFault::AnswerLost, WriteFault::RequestLost]);
    shop.win("whk_1", 0).await;
    shop.work_to_end().await;

    assert_eq!(shop.writes.calls().len(), 3);
    assert_eq!(shop.writes.unique_ids(), ["whk_1"]);
    let delivery = &shop.deliveries().await[0];
    assert_eq!((delivery.status, delivery.attempts), (Sent, 3));

    // The same for many at once.
    for person in 0..60 {
        shop.win(&format!("many_{person}"), person).await;
    }
    shop.writes.fail_next([WriteFault::AnswerLost]);
    shop.work_to_end().await;
    assert_eq!(shop.writes.recorded().len(), 61);
}

#[tokio::test(start_paused = true)]
async fn what_comes_later_of_a_person_waits_for_what_came_first() {
    let shop = Shop::new(2).await;
    let unknown = || WriteFault::RequestLost;
    shop.win("whk_1", 0).await;
    shop.writes.fail_next([unknown()]);
    assert!(matches!(shop.work().await, SliceEnd::Paused(_)));
    shop.win("whk_2", 0).await;
    shop.win("whk_3", 1).await;
    shop.work_to_end().await;
    assert_eq!(shop.writes.unique_ids(), ["whk_3", "whk_1", "whk_2"]);
}

#[tokio::test(start_paused = true)]
async fn klaviyo_is_asked_for_two_days_and_then_somebody_may_ask_again() {
    let shop = Shop::new(1).await;
    let begun = shop.org.now();
    shop.win("whk_1", 0).await;
    shop.writes.fail_next(vec![WriteFault::RequestLost; 200]);
    shop.work_to_end().await;

    let delivery = shop.deliveries().await.remove(0);
    assert_eq!(shop.ends().await, [(Failed, Some("upstream_unavailable"))]);
    let tried_for = shop.org.now().since(begun);
    let two_days = Duration::from_hours(48);
    assert!(
        tried_for >= two_days && tried_for < two_days + Duration::from_hours(1),
        "{tried_for:?}"
    );
    assert_eq!(shop.writes.calls().len(), delivery.attempts as usize);

    shop.writes.forget_faults();
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let retried = integration.retry_delivery(organization, &delivery.id).await;
    assert_eq!(retried.unwrap().attempts, 0);
    shop.work_to_end().await;
    assert_eq!(shop.ends().await, [(Sent, None)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_its_content_fails_at_once() {
    let shop = Shop::new(1).await;
    shop.win("whk_1", 0).await;
    let refusal = ContentRefusal {
        status: 400,
        rows: Vec::new(),
    };
    let refused = WriteFault::Refused(WriteError::ContentRefused(refusal));
    shop.writes.fail_next([refused]);
    shop.work().await;
    assert_eq!(shop.ends().await, [(Failed, Some("refused"))]);
    let delivery = &shop.deliveries().await[0];
    assert_eq!(delivery.detail.as_deref(), Some("status 400"));

    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration
        .retry_delivery(organization, &delivery.id)
        .await
        .unwrap();
    shop.work_to_end().await;
    assert_eq!(shop.ends().await, [(Sent, None)]);
    let sent = integration.retry_delivery(organization, &delivery.id).await;
    assert!(matches!(sent, Err(Error::NotRetriable)), "{sent:?}");
}
