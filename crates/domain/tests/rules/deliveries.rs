//! Which deliveries are sent next.

use fanfare_domain::delivery::{
    Batch, DeliveryStatus, DueDelivery, MAX_BULK, MAX_SINGLE, Payload, Place, next_batch,
};
use fanfare_domain::events::{Decision, Envelope, EventSettings, Person, decide};
use fanfare_domain::ids::{ConsumerId, DeliveryId};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use proptest::prelude::*;

fn consumer(number: u32) -> ConsumerId {
    ConsumerId::parse(format!("cons_{number}")).unwrap()
}

fn payload() -> Payload {
    let body = br#"{"id":"whk_1","type":"draw.consumer.won","timestamp":"2026-11-29T10:00:00Z",
        "organizationId":"org_1","data":{"consumerId":"cons_1"}}"#;
    let settings = EventSettings {
        enabled: true,
        ..EventSettings::default()
    };
    let person = Person {
        consumer: consumer(1),
        profile: None,
        email: Email::parse("ada@example.com").ok(),
        phone: None,
    };
    let envelope = Envelope::parse(body).unwrap();
    match decide(&envelope, &settings, Some(person), Timestamp::EPOCH) {
        Decision::Send { event, .. } => Payload::Event(event),
        Decision::Drop(code) => panic!("it is dropped: {code}"),
    }
}

fn due(consumers: &[Option<u32>]) -> Vec<DueDelivery> {
    let payload = payload();
    let one = |(place, of): (u64, &Option<u32>)| DueDelivery {
        id: DeliveryId::parse(format!("dlv_{place}")).unwrap(),
        place: Place(place),
        consumer: of.map(consumer),
        attempts: 0,
        first_tried_at: None,
        payload: payload.clone(),
    };
    (0..).zip(consumers).map(one).collect()
}

proptest! {
    #[test]
    fn nothing_overtakes_what_came_before_it_of_the_same_consumer(
        consumers in prop::collection::vec(prop::option::weighted(0.9, 0_u32..20), 0..120),
    ) {
        let mut waiting = due(&consumers);
        let mut sent: Vec<DueDelivery> = Vec::new();
        while let Some(batch) = next_batch(waiting.clone(), |_| false) {
            let batch = batch.deliveries().to_vec();
            prop_assert!(!batch.is_empty() && batch.len() <= MAX_BULK);
            for (n, one) in batch.iter().enumerate() {
                let is_alone = batch[..n].iter().all(|other| other.consumer != one.consumer);
                prop_assert!(is_alone || one.consumer.is_none());
            }
            waiting.retain(|one| batch.iter().all(|taken| taken.id != one.id));
            sent.extend(batch);
        }
        prop_assert_eq!(sent.len(), consumers.len());
        for of in (0..20).map(consumer) {
            let places = sent.iter().filter(|one| one.consumer.as_ref() == Some(&of));
            prop_assert!(places.is_sorted_by_key(|one| one.place));
        }
    }
}

#[test]
fn few_go_singly_and_many_at_once() {
    let of = |count: u32| next_batch(due(&(0..count).map(Some).collect::<Vec<_>>()), |_| false);
    assert_eq!(of(0), None);
    let few = u32::try_from(MAX_SINGLE).unwrap();
    assert!(matches!(of(few), Some(Batch::Single(all)) if all.len() == MAX_SINGLE));
    assert!(matches!(of(few + 1), Some(Batch::Bulk(all)) if all.len() == MAX_SINGLE + 1));
    assert!(matches!(of(11_000), Some(Batch::Bulk(all)) if all.len() == MAX_BULK));
}

#[test]
fn what_was_sent_or_dropped_stays_so() {
    use DeliveryStatus::{Dropped, Failed, Pending, Sent};
    let allowed: Vec<_> = DeliveryStatus::ALL
        .iter()
        .flat_map(|from| DeliveryStatus::ALL.iter().map(move |to| (*from, *to)))
        .filter(|(from, to)| from.can_become(*to))
        .collect();
    let want = [
        (Pending, Sent),
        (Pending, Failed),
        (Pending, Dropped),
        (Failed, Pending),
    ];
    assert_eq!(allowed, want);
}
