//! Deliveries: what Klaviyo is to be told.

use deserr::Deserr;
use fanfare_domain::delivery::{self, DeliveryFilter, SummaryOfKind};
use fanfare_domain::ids::ConsumerId;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::Time;
use super::words::{DeliveryKind, DeliveryStatus};
use crate::decode::{DecodeError, InQuery, Request};

/// Which deliveries are asked for.
#[derive(Deserr, IntoParams)]
#[deserr(error = DecodeError<InQuery>, deny_unknown_fields, rename_all = camelCase)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct DeliveriesQuery {
    /// Those of this status
    #[deserr(default)]
    status: Option<DeliveryStatus>,
    /// Those that concern this consumer
    #[deserr(default)]
    #[param(value_type = Option<String>)]
    consumer_id: Option<ConsumerId>,
    /// Those of this kind
    #[deserr(default)]
    kind: Option<DeliveryKind>,
}

impl Request for DeliveriesQuery {}

impl From<DeliveriesQuery> for DeliveryFilter {
    fn from(query: DeliveriesQuery) -> Self {
        Self {
            status: query.status.map(Into::into),
            consumer: query.consumer_id,
            kind: query.kind.map(Into::into),
        }
    }
}

/// Something that Klaviyo is to be told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Delivery {
    #[schema(example = "dlv_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    kind: DeliveryKind,
    /// What has happened: the type of Fanfare's event.
    #[schema(example = "draw.consumer.won")]
    r#type: String,
    /// Whom it concerns.
    consumer_id: Option<String>,
    /// What it becomes in Klaviyo: the metric of an event.
    #[schema(example = "Fanfare Draw Winner")]
    target: Option<String>,
    status: DeliveryStatus,
    /// How often it was tried.
    attempts: u32,
    /// When it was accepted.
    created_at: Time,
    /// When Klaviyo took it.
    sent_at: Option<Time>,
    /// Why it was not sent, or what was left out of it.
    error: Option<DeliveryError>,
}

/// Why a delivery was not sent, or what was left out of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryError {
    /// The reason, for programs.
    #[schema(example = "no_identifier")]
    pub(super) code: String,
    /// The same for people, and what to do.
    pub(super) message: String,
}

impl From<delivery::Delivery> for Delivery {
    fn from(delivery: delivery::Delivery) -> Self {
        let detail = delivery.detail.as_deref();
        let error = delivery.code.map(|code| DeliveryError::of(code, detail));
        Self {
            id: delivery.id.to_string(),
            kind: delivery.kind.into(),
            r#type: delivery.type_name,
            consumer_id: delivery.consumer.map(|consumer| consumer.to_string()),
            target: delivery.target,
            status: delivery.status.into(),
            attempts: delivery.attempts,
            created_at: Time(delivery.created_at),
            sent_at: Time::maybe(delivery.sent_at),
            error,
        }
    }
}

/// How many deliveries there are, by kind.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) struct DeliverySummary {
    event: OfKind,
    contact: OfKind,
    membership: OfKind,
    consent: OfKind,
}

/// How many deliveries of a kind there are, by status.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = DeliveriesOfKind)]
struct OfKind {
    pending: u64,
    sent: u64,
    failed: u64,
    dropped: u64,
    /// When the oldest one that is pending was accepted.
    #[serde(rename = "oldestPendingAt")]
    oldest_pending_at: Option<Time>,
}

impl From<delivery::Summary> for DeliverySummary {
    fn from(mut summary: delivery::Summary) -> Self {
        let mut of = |kind| OfKind::from(summary.remove(&kind).unwrap_or_default());
        Self {
            event: of(delivery::DeliveryKind::Event),
            contact: of(delivery::DeliveryKind::Contact),
            membership: of(delivery::DeliveryKind::Membership),
            consent: of(delivery::DeliveryKind::Consent),
        }
    }
}

impl From<SummaryOfKind> for OfKind {
    fn from(summary: SummaryOfKind) -> Self {
        let of = |status| summary.counts.get(&status).copied().unwrap_or_default();
        Self {
            pending: of(delivery::DeliveryStatus::Pending),
            sent: of(delivery::DeliveryStatus::Sent),
            failed: of(delivery::DeliveryStatus::Failed),
            dropped: of(delivery::DeliveryStatus::Dropped),
            oldest_pending_at: Time::maybe(summary.oldest_pending_at),
        }
    }
}
