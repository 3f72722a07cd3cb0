//! `/app/audiences/{id}/members`: who is in it, now or at another time.

mod by_hand;
mod picking;

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Error, Integration};
use maud::{Markup, html};

use super::{Frame, audience_id};
use crate::components::{
    browser_value, csrf, empty, moment, notice, pager, search_field, short_search,
};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::pages::customers;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    let mut routes = vec![page!(GET Viewer "/app/audiences/{id}/members", show)];
    routes.extend(by_hand::routes());
    routes.extend(picking::routes());
    routes
}

/// Rows of a page.
const ROWS: u32 = 50;

/// What is shown beside the members of an audience that is filled by hand.
#[derive(Default)]
struct Beside {
    typed: by_hand::Typed,
    /// How many people a form has just added.
    added: u64,
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    answer(&application, &visitor, &id, &fields, Beside::default()).await
}

async fn answer(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    fields: &Fields,
    beside: Beside,
) -> Result<HttpResponse, PageError> {
    let frame = Frame::load(application, visitor, id).await?;
    let organization = visitor.organization();
    let (search, page) = (fields.search(), fields.page(ROWS));
    let read = match as_of(fields) {
        Ok(None) => {
            let members = application.members(organization, id, search.as_deref(), &page);
            members.await
        }
        Ok(Some(at)) => {
            let members = application.members_at(organization, id, at, search.as_deref(), &page);
            members.await
        }
        Err(error) => Err(error),
    };
    let address = format!("{}/members", frame.path());
    let is_by_hand = frame.status.record.source.is_none();
    // Members of another time are not changed.
    let may_change = is_by_hand
        && visitor.may(Role::Editor)
        && !frame.is_archived()
        && fields.text("asOf").is_none();
    let found = match read {
        Ok(members) if members.items.is_empty() => nobody(fields, &address, is_by_hand),
        Ok(members) => html! {
            @if may_change {
                form method="post" action={ (address) "/remove" } {
                    (csrf(visitor))
                    div data-ticked {
                        (customers::pickable(visitor, "Members", &members.items, by_hand::PICK, &BTreeSet::new()))
                    }
                    div.choose {
                        output data-ticks=(by_hand::PICK) hidden {}
                        button.danger type="submit" { "Remove Selected" }
                    }
                }
            } @else {
                (customers::rows(visitor, "Members", &members.items))
            }
            (pager(&address, fields, members.end().filter(|_| members.items.len() == ROWS as usize)))
        },
        Err(Error::Invalid(violations)) => notice(
            "bad",
            &html! { @for violation in &violations { "As of: it " (texts::humane(&violation.message)) "." } },
        ),
        Err(error) => return Err(error.into()),
    };
    let part = html! { div #members { (short_search(fields)) (found) } };
    if visitor.is_partial {
        return Ok(frame.answer(visitor, fields, "Members", part));
    }
    let then = match as_of(fields) {
        Ok(Some(at)) => members_then(application, visitor, id, at).await?,
        _ => None,
    };
    let part = html! {
        @if beside.added > 0 {
            (notice("good", &html! { (members_added(beside.added)) }))
        }
        @if may_change { (by_hand::panel(visitor, &frame, &beside.typed)) }
        (search_field(&address, fields, "E-mail, phone or name", "#members"))
        (time_field(&address, fields, then))
        (part)
    };
    Ok(frame.answer(visitor, fields, "Members", part))
}

/// That people were added.
pub(super) fn members_added(count: u64) -> String {
    format!(
        "{} added.",
        texts::count(count, "member was", "members were")
    )
}

/// The time whose members are asked for. A browser's field has no zone and no seconds: it is taken as UTC.
fn as_of(fields: &Fields) -> Result<Option<Timestamp>, Error> {
    let Some(text) = fields.text("asOf") else {
        return Ok(None);
    };
    let time = Timestamp::parse_iso8601(text).map(Some);
    time.ok_or_else(|| {
        Error::Invalid(vec![fanfare_sync::FieldViolation {
            field: "asOf".to_owned(),
            message: "must be a time such as 2026-11-24T14:00".to_owned(),
        }])
    })
}

/// How many members there were at a time, if that can be told.
async fn members_then(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    at: Timestamp,
) -> Result<Option<u64>, PageError> {
    let counted = application.difference(visitor.organization(), id, at, visitor.now);
    match counted.await {
        Ok(difference) => Ok(Some(difference.members_at_from)),
        // Why not stands where the members would be.
        Err(Error::Invalid(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn time_field(address: &str, fields: &Fields, then: Option<u64>) -> Markup {
    let typed = fields.text("asOf").unwrap_or_default();
    html! {
        details open[fields.has("asOf")] {
            summary { "Members at another time" }
            form.search method="get" action=(address) {
                label for="asOf" { "As of (UTC)" }
                input #asOf name="asOf" type="datetime-local" step="1" data-utc value=(browser_value(typed));
                input type="hidden" name="search" value=(fields.typed_search());
                button.quiet type="submit" { "Show" }
            }
            @if typed.is_empty() && fields.has("asOf") { p.fault role="alert" { "Give a time." } }
            @if !typed.is_empty() {
                p {
                    "Shown as of " (shown_time(typed))
                    @if let Some(count) = then { ": " (texts::count(count, "member", "members")) " then" }
                    ". " a href=(address) { "Show the members of now" }
                }
            }
        }
    }
}

/// The time that was asked for, as it was read.
fn shown_time(typed: &str) -> Markup {
    Timestamp::parse_iso8601(typed).map_or_else(|| html! { (texts::cut(typed, 40)) }, moment)
}

fn nobody(fields: &Fields, address: &str, is_by_hand: bool) -> Markup {
    if fields.text("search").is_some() {
        empty(
            "Nobody matches",
            "Search for at least two characters of an e-mail, a phone number or a name.",
            Some(("Show all members", address)),
        )
    } else if fields.text("asOf").is_some() {
        empty(
            "No members then",
            "Nobody was in this audience at that time.",
            Some(("Show the members of now", address)),
        )
    } else if is_by_hand {
        empty(
            "No members",
            "Nobody is in this audience. It is filled by hand: somebody has to add people.",
            None,
        )
    } else {
        empty(
            "No members",
            "Nobody is in this audience. Members appear while a sync reads the list.",
            None,
        )
    }
}
