//! `/app/customers/{id}`: one of the people.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::organization::Role;
use fanfare_domain::ports::{AudienceRecord, ConsumerRecord};
use fanfare_domain::value::Email;
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};

use super::{consent, maybe_text, name, timeline};
use crate::components::{
    badge, cell, heading, long_text, maybe_status_badge, maybe_time, notice, table, time,
};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::layout::Section;
use crate::pages::audience::klaviyo_address;
use crate::visitor::{self, Visitor};

pub(super) async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let not_found = |_| PageError::from(Error::NotFound(Entity::Consumer));
    let id = ConsumerId::parse(path.into_inner()).map_err(not_found)?;
    let organization = visitor.organization();
    let person = application.consumer(organization, &id).await?;
    let part = timeline::part(&application, &visitor, &id, &query.0).await?;
    if visitor.is_partial {
        return Ok(visitor::html(&part));
    }
    let audiences = application.audiences_of(organization, &id).await?;
    let name = name(&person);
    let body = html! {
        div.head {
            h1 { (long_text(&name)) }
            @if person.consumer.primary.is_some() { (badge("info", "Klaviyo")) }
            @if visitor.may(Role::Editor) {
                div.actions {
                    a.button.quiet href={ (super::PATH) "/" (id) "/edit" } { "Edit" }
                }
            }
        }
        @if let Some(text) = said(&query.0) {
            (notice("good", &html! { (text) }))
        }
        (details(&visitor, &person))
        (consent::panel(&visitor, &person))
        (memberships(&visitor, &person, &audiences))
        (part)
    };
    Ok(visitor.page(&name, Section::Customers, &body))
}

/// What was done, after a form.
fn said(fields: &Fields) -> Option<&'static str> {
    match fields.get("notice")? {
        "made" => Some("The consumer was made."),
        "saved" => Some("The consumer was saved."),
        "unsubscribed" => Some("The consent was ended here, and Klaviyo is told."),
        _ => None,
    }
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
                (cell("Why?", &html! {
                    @if record.source.is_some() {
                        a href={ (path) "/why?consumerId=" (person.consumer.id) } { "Why?" }
                    } @else { "Added by hand" }
                }))
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
