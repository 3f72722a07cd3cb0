//! What deliveries and Fanfare's events are called on pages.

use fanfare_domain::delivery::{Delivery, DeliveryCode, DeliveryKind, DeliveryStatus};
use fanfare_domain::events::EventType;
use maud::{Markup, html};

use crate::components::badge;

/// What has happened, of a type of event.
pub(crate) const fn event(event_type: EventType) -> &'static str {
    match event_type {
        EventType::QueueEntered => "Joined a queue",
        EventType::QueueAdmitted => "Admitted from a queue",
        EventType::QueueCompleted => "Bought after a queue",
        EventType::QueueLeft => "Left a queue",
        EventType::QueueDenied => "Not let into a queue",
        EventType::DrawEntered => "Entered a draw",
        EventType::DrawWon => "Won a draw",
        EventType::DrawLost => "Not selected in a draw",
        EventType::DrawCompleted => "A draw ended",
        EventType::BidPlaced => "Placed a bid",
        EventType::BidOutbid => "Was outbid",
        EventType::AuctionWon => "Won an auction",
        EventType::AuctionSettled => "An auction ended",
        EventType::OrderCreated => "Made an order",
        EventType::OrderCompleted => "Paid an order",
        EventType::OrderCancelled => "Order was cancelled",
        EventType::ConsumerCreated => "Became a consumer",
        EventType::ConsumerUpdated => "Consumer was changed",
        EventType::DistributionUpdated => "A distribution was changed",
        EventType::DistributionOpened => "A distribution opened",
        EventType::DistributionClosed => "A distribution closed",
    }
}

/// What a delivery tells. The name of a type that this version does not know stands for itself.
pub(crate) fn delivery(delivery: &Delivery) -> String {
    match delivery.kind {
        DeliveryKind::Event => match EventType::of_name(&delivery.type_name) {
            Some(event_type) => event(event_type).to_owned(),
            None => delivery.type_name.clone(),
        },
        DeliveryKind::Contact => "Contact changed".to_owned(),
        DeliveryKind::Membership => match delivery.type_name.as_str() {
            "added" => "Added to a list".to_owned(),
            "removed" => "Removed from a list".to_owned(),
            _ => "Membership changed".to_owned(),
        },
        DeliveryKind::Consent => "Consent taken back".to_owned(),
    }
}

/// What deliveries of a kind are.
pub(crate) const fn kind(kind: DeliveryKind) -> &'static str {
    match kind {
        DeliveryKind::Event => "Events",
        DeliveryKind::Contact => "Contacts",
        DeliveryKind::Membership => "Memberships",
        DeliveryKind::Consent => "Consents",
    }
}

/// How far deliveries are.
pub(crate) const fn delivery_status(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Pending => "Waiting",
        DeliveryStatus::Sent => "Sent",
        DeliveryStatus::Failed => "Failed",
        DeliveryStatus::Dropped => "Not sent",
    }
}

/// How far a delivery is; also whether what was sent is a part only.
pub(crate) fn delivery_badges(delivery: &Delivery) -> Markup {
    let is_partly = delivery.status == DeliveryStatus::Sent
        && delivery.code == Some(DeliveryCode::IdentifierConflict);
    html! {
        (delivery_badge(delivery.status))
        @if is_partly { " " (badge("waiting", "Sent in part")) }
    }
}

/// How far a delivery is, as a badge.
fn delivery_badge(status: DeliveryStatus) -> Markup {
    let class = match status {
        DeliveryStatus::Pending => "waiting",
        DeliveryStatus::Sent => "good",
        DeliveryStatus::Failed => "bad",
        DeliveryStatus::Dropped => "none",
    };
    badge(class, delivery_status(status))
}
