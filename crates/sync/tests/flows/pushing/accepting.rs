//! What is made of webhooks that are taken.

use std::time::Duration;

use fanfare_domain::delivery::DeliveryStatus::{Dropped, Pending, Sent};
use fanfare_sync::{Error, Received};
use fanfare_testkit::memory::Operation;
use serde_json::json;

use super::Shop;

const FRESH: Received = Received {
    accepted: true,
    duplicate: false,
};

const REPEAT: Received = Received {
    accepted: true,
    duplicate: true,
};

#[tokio::test(start_paused = true)]
async fn one_act_is_one_event_however_often_it_is_told() {
    let shop = Shop::new(2).await;
    let at =
        |time: &str| json!({"consumerId": shop.people[0].as_str(), "drawId": "d", "wonAt": time});
    let one = at("2026-11-24T11:59:00Z");

    let sent =
        ["whk_1", "whk_1", "whk_2"].map(|id| shop.send(id, "draw.consumer.won", one.clone()));
    let [first, same_id, same_act] = sent;
    // At the same time, so that one unit has all three.
    let (first, same_id, same_act) = tokio::join!(first, same_id, same_act);
    let told = [first, same_id, same_act].map(Result::unwrap);
    let fresh = told.iter().filter(|received| **received == FRESH);
    assert_eq!(fresh.count(), 1, "{told:?}");
    let other = shop
        .send("whk_3", "draw.consumer.won", at("2026-11-24T11:59:01Z"))
        .await;
    assert_eq!(other.unwrap(), FRESH);
    // The id that the act was told under again is known, whatever it says now.
    let later = shop.send("whk_2", "draw.consumer.lost", json!({})).await;
    assert_eq!(later.unwrap(), REPEAT);

    assert_eq!(shop.ends().await, [(Pending, None), (Pending, None)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_accepted_is_sent_or_says_why_not() {
    let shop = Shop::without_events(1).await;
    let person = shop.people[0].to_string();
    let win = json!({"consumerId": person});
    for (id, type_name, data) in [
        ("whk_1", "draw.consumer.won", win.clone()),
        ("whk_2", "unheard.of", win.clone()),
        ("whk_3", "draw.completed", json!({"drawId": "d"})),
    ] {
        let received = shop.send(id, type_name, data).await;
        assert_eq!(received.unwrap(), FRESH, "{id}");
    }
    shop.switch(true).await;
    for (id, type_name, data) in [
        (
            "whk_4",
            "draw.consumer.won",
            json!({"consumerId": "cons_unknown"}),
        ),
        ("whk_5", "draw.consumer.won", json!({})),
        ("whk_6", "queue.consumer.denied", win.clone()),
        ("whk_7", "draw.consumer.won", win),
    ] {
        let received = shop.send(id, type_name, data).await;
        assert_eq!(received.unwrap(), FRESH, "{id}");
    }

    let want = [
        (Dropped, Some("events_off")),
        (Dropped, Some("unknown_type")),
        (Dropped, Some("not_forwarded")),
        (Dropped, Some("no_identifier")),
        (Dropped, Some("no_identifier")),
        (Dropped, Some("not_forwarded")),
        (Pending, None),
    ];
    assert_eq!(shop.ends().await, want);
}

#[tokio::test(start_paused = true)]
async fn another_organizations_event_and_what_is_no_envelope_are_not_taken() {
    let shop = Shop::new(1).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let other = String::from_utf8(shop.body("whk_1", "draw.consumer.won", &json!({}))).unwrap();
    let other = other.replace(organization.as_str(), "org_other");
    let timestamp = (shop.org.now().as_micros() / 1_000_000).to_string();
    for (body, want) in [
        (other.as_str(), Some(false)),
        ("{}", None),
        ("not JSON", None),
    ] {
        let body = body.as_bytes();
        let signature = integration.sign_webhook(organization, &timestamp, body);
        let signature = signature.await.unwrap();
        let webhook = fanfare_sync::Webhook {
            timestamp: &timestamp,
            signature: &signature,
            body,
        };
        let received = integration.receive_webhook(organization, webhook).await;
        match want {
            Some(accepted) => assert_eq!(received.unwrap().accepted, accepted),
            None => assert!(
                matches!(received, Err(Error::NoEnvelope(_))),
                "{received:?}"
            ),
        }
    }
    assert_eq!(shop.deliveries().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_purchase_that_was_told_without_an_amount_takes_it_from_the_order() {
    let shop = Shop::new(1).await;
    let person = shop.people[0].to_string();
    let completed = json!({"consumerId": person, "orderId": "ord_1", "queueId": "q"});
    let paid =
        json!({"consumerId": person, "orderId": "ord_1", "amount": "49.90", "currencyCode": "EUR"});
    shop.send("whk_1", "queue.consumer.completed", completed.clone())
        .await
        .unwrap();
    shop.work().await;
    assert_eq!(shop.writes.calls(), []);

    shop.send("whk_2", "order.completed", paid.clone())
        .await
        .unwrap();
    shop.work_to_end().await;

    let recorded = shop.writes.recorded();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].unique_id.as_str(), "ord_1");
    let value = recorded[0]
        .value
        .as_ref()
        .map(fanfare_domain::writing::Money::amount);
    assert_eq!(value, Some("49.90"));
    let same = (Dropped, Some("same_purchase"));
    assert_eq!(shop.ends().await, [(Sent, None), same]);

    // In the other order, and where the order's event never comes.
    let with_order = |order: &str| {
        let mut data = completed.clone();
        data["orderId"] = order.into();
        data
    };
    let mut paid_first = paid;
    paid_first["orderId"] = "ord_2".into();
    shop.send("whk_3", "order.completed", paid_first)
        .await
        .unwrap();
    shop.send("whk_4", "queue.consumer.completed", with_order("ord_2"))
        .await
        .unwrap();
    shop.send("whk_5", "queue.consumer.completed", with_order("ord_3"))
        .await
        .unwrap();
    shop.work_to_end().await;
    let recorded = shop.writes.recorded();
    let values: Vec<_> = recorded
        .iter()
        .map(|one| (one.unique_id.as_str(), one.value.is_some()))
        .collect();
    assert_eq!(values, [("ord_1", true), ("ord_2", true), ("ord_3", false)]);
}

#[tokio::test(start_paused = true)]
async fn a_webhook_whose_commit_fails_is_not_acknowledged_and_is_one_event_when_it_comes_again() {
    let shop = Shop::new(1).await;
    for operation in [Operation::Begin, Operation::Commit, Operation::CommitAnswer] {
        shop.org.store.fail_next(operation, 1);
        let data =
            json!({"consumerId": shop.people[0].as_str(), "drawId": format!("{operation:?}")});
        let id = format!("whk_{operation:?}");
        let lost = shop.send(&id, "draw.consumer.won", data.clone()).await;
        assert!(
            matches!(lost, Err(error) if error.is_transient()),
            "{operation:?}"
        );
        let again = shop.send(&id, "draw.consumer.won", data).await.unwrap();
        assert!(again.accepted);
    }
    assert_eq!(shop.ends().await, [(Pending, None); 3]);
}

#[tokio::test(start_paused = true)]
async fn an_erased_persons_events_go_and_later_ones_are_not_sent() {
    let shop = Shop::new(2).await;
    shop.win("whk_1", 0).await;
    shop.win("whk_2", 1).await;
    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    integration
        .erase_consumer(organization, &shop.people[0])
        .await
        .unwrap();
    shop.win("whk_3", 0).await;

    shop.work_to_end().await;

    assert_eq!(shop.writes.unique_ids(), ["whk_2"]);
    let want = [(Sent, None), (Dropped, Some("no_identifier"))];
    assert_eq!(shop.ends().await, want);
}

#[tokio::test(start_paused = true)]
async fn old_deliveries_and_keys_of_events_are_deleted() {
    let shop = Shop::new(1).await;
    shop.win("whk_1", 0).await;
    shop.work_to_end().await;
    shop.wait(Duration::from_hours(24 * 30)).await;
    shop.win("whk_2", 0).await;
    shop.wait(Duration::from_hours(24 * 70)).await;

    let (integration, organization) = (&shop.org.integration, &shop.org.organization);
    let kept_for = Duration::from_hours(24 * 90);
    let deleted = integration
        .delete_expired(organization, kept_for)
        .await
        .unwrap();

    assert_eq!((deleted.deliveries, deleted.events), (1, 1));
    assert_eq!(shop.ends().await, [(Pending, None)]);
}
