//! Consumers: the rows that every table of people shows.

use fanfare_domain::ports::ConsumerRecord;
use maud::{Markup, html};

use crate::components::{heading, long_text, maybe_time, table, time};
use crate::visitor::Visitor;

/// A table of people.
pub(super) fn rows(visitor: &Visitor, caption: &str, people: &[ConsumerRecord]) -> Markup {
    let headings = html! {
        (heading("Name"))
        (heading("Email"))
        (heading("Phone"))
        (heading("Last Activity"))
        (heading("Created"))
    };
    let rows = html! {
        @for person in people {
            @let consumer = &person.consumer;
            tr {
                th scope="row" { a href={ "/app/customers/" (consumer.id) } { (long_text(&name(person))) } }
                td { (maybe_text(consumer.email.as_ref().map(|email| email.as_str()))) }
                td { (maybe_text(consumer.phone.as_ref().map(|phone| phone.value.as_str()))) }
                td { (maybe_time(person.updated_at, visitor.now)) }
                td { (time(person.created_at, visitor.now)) }
            }
        }
    };
    table(caption, &headings, &rows)
}

/// What a person is called: by name, or by what is known of them.
pub(super) fn name(person: &ConsumerRecord) -> String {
    let consumer = &person.consumer;
    let name = consumer.full_name.as_ref().map(|name| name.value.as_str());
    let email = consumer.email.as_ref().map(|email| email.as_str());
    let phone = consumer.phone.as_ref().map(|phone| phone.value.as_str());
    let known = name.or(email).or(phone);
    known.unwrap_or(consumer.id.as_str()).to_owned()
}

fn maybe_text(text: Option<&str>) -> Markup {
    html! {
        @match text {
            Some(text) => (long_text(text)),
            None => span.none { "None" },
        }
    }
}
