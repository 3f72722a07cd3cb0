//! What becomes of Fanfare's webhooks.

use std::collections::BTreeMap;
use std::time::Duration;

use fanfare_domain::delivery::DeliveryCode;
use fanfare_domain::events::{Act, Decision, Envelope, EventSettings, EventType, Person, decide};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, Phone};
use fanfare_domain::writing::{Event, MetricName, Money, PersonalText};
use serde_json::{Value, json};

const CAME: &str = "2026-11-29T10:00:01.5Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn envelope(id: &str, type_name: &str, data: &Value) -> Envelope {
    let body = json!({"id": id, "type": type_name, "timestamp": "2026-11-29T10:00:00Z",
        "organizationId": "org_1", "data": data});
    Envelope::parse(body.to_string().as_bytes()).unwrap()
}

fn settings() -> EventSettings {
    EventSettings {
        enabled: true,
        ..EventSettings::default()
    }
}

fn nobody() -> Person {
    Person {
        consumer: ConsumerId::parse("cons_1").unwrap(),
        profile: None,
        email: None,
        phone: None,
    }
}

fn ada() -> Person {
    Person {
        email: Email::parse("ada@example.com").ok(),
        phone: Phone::parse("+12025550101").ok(),
        ..nobody()
    }
}

fn sent(decision: Decision) -> (Event, Option<String>, Option<Timestamp>) {
    match decision {
        Decision::Send {
            event,
            purchase,
            hold_until,
        } => (
            *event,
            purchase.map(|key| key.as_str().to_owned()),
            hold_until,
        ),
        Decision::Drop(code) => panic!("it is dropped: {code}"),
    }
}

fn dropped(decision: &Decision) -> DeliveryCode {
    match decision {
        Decision::Drop(code) => *code,
        Decision::Send { .. } => panic!("it is sent"),
    }
}

#[test]
fn an_event_is_frozen_with_its_time_its_id_and_its_person() {
    let data = json!({"consumerId": "cons_1", "drawId": "draw_1", "wonAt": "2026-11-29T09:59:58.9Z",
        "admissionToken": "canary", "winnerPosition": 3});
    let won = envelope("whk_1", "draw.consumer.won", &data);
    let (event, purchase, hold) = sent(decide(&won, &settings(), Some(ada()), at(CAME)));
    assert_eq!(event.metric.as_str(), "Fanfare Draw Winner");
    assert_eq!(event.unique_id.as_str(), "whk_1");
    assert_eq!(event.at, at("2026-11-29T09:59:58Z"));
    assert_eq!((purchase, hold, event.backfill), (None, None, false));
    let want = json!({"consumer_id": "cons_1", "draw_id": "draw_1", "fanfare_event_id": "whk_1",
        "winner_position": 3, "won_at": "2026-11-29T09:59:58.9Z"});
    assert_eq!(
        serde_json::from_str::<Value>(event.properties.as_str()).unwrap(),
        want
    );
    let stored = serde_json::to_string(&event).unwrap();
    let read: Event = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, event);
    assert!(!format!("{event:?}").contains("ada@"));
}

