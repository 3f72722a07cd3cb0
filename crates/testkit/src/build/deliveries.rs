//! Deliveries.

use fanfare_domain::delivery::{DeliveryCode, DeliveryKind, NewDelivery, Payload};
use fanfare_domain::events::{Decision, Envelope, EventSettings, Person, PurchaseKey, decide};
use fanfare_domain::ids::{ConsumerId, DeliveryId};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use fanfare_domain::writing::Event;

/// A delivery's id.
pub fn delivery_id(id: &str) -> DeliveryId {
    DeliveryId::parse(id).expect("an id")
}

/// The body of a webhook of Fanfare's, to the organization `org_a`.
pub fn webhook(id: &str, type_name: &str, data: &str) -> String {
    format!(
        r#"{{"id":"{id}","type":"{type_name}","timestamp":"2026-11-24T14:13:20Z","organizationId":"org_a","data":{data}}}"#
    )
}

/// A purchase of a consumer, and what it is known by: without an amount as the queue tells of it, with one as the order does.
pub fn purchase(consumer: &ConsumerId, order: &str, with_amount: bool) -> (Event, PurchaseKey) {
    let (type_name, amount) = if with_amount {
        (
            "order.completed",
            r#","amount":"49.90","currencyCode":"EUR""#,
        )
    } else {
        ("queue.consumer.completed", "")
    };
    let data = format!(r#"{{"consumerId":"{consumer}","orderId":"{order}"{amount}}}"#);
    let body = webhook(&format!("whk_{order}_{with_amount}"), type_name, &data);
    let envelope = Envelope::parse(body.as_bytes()).expect("an envelope");
    let settings = EventSettings {
        enabled: true,
        ..EventSettings::default()
    };
    let person = Person {
        consumer: consumer.clone(),
        profile: None,
        email: Email::parse("ada@example.com").ok(),
        phone: None,
    };
    let at = Timestamp::parse("2026-11-24T14:13:21Z").expect("a time");
    match decide(&envelope, &settings, Some(person), at) {
        Decision::Send {
            event,
            purchase: Some(purchase),
            ..
        } => (*event, purchase),
        other => unreachable!("{other:?}"),
    }
}

/// A delivery that is due at a time, of a purchase.
pub fn pending(id: &str, consumer: &ConsumerId, due: Timestamp) -> NewDelivery {
    let (event, purchase) = purchase(consumer, id, false);
    NewDelivery {
        id: delivery_id(id),
        kind: DeliveryKind::Event,
        type_name: "queue.consumer.completed".to_owned(),
        consumer: Some(consumer.clone()),
        target: Some(event.metric.to_string()),
        outcome: Ok((Payload::Event(Box::new(event)), due)),
        purchase: Some(purchase),
    }
}

/// A delivery that Klaviyo is not told of.
pub fn dropped(id: &str, code: DeliveryCode) -> NewDelivery {
    NewDelivery {
        id: delivery_id(id),
        kind: DeliveryKind::Event,
        type_name: "draw.completed".to_owned(),
        consumer: None,
        target: None,
        outcome: Err(code),
        purchase: None,
    }
}
