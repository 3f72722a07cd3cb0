//! `/app/audiences`: all audiences.

mod order;

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::audience::Audience;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::organization::Role;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::AudienceRecord;
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_sync::Integration;
use maud::{Markup, html};

use self::order::Order;
use crate::Dashboard;
use crate::components::{
    badge, button_form, cancelled_badge, cell, empty, heading, long_text, maybe_status_badge,
    maybe_time, menu, notice, number_cell, pager, search_field, sortable, table, time,
};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::layout::Section;
use crate::pages::making;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::{Visitor, see};

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app", home),
        page!(GET Viewer "/app/audiences", list),
    ]
}

const PATH: &str = "/app/audiences";

/// An audience with how many members it has.
type Counted = (AudienceRecord, u64);

/// Rows of a page.
const ROWS: usize = 50;

/// Audiences that are read at once.
const READ_AT_ONCE: u32 = 500;

async fn home() -> HttpResponse {
    see(PATH)
}

async fn list(
    application: Data<Integration>,
    dashboard: Data<Dashboard>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let Query(fields) = query;
    let organization = visitor.organization();
    let mut all = all_audiences(&application, &visitor).await?;
    let has_any = !all.is_empty();
    let is_connected = application.is_connected(organization).await?;
    let order = Order::of(&fields);
    retain_found(&mut all, &fields);
    let all = if order.key == "members" {
        with_members(&dashboard, &application, &visitor, all).await?
    } else {
        all.into_iter().map(|record| (record, 0)).collect()
    };
    let (shown, next) = order.page(all, &fields);
    let shown: Vec<AudienceRecord> = shown.into_iter().map(|(record, _)| record).collect();
    let shown = with_members(&dashboard, &application, &visitor, shown).await?;
    let address = format!("{PATH}{}", fields.set("notice", None).query());
    let part = html! {
        div #audiences data-refresh=(address) data-every=[seconds_between_looks(&shown)] {
            @if shown.is_empty() {
                (nothing(&visitor, has_any, is_connected))
            } @else {
                (rows(&visitor, &order, &fields, &shown))
                (pager(PATH, &fields, next.as_deref()))
            }
        }
    };
    Ok(
        visitor.page_or(part, "Audiences", Section::Audiences, |part| {
            html! {
                div.head {
                    h1 { "Audiences" }
                    div.actions {
                        @if visitor.may(Role::Editor) {
                            a.button.quiet href=(making::PATH) { "Create Audience" }
                            @if is_connected {
                                a.button href="/app/audiences/import/klaviyo" { "Import from Klaviyo" }
                            }
                        }
                    }
                }
                @if let Some(text) = said(&fields) {
                    (notice("good", &html! { (text) }))
                }
                @if has_any && !is_connected {
                    (notice("warn", &html! { strong { "Klaviyo is disconnected: nothing is updated." } }))
                }
                @if has_any {
                    (search_field(PATH, &fields, "Name or Klaviyo id", "#audiences"))
                }
                (part)
            }
        }),
    )
}

/// All audiences that are not archived.
async fn all_audiences(
    application: &Integration,
    visitor: &Visitor,
) -> Result<Vec<AudienceRecord>, PageError> {
    let mut all = Vec::new();
    let mut page = PageRequest {
        first: READ_AT_ONCE,
        after: None,
    };
    loop {
        let read = application.audiences(visitor.organization(), &page).await?;
        page.after = read.end().map(str::to_owned);
        all.extend(read.items);
        if page.after.is_none() {
            return Ok(all);
        }
    }
}

/// Leaves those whose name or list's id has the text that is searched for.
fn retain_found(all: &mut Vec<AudienceRecord>, fields: &Fields) {
    let typed = fields.typed_search().to_lowercase();
    all.retain(|record| {
        let id = |source: &CollectionSource| source.collection.id.as_str().to_lowercase();
        let has_id = |source| id(source).contains(&typed);
        record.audience.name.to_lowercase().contains(&typed)
            || record.source.as_ref().is_some_and(has_id)
    });
}

/// The audiences, each with how many members it has.
async fn with_members(
    dashboard: &Dashboard,
    application: &Integration,
    visitor: &Visitor,
    records: Vec<AudienceRecord>,
) -> Result<Vec<Counted>, PageError> {
    let asked: Vec<&AudienceRecord> = records.iter().collect();
    let counts = dashboard
        .counts
        .of(application, visitor.organization(), &asked);
    let counts = counts.await?;
    Ok(records.into_iter().zip(counts).collect())
}

/// After how many seconds a script looks whether something has changed: soon while something is syncing; never if nothing
/// syncs by itself.
fn seconds_between_looks(shown: &[Counted]) -> Option<u32> {
    let mut records = shown.iter().map(|(record, _)| record);
    if records.clone().any(AudienceRecord::is_syncing) {
        return Some(2);
    }
    let is_continuous =
        |record: &AudienceRecord| record.audience.refresh_interval_seconds.is_some();
    records.any(is_continuous).then_some(5)
}

