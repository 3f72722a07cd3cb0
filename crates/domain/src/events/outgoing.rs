//! What Klaviyo is told of an event, frozen when the event is accepted: a repeat of the call says the same.

use std::time::Duration;

use serde_json::{Map, Value};

use super::envelope::Envelope;
use super::event_type::EventType;
use super::mapping::EventSettings;
use super::metric_name::MetricName;
use super::properties::properties;
use super::purchase::{AMOUNT_TIMEOUT, PurchaseKey};
use super::value::{Currency, Money};
use crate::delivery::DeliveryCode;
use crate::ids::{ConsumerId, ProfileId};
use crate::time::Timestamp;
use crate::value::{Email, Phone};

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

/// By what Klaviyo knows the person: one identifier, so that no two profiles are meant.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OutgoingPerson {
    /// Its profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<ProfileId>,
    /// Or its e-mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Or its phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Our id, for a profile that Klaviyo makes. That of a profile that is linked may be another system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ConsumerId>,
}

/// The values are personal.
impl std::fmt::Debug for OutgoingPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutgoingPerson(…)")
    }
}

impl OutgoingPerson {
    /// The person by the best identifier that it has; `None` if it has none.
    fn of(person: Person) -> Option<Self> {
        let nobody = Self {
            profile: None,
            email: None,
            phone: None,
            external_id: None,
        };
        let external_id = Some(person.consumer);
        if let Some(profile) = person.profile {
            return Some(Self {
                profile: Some(profile),
                ..nobody
            });
        }
        if let Some(email) = person.email {
            return Some(Self {
                email: Some(email.as_str().to_owned()),
                external_id,
                ..nobody
            });
        }
        person.phone.map(|phone| Self {
            phone: Some(phone.as_str().to_owned()),
            external_id,
            ..nobody
        })
    }
}

/// An event for Klaviyo.
#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OutgoingEvent {
    /// The metric that it becomes.
    pub metric: MetricName,
    /// By what Klaviyo knows it again.
    pub unique_id: String,
    /// When it took place.
    pub time: Timestamp,
    /// Whose it is.
    pub person: OutgoingPerson,
    /// What it tells.
    pub properties: Map<String, Value>,
    /// What it was worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Money>,
    /// In which currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Whether it is history, which starts no flow.
    pub backfill: bool,
}

/// The person and the properties are personal.
impl std::fmt::Debug for OutgoingEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OutgoingEvent({}, {})", self.metric, self.unique_id)
    }
}

/// What becomes of an envelope.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Klaviyo is told.
    Send {
        /// What.
        event: Box<OutgoingEvent>,
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
    let Some(person) = person.and_then(OutgoingPerson::of) else {
        return Decision::Drop(DeliveryCode::NoIdentifier);
    };
    let value = event_type.amount_field();
    let value = value.and_then(|member| Money::of(envelope.data.get(member)?));
    let currency = envelope.text("currencyCode").and_then(Currency::parse);
    let order = envelope
        .text("orderId")
        .filter(|_| event_type.is_purchase());
    let purchase = order.map(|order| PurchaseKey::of(&metric, order));
    let may_be_told_again = settings.metric_of(EventType::OrderCompleted) == Some(metric.clone());
    let waits = event_type == EventType::QueueCompleted
        && purchase.is_some()
        && value.is_none()
        && may_be_told_again;
    let at = envelope.act_time().unwrap_or(envelope.timestamp);
    let mut properties = properties(&envelope.data);
    properties.insert("fanfare_event_id".to_owned(), envelope.id.clone().into());
    Decision::Send {
        event: Box::new(OutgoingEvent {
            unique_id: order.unwrap_or(&envelope.id).to_owned(),
            metric,
            time: clamped(at, received_at),
            person,
            properties,
            currency: currency.filter(|_| value.is_some()),
            value,
            backfill: received_at.since(at) > OLDEST_FRESH,
        }),
        purchase,
        hold_until: waits.then(|| received_at.plus(AMOUNT_TIMEOUT)),
    }
}

/// A time that Klaviyo takes, to the second as it keeps it. A time to come is a clock's fault.
fn clamped(at: Timestamp, received_at: Timestamp) -> Timestamp {
    let earliest = Timestamp::from_micros(EARLIEST_MICROS).unwrap_or(Timestamp::EPOCH);
    at.min(received_at).max(earliest).whole_second()
}
