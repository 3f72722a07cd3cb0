//! Why a delivery did not reach Klaviyo, with the way to what can be done.

use fanfare_domain::delivery::{Delivery, DeliveryCode};
use fanfare_domain::organization::Role;
use maud::{Markup, html};

use crate::components::long_text;
use crate::visitor::Visitor;

const EVENT_SETTINGS: &str = "/app/settings/integrations/klaviyo/events";

const CONTACT_SETTINGS: &str = "/app/settings/integrations/klaviyo/contacts";

/// The reason in words, if the delivery has one.
pub(in crate::pages) fn reason(visitor: &Visitor, delivery: &Delivery) -> Markup {
    let Some(code) = delivery.code else {
        return html! {};
    };
    html! {
        p.hint {
            (code.message())
            @if let Some(detail) = &delivery.detail { " Klaviyo says: " (long_text(detail)) "." }
            @if let Some((name, href)) = remedy(visitor, code) { " " a href=(href) { (name) } "." }
        }
    }
}

/// Where what is missing can be had.
fn remedy(visitor: &Visitor, code: DeliveryCode) -> Option<(&'static str, &'static str)> {
    let way = match code {
        DeliveryCode::NoIdentifier => (
            "Import the list that the person is in",
            "/app/audiences/import/klaviyo",
        ),
        DeliveryCode::EventsOff => ("Switch events on", EVENT_SETTINGS),
        DeliveryCode::NotForwarded => ("Choose a metric", EVENT_SETTINGS),
        DeliveryCode::ContactsOff | DeliveryCode::UnknownInKlaviyo => {
            ("Contact settings", CONTACT_SETTINGS)
        }
        _ => return None,
    };
    visitor.may(Role::Editor).then_some(way)
}
