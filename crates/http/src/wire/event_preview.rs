//! What Klaviyo would be told of an event.

use deserr::Deserr;
use fanfare_domain::delivery::DeliveryCode;
use fanfare_domain::events::{Decision, EventType};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::writing::{Event, PersonalText};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::Time;
use super::delivery::DeliveryError;
use crate::decode::{DecodeError, InQuery, Request, parsed};

/// Of which event a preview is.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct PreviewQuery {
    /// The type of event
    #[deserr(rename = "type")]
    #[param(value_type = String, rename = "type", example = "draw.consumer.won")]
    pub(crate) event_type: Forwardable,
    /// The consumer whom it concerns; left out, somebody whom no profile is linked to
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    pub(crate) consumer_id: Option<ConsumerId>,
}

impl Request for PreviewQuery {}

/// A type of event that can be sent.
pub(crate) struct Forwardable(pub(crate) EventType);

parsed! {
    Forwardable: "picklist", "a type of event", |text: &str| {
        let found = EventType::of_name(text).filter(|of| of.is_of_a_consumer()).map(Self);
        found.ok_or("is no type of event that can be sent; GET /api/settings shows them all")
    };
}

/// What Klaviyo would be told: an event, or nothing and why.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventPreview {
    /// What it would be told.
    event: Option<PreviewedEvent>,
    /// Why it would not.
    dropped: Option<DeliveryError>,
}

/// An event as Klaviyo would be told of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PreviewedEvent {
    /// The metric that it becomes.
    #[schema(example = "Fanfare Draw Winner")]
    metric: String,
    /// By what Klaviyo knows it again.
    unique_id: String,
    /// When it took place.
    time: Time,
    person: PreviewedPerson,
    /// What it tells.
    #[schema(value_type = Object)]
    properties: Value,
    /// What it is worth, as a decimal number.
    #[schema(example = "49.90")]
    value: Option<String>,
    /// In which currency.
    #[schema(example = "EUR")]
    currency: Option<String>,
    /// Whether it is history, which starts no flow.
    backfill: bool,
}

/// By what Klaviyo would know the person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PreviewedPerson {
    /// Its profile.
    profile_id: Option<String>,
    /// Its e-mail.
    email: Option<String>,
    /// Its phone number.
    phone: Option<String>,
    /// Our id, for a profile that Klaviyo makes.
    external_id: Option<String>,
}

impl From<Decision> for EventPreview {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Send { event, .. } => Self {
                event: Some((*event).into()),
                dropped: None,
            },
            Decision::Drop(code) => Self {
                event: None,
                dropped: Some(DeliveryError::of(code, None)),
            },
        }
    }
}

impl DeliveryError {
    /// The reason of this code, with what Klaviyo says of it.
    pub(super) fn of(code: DeliveryCode, detail: Option<&str>) -> Self {
        let message = match detail {
            Some(detail) => format!("{} ({detail})", code.message()),
            None => code.message().to_owned(),
        };
        Self {
            code: code.to_string(),
            message,
        }
    }
}

impl From<Event> for PreviewedEvent {
    fn from(event: Event) -> Self {
        let text = |text: PersonalText| text.as_str().to_owned();
        let person = event.person;
        let value = event.value.as_ref();
        Self {
            metric: event.metric.to_string(),
            unique_id: event.unique_id.to_string(),
            time: Time(event.at),
            person: PreviewedPerson {
                profile_id: person.profile.map(|profile| profile.to_string()),
                email: person.email.map(text),
                phone: person.phone.map(text),
                external_id: person.external_id.map(text),
            },
            properties: serde_json::from_str(event.properties.as_str()).unwrap_or_default(),
            value: value.map(|value| value.amount().to_owned()),
            currency: value.map(|value| value.currency().as_str().to_owned()),
            backfill: event.backfill,
        }
    }
}
