//! `/app/audiences/{id}/members/pick`: consumers are picked to become members of an audience that is filled by hand.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::door::Asked;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::ports::ConsumerFilter;
use fanfare_sync::{Error, Integration};
use maud::{Markup, html};

use super::super::{Frame, audience_id};
use super::by_hand::{PICK, picked};
use crate::Dashboard;
use crate::components::{csrf, empty, long_text, notice, pager, search_field, short_search};
use crate::error::PageError;
use crate::fields::{Fields, Form, Query};
use crate::layout::Section;
use crate::pages::customers;
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/audiences/{id}/members/pick", show),
        page!(POST Editor "/app/audiences/{id}/members/pick", add),
    ]
}

/// Rows of a page.
const ROWS: u32 = 50;

/// The fields that say which page of the table is shown.
const PLACE: [&str; 2] = ["search", "after"];

/// The page's address.
fn address(audience: &AudienceId) -> String {
    format!("/app/audiences/{audience}/members/pick")
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    if frame.status.record.source.is_some() {
        return Err(Error::Synced.into());
    }
    if frame.is_archived() {
        return Err(Error::Archived.into());
    }
    let organization = visitor.organization();
    let filter = ConsumerFilter {
        search: fields.search(),
        ..ConsumerFilter::default()
    };
    let found = application
        .consumers(organization, &filter, &fields.page(ROWS))
        .await?;
    let ids = found
        .items
        .iter()
        .map(|person| person.consumer.id.to_string());
    let asked = Asked::Consumers(ids.collect());
    let members = application.check(organization, &id, &asked).await?.members;
    let members: BTreeSet<ConsumerId> = members.into_iter().flatten().collect();
    let path = address(&id);
    let part = html! {
        div #people data-ticked {
            // Where the page is, so that it is shown again.
            @for name in PLACE {
                @if let Some(value) = fields.text(name) { input type="hidden" name=(name) value=(value); }
            }
            (short_search(&fields))
            @if found.items.is_empty() {
                (nobody(&fields, &path))
            } @else {
                (customers::pickable(&visitor, "Consumers", &found.items, PICK, &members))
                (pager(&path, &fields, found.end().filter(|_| found.items.len() == ROWS as usize)))
            }
        }
    };
    let title = "Pick members";
    Ok(visitor.page_or(part, title, Section::Audiences, |part| {
        html! {
            div.head {
                h1 { "Pick members of " (long_text(frame.name())) }
                div.actions { a.button.quiet href={ (frame.path()) "/members" } { "Back to the members" } }
            }
            @if let Some(text) = said(&fields) { (notice("good", &html! { (text) })) }
            (search_field(&path, &fields, "E-mail, phone or name", "#people"))
            form method="post" action=(path) {
                (csrf(&visitor))
                (part)
                div.choose {
                    output data-ticks=(PICK) hidden {}
                    button type="submit" { "Add Selected" }
                }
            }
        }
    }))
}

fn nobody(fields: &Fields, path: &str) -> Markup {
    if fields.search().is_some() {
        empty(
            "Nobody matches",
            "Search for at least two characters of an e-mail, a phone number or a name.",
            Some(("Show everybody", path)),
        )
    } else {
        empty(
            "No consumers yet",
            "People appear here while lists and segments are imported, or when you add them.",
            Some(("Add Customer", "/app/customers/new")),
        )
    }
}

/// What was done.
fn said(fields: &Fields) -> Option<String> {
    let notice = fields.get("notice")?;
    if notice == "nobody-ticked" {
        return Some("Nobody was ticked.".to_owned());
    }
    let count: u64 = notice.strip_prefix("added-")?.parse().ok()?;
    Some(super::members_added(count))
}

async fn add(
    application: Data<Integration>,
    dashboard: Data<Dashboard>,
    visitor: Visitor,
    path: Path<String>,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let people = picked(&form.0);
    let said = if people.is_empty() {
        Frame::load(&application, &visitor, &id).await?;
        "nobody-ticked".to_owned()
    } else {
        let done = application.add_members(visitor.organization(), &id, &people);
        let added = done.await?.changed;
        dashboard.counts.forget(&id);
        format!("added-{added}")
    };
    // They go on where they were: perhaps they look for somebody else.
    let mut fields = Fields::default();
    for name in PLACE {
        fields = fields.set(name, form.0.text(name));
    }
    let fields = fields.set("notice", Some(&said));
    Ok(see(&format!("{}{}", address(&id), fields.query())))
}