/// What was done, after a form.
fn said(fields: &Fields) -> Option<&'static str> {
    match fields.get("notice")? {
        "deleted" => Some("The audience was deleted. Its list can be imported again."),
        "imported" => {
            Some("The imports have been queued. Each audience fills while its list is read.")
        }
        _ => None,
    }
}

fn rows(visitor: &Visitor, order: &Order, fields: &Fields, shown: &[Counted]) -> Markup {
    let by = (order.key, order.is_down);
    let sortable = |name, key| sortable(name, key, by, PATH, fields);
    let headings = html! {
        (sortable("Name", "name"))
        (heading("Type"))
        (sortable("Members", "members"))
        (sortable("Status", "status"))
        (heading("Rules"))
        (sortable("Sync Source", "source"))
        (sortable("Created", "created"))
        (sortable("Last Updated", "updated"))
        th scope="col" { span.hidden { "Actions" } }
    };
    let rows = html! {
        @for (record, members) in shown {
            @let (audience, source) = (&record.audience, &record.source);
            @let path = format!("{PATH}/{}", audience.id);
            tr {
                th scope="row" { a href=(path) { (long_text(&audience.name)) } }
                (cell("Type", &html! { @if source.is_some() { "Synced" } @else { "By hand" } }))
                (number_cell("Members", *members))
                (cell("Status", &html! {
                    @if was_cancelled(record) { (cancelled_badge()) } @else { (maybe_status_badge(record.status())) }
                }))
                (cell("Rules", &html! { span.none { "None" } }))
                (cell("Sync Source", &html! {
                    @match source {
                        Some(source) => {
                            (badge("info", "Klaviyo")) " "
                            span.nowrap { (source.collection.kind.descriptor().title) " " bdi { (texts::cut(source.collection.id.as_str(), 40)) } }
                            p.hint { (schedule(audience)) }
                        },
                        None => { span.none { "None" } },
                    }
                }))
                (cell("Created", &time(audience.created_at, visitor.now)))
                (cell("Last Updated", &maybe_time(updated_at(record), visitor.now)))
                td { (actions(visitor, record, &path)) }
            }
        }
    };
    table("Audiences", &headings, &rows)
}

/// How often an audience syncs, in a few words.
fn schedule(audience: &Audience) -> String {
    match audience.refresh_interval_seconds {
        Some(seconds) => format!("Continuous, {}", texts::every(seconds)),
        None => "One-time".to_owned(),
    }
}

/// Whether somebody ended its last sync, whose status is that of a failure.
fn was_cancelled(record: &AudienceRecord) -> bool {
    let source = record.source.as_ref();
    let error = source.and_then(|source| source.data.last_error.as_deref());
    !record.is_syncing() && error == Some(FailureCode::Cancelled.as_str())
}

/// When an audience or its source last changed.
fn updated_at(record: &AudienceRecord) -> Option<Timestamp> {
    let source = record.source.as_ref();
    let updated_at = record.audience.updated_at;
    updated_at.or_else(|| source.and_then(|source| source.updated_at))
}

/// What can be done with an audience.
fn actions(visitor: &Visitor, record: &AudienceRecord, path: &str) -> Markup {
    let items = html! {
        li { a href=(path) { "View Details" } }
        @if visitor.may(Role::Editor) {
            @if record.source.is_some() && !record.is_syncing() {
                li { (button_form(visitor, &format!("{path}/sync"), "", "Sync now", &[])) }
            }
            li { a href={ (path) "/edit" } { "Edit" } }
            li {
                button type="button" disabled { "Duplicate" }
                p.hint {
                    @match &record.source {
                        Some(source) => { "A " (source.collection.kind.noun()) " of Klaviyo's fills one audience." },
                        None => "For another one with the same people, create an audience and add them.",
                    }
                }
            }
            li { a href={ (path) "/delete" } { "Delete" } }
        }
    };
    menu(
        &format!("menu-{}", record.audience.id),
        &record.audience.name,
        &items,
    )
}

/// What stands there when no audience is shown, with the next step.
fn nothing(visitor: &Visitor, has_any: bool, is_connected: bool) -> Markup {
    let is_admin = visitor.may(Role::Admin);
    match (has_any, is_connected) {
        (true, _) => empty(
            "No audience matches",
            "Search for another part of a name or of a Klaviyo id.",
            Some(("Show all audiences", PATH)),
        ),
        (false, true) if visitor.may(Role::Editor) => empty(
            "No audiences yet",
            "Klaviyo is connected. Choose the lists and segments that become audiences.",
            Some(("Import from Klaviyo", "/app/audiences/import/klaviyo")),
        ),
        (false, true) => empty(
            "No audiences yet",
            "Klaviyo is connected. An editor of your organization can import lists and segments.",
            None,
        ),
        (false, false) if is_admin => empty(
            "No audiences yet",
            "Connect Klaviyo first. Then choose the lists and segments that become audiences.",
            Some(("Connect Klaviyo", "/app/settings/integrations")),
        ),
        (false, false) => empty(
            "No audiences yet",
            "An admin of your organization has to connect Klaviyo first.",
            None,
        ),
    }
}
