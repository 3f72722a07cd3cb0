//! `/app/customers`: the people, and one of them.

mod consent;
mod editing;
mod person;
mod timeline;

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::organization::Role;
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord};
use fanfare_domain::value::Email;
use fanfare_sync::Integration;
use maud::{Markup, html};

use crate::components::{
    badge, cell, empty, heading, long_text, maybe_time, pager, search_field, short_search, table,
    time,
};
use crate::error::PageError;
use crate::fields::Query;
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    let mut routes = vec![
        page!(GET Viewer "/app/customers", list),
        page!(GET Viewer "/app/customers/{id}", person::show),
    ];
    routes.extend(editing::routes());
    routes.extend(consent::routes());
    routes
}

const PATH: &str = "/app/customers";

/// Rows of a page.
const ROWS: u32 = 50;

async fn list(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let Query(fields) = query;
    let filter = ConsumerFilter {
        search: fields.search(),
        ..ConsumerFilter::default()
    };
    let page = fields.page(ROWS);
    let people = application
        .consumers(visitor.organization(), &filter, &page)
        .await?;
    let part = html! {
        div #consumers {
            (short_search(&fields))
            @if !people.items.is_empty() {
                (rows(&visitor, "Consumers", &people.items))
                (pager(PATH, &fields, people.end().filter(|_| people.items.len() == ROWS as usize)))
            } @else if filter.search.is_some() {
                (empty("Nobody matches", "Search for at least two characters of an e-mail, a phone number or a name.", Some(("Show everybody", PATH))))
            } @else {
                (empty("No consumers yet", "People appear here while lists and segments are imported.", Some(("Go to Audiences", "/app/audiences"))))
            }
        }
    };
    Ok(
        visitor.page_or(part, "Consumers", Section::Customers, |part| {
            html! {
                div.head {
                    h1 { "Consumers" }
                    div.actions {
                        @if visitor.may(Role::Editor) {
                            a.button href={ (PATH) "/new" } { "Add Customer" }
                        }
                    }
                }
                (search_field(PATH, &fields, "E-mail, phone or name", "#consumers"))
                (part)
            }
        }),
    )
}

/// A table of people.
pub(in crate::pages) fn rows(
    visitor: &Visitor,
    caption: &str,
    people: &[ConsumerRecord],
) -> Markup {
    table_of(visitor, caption, people, |_| html! {})
}

/// The same in a form: each has a checkbox of this name, but those who are members already.
pub(in crate::pages) fn pickable(
    visitor: &Visitor,
    caption: &str,
    people: &[ConsumerRecord],
    field: &str,
    members: &BTreeSet<ConsumerId>,
) -> Markup {
    table_of(visitor, caption, people, |person| {
        let id = &person.consumer.id;
        let label = format!("Select {}", texts::cut(&name(person), 80));
        html! {
            @if members.contains(id) {
                (badge("good", "Member")) " "
            } @else {
                input type="checkbox" name=(field) value=(id) aria-label=(label); " "
            }
        }
    })
}

fn table_of(
    visitor: &Visitor,
    caption: &str,
    people: &[ConsumerRecord],
    before: impl Fn(&ConsumerRecord) -> Markup,
) -> Markup {
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
                th scope="row" { (before(person)) a href={ (PATH) "/" (consumer.id) } { (long_text(&name(person))) } }
                (cell("Email", &maybe_text(consumer.email.as_ref().map(Email::as_str))))
                (cell("Phone", &html! { span.nowrap { (maybe_text(consumer.phone.as_ref().map(|phone| phone.value.as_str()))) } }))
                (cell("Last Activity", &maybe_time(person.updated_at, visitor.now)))
                (cell("Created", &time(person.created_at, visitor.now)))
            }
        }
    };
    table(caption, &headings, &rows)
}

/// What a person is called: by name, or by what is known of them.
pub(in crate::pages) fn name(person: &ConsumerRecord) -> String {
    let consumer = &person.consumer;
    let name = consumer.full_name.as_ref().map(|name| name.value.as_str());
    let email = consumer.email.as_ref().map(Email::as_str);
    let phone = consumer.phone.as_ref().map(|phone| phone.value.as_str());
    let known = name.or(email).or(phone);
    known.unwrap_or(consumer.id.as_str()).to_owned()
}

pub(in crate::pages) fn maybe_text(text: Option<&str>) -> Markup {
    html! {
        @match text {
            Some(text) => (long_text(text)),
            None => span.none { "None" },
        }
    }
}
