//! Why a delivery did not reach Klaviyo, with the way to what can be done.

use fanfare_domain::delivery::{Delivery, DeliveryCode, DeliveryKind};
use fanfare_domain::organization::Role;
use maud::{Markup, html};

use crate::components::long_text;
use crate::visitor::Visitor;

const EVENT_SETTINGS: &str = "/app/settings/integrations/klaviyo/events";

const CONTACT_SETTINGS: &str = "/app/settings/integrations/klaviyo/contacts";

/// The reason in words, if the delivery has one. `is_known` says whether there is a consumer whom it concerns.
pub(in crate::pages) fn reason(visitor: &Visitor, delivery: &Delivery, is_known: bool) -> Markup {
    let Some(code) = delivery.code else {
        return html! {};
    };
    html! {
        p.hint {
            @if code == DeliveryCode::IdentifierConflict && delivery.kind == DeliveryKind::Contact {
                // An e-mail is never sent: the phone number is the only identifier of a contact that is.
                "Klaviyo knows the phone number as another person's. The rest was sent without it."
            } @else { (code.message()) }
            @if let Some(detail) = &delivery.detail { " Klaviyo says: " (long_text(detail)) "." }
            @match &delivery.consumer {
                Some(id) if is_known && code == DeliveryCode::NoIdentifier => {
                    @if visitor.may(Role::Editor) {
                        " " a href={ "/app/customers/" (id) "/edit" } { "Give them an e-mail or a phone number" } "."
                    }
                },
                _ => {
                    @if let Some((name, href)) = remedy(visitor, code) { " " a href=(href) { (name) } "." }
                },
            }
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
