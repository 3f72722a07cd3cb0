//! `/app/customers`: the people, and one of them.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::{AudienceRecord, ConsumerFilter, ConsumerRecord};
use fanfare_domain::value::Email;
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};

use super::audience::klaviyo_address;
use crate::components::{
    badge, cell, empty, heading, long_text, maybe_status_badge, maybe_time, pager, search_field,
    table, time,
};
use crate::error::PageError;
use crate::fields::Query;
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app/customers", list),
        page!(GET Viewer "/app/customers/{id}", show),
    ]
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
            @if !people.items.is_empty() {
                (rows(&visitor, "Consumers", &people.items))
                (pager(PATH, &fields, people.end().filter(|_| people.items.len() == ROWS as usize)))
            } @else if filter.search.is_some() {
                (empty("Nobody matches", "Search for another part of an e-mail, a phone number or a name.", Some(("Show everybody", PATH))))
            } @else {
                (empty("No consumers yet", "People appear here while lists and segments are imported.", Some(("Go to Audiences", "/app/audiences"))))
            }
        }
    };
    Ok(
        visitor.page_or(part, "Consumers", Section::Customers, |part| {
            html! {
                div.head { h1 { "Consumers" } }
                (search_field(PATH, &fields, "E-mail, phone or name", "#consumers"))
                (part)
            }
        }),
    )
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
) -> Result<HttpResponse, PageError> {
    let not_found = |_| PageError::from(Error::NotFound(Entity::Consumer));
    let id = ConsumerId::parse(path.into_inner()).map_err(not_found)?;
    let organization = visitor.organization();
    let person = application.consumer(organization, &id).await?;
    let audiences = application.audiences_of(organization, &id).await?;
    let name = name(&person);
    let body = html! {
        div.head {
            h1 { (long_text(&name)) }
            @if person.consumer.primary.is_some() { (badge("info", "Klaviyo")) }
        }
        (details(&visitor, &person))
        (memberships(&visitor, &person, &audiences))
    };
    Ok(visitor.page(&name, Section::Customers, &body))
}

fn details(visitor: &Visitor, person: &ConsumerRecord) -> Markup {
    let consumer = &person.consumer;
    html! {
        section.panel {
            h2 { "Contact" }
            dl.rows {
                dt { "Email" } dd { (maybe_text(consumer.email.as_ref().map(Email::as_str))) }
                dt { "Phone" } dd { (maybe_text(consumer.phone.as_ref().map(|phone| phone.value.as_str()))) }
                dt { "Name" } dd { (maybe_text(consumer.full_name.as_ref().map(|name| name.value.as_str()))) }
                dt { "Id" } dd { (consumer.id) }
                dt { "Created" } dd { (time(person.created_at, visitor.now)) }
                dt { "Last Activity" } dd { (maybe_time(person.updated_at, visitor.now)) }
                @if let Some(primary) = &consumer.primary {
                    @let profile = primary.stamp.profile.as_str();
                    dt { "Klaviyo profile" }
                    dd {
                        a href=(klaviyo_address(profile)) rel="noreferrer" target="_blank" { (long_text(profile)) }
                        ", last changed " (maybe_time(person.primary_changed_at, visitor.now))
                    }
                }
            }
        }
    }
}

fn memberships(visitor: &Visitor, person: &ConsumerRecord, audiences: &[AudienceRecord]) -> Markup {
    let headings = html! {
        (heading("Audience"))
        (heading("Status"))
        (heading("Last synced"))
        (heading("Why?"))
    };
    let rows = html! {
        @for record in audiences {
            @let path = format!("/app/audiences/{}", record.audience.id);
            tr {
                th scope="row" { a href=(path) { (long_text(&record.audience.name)) } }
                (cell("Status", &maybe_status_badge(record.status())))
                (cell("Last synced", &maybe_time(record.source.as_ref().and_then(|source| source.last_synced_at), visitor.now)))
                (cell("Why?", &html! { a href={ (path) "/why?consumerId=" (person.consumer.id) } { "Why?" } }))
            }
        }
    };
    html! {
        section.panel {
            h2 { "Audiences" }
            @if audiences.is_empty() {
                p { "This person is in no audience. Open an audience and its tab Why? to see why." }
            } @else {
                (table("Audiences of this person", &headings, &rows))
            }
        }
    }
}

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
                th scope="row" { a href={ (PATH) "/" (consumer.id) } { (long_text(&name(person))) } }
                (cell("Email", &maybe_text(consumer.email.as_ref().map(Email::as_str))))
                (cell("Phone", &maybe_text(consumer.phone.as_ref().map(|phone| phone.value.as_str()))))
                (cell("Last Activity", &maybe_time(person.updated_at, visitor.now)))
                (cell("Created", &time(person.created_at, visitor.now)))
            }
        }
    };
    table(caption, &headings, &rows)
}

/// What a person is called: by name, or by what is known of them.
pub(super) fn name(person: &ConsumerRecord) -> String {
    let consumer = &person.consumer;
    let name = consumer.full_name.as_ref().map(|name| name.value.as_str());
    let email = consumer.email.as_ref().map(Email::as_str);
    let phone = consumer.phone.as_ref().map(|phone| phone.value.as_str());
    let known = name.or(email).or(phone);
    known.unwrap_or(consumer.id.as_str()).to_owned()
}

pub(super) fn maybe_text(text: Option<&str>) -> Markup {
    html! {
        @match text {
            Some(text) => (long_text(text)),
            None => span.none { "None" },
        }
    }
}
