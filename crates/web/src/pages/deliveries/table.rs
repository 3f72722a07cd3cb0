//! The table of deliveries.

use fanfare_domain::delivery::{Delivery, DeliveryStatus};
use fanfare_domain::organization::Role;
use fanfare_domain::ports::ConsumerRecord;
use maud::{Markup, html};

use super::{PATH, reason};
use crate::components::{
    button_form, cell, heading, long_text, maybe_time, number_cell, number_heading, table, time,
};
use crate::fields::Fields;
use crate::pages::customers;
use crate::visitor::Visitor;
use crate::words;

/// The deliveries, each with whom it concerns.
pub(super) fn rows(
    visitor: &Visitor,
    fields: &Fields,
    deliveries: &[(Delivery, Option<ConsumerRecord>)],
) -> Markup {
    let may_retry = visitor.may(Role::Editor);
    let headings = html! {
        (heading("What happened"))
        (heading("Consumer"))
        (heading("In Klaviyo"))
        (heading("Status"))
        (number_heading("Tries"))
        (heading("Accepted"))
        (heading("Sent"))
        @if may_retry { th scope="col" { span.hidden { "Actions" } } }
    };
    let shown = fields.set("notice", None).query();
    let shown = shown.trim_start_matches('?');
    let rows = html! {
        @for (delivery, person) in deliveries {
            @let name = words::delivery(delivery);
            tr {
                th scope="row" {
                    div.what {
                        (long_text(&name))
                        @if name != delivery.type_name { p.hint { (long_text(&delivery.type_name)) } }
                    }
                }
                (cell("Consumer", &consumer(delivery, person.as_ref())))
                (cell("In Klaviyo", &customers::maybe_text(delivery.target.as_deref())))
                (cell("Status", &html! { (words::delivery_badges(delivery)) (reason(visitor, delivery, person.is_some())) }))
                (number_cell("Tries", u64::from(delivery.attempts)))
                (cell("Accepted", &html! { span.nowrap { (time(delivery.created_at, visitor.now)) } }))
                (cell("Sent", &html! { span.nowrap { (maybe_time(delivery.sent_at, visitor.now)) } }))
                @if may_retry {
                    td {
                        @if delivery.status == DeliveryStatus::Failed {
                            (button_form(
                                visitor,
                                &format!("{PATH}/retry"),
                                "quiet",
                                "Retry",
                                &[("id", delivery.id.as_str()), ("shown", shown)],
                            ))
                        }
                    }
                }
            }
        }
    };
    table("Deliveries", &headings, &rows)
}

/// Whom a delivery concerns. Somebody may be named of whom nothing is known here.
fn consumer(delivery: &Delivery, person: Option<&ConsumerRecord>) -> Markup {
    html! {
        @match (&delivery.consumer, person) {
            (Some(id), Some(person)) => a href={ "/app/customers/" (id) } { (long_text(&customers::name(person))) },
            (Some(id), None) => span.none { (long_text(id.as_str())) " (unknown here)" },
            (None, _) => span.none { "Nobody" },
        }
    }
}