#[test]
fn a_person_is_known_by_one_identifier_the_best_there_is() {
    let left = envelope(
        "whk_1",
        "queue.consumer.left",
        &json!({"consumerId": "cons_1"}),
    );
    let person = |person| {
        let (event, ..) = sent(decide(&left, &settings(), Some(person), at(CAME)));
        let ids = event.person;
        let text = |text: Option<&PersonalText>| text.map(|text| text.as_str().to_owned());
        (
            ids.profile.map(|id| id.to_string()),
            text(ids.email.as_ref()),
            text(ids.phone.as_ref()),
            text(ids.external_id.as_ref()),
        )
    };
    let linked = Person {
        profile: ProfileId::parse("01ABC").ok(),
        ..ada()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(person(linked), (some("01ABC"), None, None, None));
    let by_email = (None, some("ada@example.com"), None, some("cons_1"));
    assert_eq!(person(ada()), by_email);
    let by_phone = (None, None, some("+12025550101"), some("cons_1"));
    assert_eq!(
        person(Person {
            email: None,
            ..ada()
        }),
        by_phone
    );
    for unknown in [Some(nobody()), None] {
        let decision = decide(&left, &settings(), unknown, at(CAME));
        assert_eq!(dropped(&decision), DeliveryCode::NoIdentifier);
    }
}

#[test]
fn what_is_not_wanted_is_dropped_with_its_reason() {
    let check = |type_name: &str, settings: &EventSettings, want| {
        let envelope = envelope("whk_1", type_name, &json!({"consumerId": "cons_1"}));
        let decision = decide(&envelope, settings, Some(ada()), at(CAME));
        assert_eq!(dropped(&decision), want, "{type_name}");
    };
    check(
        "draw.consumer.won",
        &EventSettings::default(),
        DeliveryCode::EventsOff,
    );
    check(
        "queue.consumer.denied",
        &settings(),
        DeliveryCode::NotForwarded,
    );
    check("draw.completed", &settings(), DeliveryCode::NotForwarded);
    check(
        "webhook.delivery.failed",
        &settings(),
        DeliveryCode::UnknownType,
    );
    let off = EventSettings {
        metrics: BTreeMap::from([(EventType::DrawWon, None)]),
        ..settings()
    };
    check("draw.consumer.won", &off, DeliveryCode::NotForwarded);
}

#[test]
fn a_purchase_is_one_event_whatever_tells_of_it_first() {
    let of_queue = json!({"consumerId": "cons_1", "queueId": "q", "orderId": "ord_1",
        "completedAt": "2026-11-29T09:59:59Z"});
    let of_queue = envelope("whk_1", "queue.consumer.completed", &of_queue);
    let of_order = json!({"consumerId": "cons_1", "orderId": "ord_1", "amount": "49.90",
        "currencyCode": "EUR", "completedAt": "2026-11-29T10:00:00Z"});
    let of_order = envelope("whk_2", "order.completed", &of_order);
    let decide = |envelope, settings: &EventSettings| {
        sent(decide(envelope, settings, Some(ada()), at(CAME)))
    };
    let (first, first_key, hold) = decide(&of_queue, &settings());
    let (second, second_key, no_hold) = decide(&of_order, &settings());
    assert_eq!(first.unique_id.as_str(), "ord_1");
    assert_eq!(second.unique_id.as_str(), "ord_1");
    assert_eq!(
        (first_key.as_ref(), first.metric),
        (second_key.as_ref(), second.metric)
    );
    assert_eq!(hold, Some(at(CAME).plus(Duration::from_mins(1))));
    assert_eq!(no_hold, None);
    assert_eq!(second.value, Money::parse("49.90", "EUR").ok());

    // Where the order's event is not sent, or becomes another metric, nothing is waited for.
    let apart = EventSettings {
        metrics: BTreeMap::from([(EventType::OrderCompleted, MetricName::parse("Paid").ok())]),
        ..settings()
    };
    assert_eq!(decide(&of_queue, &apart).2, None);
    assert_ne!(decide(&of_order, &apart).1, first_key);
}

#[test]
fn what_took_place_a_day_before_it_came_is_history() {
    let check = |left_at: &str, want_backfill, want_time: &str| {
        let data = json!({"consumerId": "cons_1", "leftAt": left_at});
        let left = envelope("whk_1", "queue.consumer.left", &data);
        let (event, ..) = sent(decide(&left, &settings(), Some(ada()), at(CAME)));
        assert_eq!((event.backfill, event.at), (want_backfill, at(want_time)));
    };
    check("2026-11-28T10:00:02Z", false, "2026-11-28T10:00:02Z");
    check("2026-11-28T10:00:01Z", true, "2026-11-28T10:00:01Z");
    // A clock that is ahead, one that was never set, and a text that is no time: then the envelope's time counts.
    check("2027-01-01T00:00:00Z", false, "2026-11-29T10:00:01Z");
    check("1970-01-01T00:00:00Z", true, "1990-01-01T00:00:00Z");
    check("yesterday", false, "2026-11-29T10:00:00Z");
}

#[test]
fn an_act_is_known_again_under_another_id_and_told_from_others() {
    let key = |id: &str, type_name: &str, data: Value| {
        Act::of(&envelope(id, type_name, &data)).map(|act| act.key())
    };
    let entered = |consumer: &str, draw: &str, at: &str| json!({"consumerId": consumer, "drawId": draw, "enteredAt": at, "entrantNumber": 1});
    let (one, other) = ("2026-11-29T09:00:00Z", "2026-11-29T09:00:01Z");
    let first = key("whk_1", "draw.consumer.entered", entered("c", "d", one));
    assert_eq!(
        key("whk_2", "draw.consumer_entered", entered("c", "d", one)),
        first
    );
    for (consumer, draw, at) in [("x", "d", one), ("c", "x", one), ("c", "d", other)] {
        assert_ne!(
            key(
                "whk_1",
                "draw.consumer.entered",
                entered(consumer, draw, at)
            ),
            first
        );
    }
    let order = |order: &str| json!({"consumerId": "c", "orderId": order, "createdAt": one});
    let order = |id: &str| key("whk_1", "order.created", order(id));
    assert_ne!(order("ord_1"), order("ord_2"));
    // Without a time two acts cannot be told from one that is told twice.
    assert_eq!(
        key("whk_1", "draw.consumer.entered", json!({"consumerId": "c"})),
        None
    );
    assert_eq!(key("whk_1", "unheard.of", entered("c", "d", one)), None);
}
