//! What Klaviyo is told of an event, frozen when the event is accepted: a repeat of the call says the same.

use std::time::Duration;

use serde_json::Value;

use super::envelope::Envelope;
use super::event_type::EventType;
use super::mapping::EventSettings;
use super::properties::properties;
use super::purchase::{AMOUNT_TIMEOUT, PurchaseKey};
use crate::delivery::DeliveryCode;
use crate::ids::{ConsumerId, ProfileId, UniqueId};
use crate::time::Timestamp;
use crate::value::{Email, Phone};
use crate::writing::{Event, JsonObject, Money, PersonIds, PersonalText};

/// An event that took place longer ago than this before it came starts no flow.
const OLDEST_FRESH: Duration = Duration::from_hours(24);

/// The earliest time that Klaviyo takes: 1990.
const EARLIEST_MICROS: i64 = 631_152_000_000_000;

/// What is known of the person whom an event concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The consumer.
    pub consumer: ConsumerId,
    /// The Klaviyo profile that stands for it.
    pub profile: Option<ProfileId>,
    /// Its e-mail.
    pub email: Option<Email>,
    /// Its phone number.
    pub phone: Option<Phone>,
}

impl Person {
    /// By what Klaviyo knows the person: the one best identifier that there is, so that no two profiles are meant.
    /// `None` if there is none. A profile that Klaviyo makes bears our id; that of one that is linked may be another
    /// system's, and is left alone.
    fn identifiers(&self) -> Option<PersonIds> {
        if let Some(profile) = &self.profile {
            return Some(PersonIds {
                profile: Some(profile.clone()),
                ..PersonIds::default()
            });
        }
        let email = self.email.as_ref().map(PersonalText::from);
        let phone = self.phone.as_ref().filter(|_| email.is_none());
        let ids = PersonIds {
            phone: phone.map(PersonalText::from),
            email,
            ..PersonIds::default()
        };
        let external_id = Some(PersonalText::new(self.consumer.as_str()));
        (!ids.is_empty()).then_some(PersonIds { external_id, ..ids })
    }
}

/// What becomes of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Klaviyo is told.
    Send {
        /// What.
        event: Box<Event>,
        /// Which purchase it is, if it is one.
        purchase: Option<PurchaseKey>,
        /// Not before this time, unless another event has told the amount.
        hold_until: Option<Timestamp>,
    },
    /// Klaviyo is not told, for this reason.
    Drop(DeliveryCode),
}

/// Decides what becomes of an envelope that has come at `received_at`. `person` is what is known of its consumer, if there is
/// such a consumer.
pub fn decide(
    envelope: &Envelope,
    settings: &EventSettings,
    person: Option<Person>,
    received_at: Timestamp,
) -> Decision {
    let Some(event_type) = envelope.event_type() else {
        return Decision::Drop(DeliveryCode::UnknownType);
    };
    if !event_type.is_of_a_consumer() {
        return Decision::Drop(DeliveryCode::NotForwarded);
    }
    if !settings.enabled {
        return Decision::Drop(DeliveryCode::EventsOff);
    }
    let Some(metric) = settings.metric_of(event_type) else {
        return Decision::Drop(DeliveryCode::NotForwarded);
    };
    let Some(person) = person.and_then(|person| person.identifiers()) else {
        return Decision::Drop(DeliveryCode::NoIdentifier);
    };
    let order = envelope
        .text("orderId")
        .filter(|_| event_type.is_purchase());
    let purchase = order.map(|order| PurchaseKey::of(&metric, order));
    let value = money(envelope, event_type);
    let may_be_told_again = settings.metric_of(EventType::OrderCompleted).as_ref() == Some(&metric);
    let waits = event_type == EventType::QueueCompleted
        && purchase.is_some()
        && value.is_none()
        && may_be_told_again;
    let at = envelope.act_time().unwrap_or(envelope.timestamp);
    let mut properties = properties(&envelope.data);
    properties.insert("fanfare_event_id".to_owned(), envelope.id.clone().into());
    let properties = JsonObject::parse(Value::Object(properties).to_string());
    let unique_id = UniqueId::parse(order.unwrap_or(&envelope.id));
    let (Ok(unique_id), Ok(properties)) = (unique_id, properties) else {
        return Decision::Drop(DeliveryCode::Internal);
    };
    Decision::Send {
        event: Box::new(Event {
            unique_id,
            metric,
            person,
            at: clamped(at, received_at),
            properties,
            value,
            backfill: received_at.since(at) > OLDEST_FRESH,
        }),
        purchase,
        hold_until: waits.then(|| received_at.plus(AMOUNT_TIMEOUT)),
    }
}

/// The amount that an event tells of, a text or a number, if it says in which currency.
fn money(envelope: &Envelope, event_type: EventType) -> Option<Money> {
    let amount = match envelope.data.get(event_type.amount_field()?)? {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Money::parse(&amount, envelope.text("currencyCode")?).ok()
}

/// A time that Klaviyo takes, to the second as it keeps it. A time to come is a clock's fault.
fn clamped(at: Timestamp, received_at: Timestamp) -> Timestamp {
    let earliest = Timestamp::from_micros(EARLIEST_MICROS).unwrap_or(Timestamp::EPOCH);
    at.min(received_at).max(earliest).whole_second()
}
