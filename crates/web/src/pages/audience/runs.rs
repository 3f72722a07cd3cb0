//! `/app/audiences/{id}/runs`: the audience's syncs, the latest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::run::{RunMode, SyncRun};
use fanfare_sync::Integration;
use maud::{Markup, html};

use super::{Frame, audience_id, progress};
use crate::components::{
    cell, empty, heading, maybe_time, number_cell, number_heading, pager, search_field,
    status_badge, table, time,
};
use crate::error::PageError;
use crate::fields::Query;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![page!(GET Viewer "/app/audiences/{id}/runs", show)]
}

/// Rows of a page.
const ROWS: u32 = 25;

/// Runs that a search looks through at once.
const SEARCHED: u32 = 500;

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let organization = visitor.organization();
    let address = format!("{}/runs", frame.path());
    let typed = fields.typed_search().to_lowercase();
    let page = PageRequest {
        first: if typed.is_empty() { ROWS } else { SEARCHED },
        ..fields.page(ROWS)
    };
    let read = application.runs(organization, &id, &page).await?;
    let is_full = read.items.len() == page.first as usize;
    let next = read.end().filter(|_| is_full).map(str::to_owned);
    let mut runs = read.items;
    runs.retain(|run| typed.is_empty() || words(run).to_lowercase().contains(&typed));
    let part = html! {
        div #runs {
            @if !runs.is_empty() {
                (rows(&visitor, &frame, &runs))
            } @else if typed.is_empty() {
                (empty("No more runs", "There are no older syncs.", Some(("Show the latest", &address))))
            } @else {
                (empty("No run matches", "Search for a status, for what started a sync, or for a part of an error.", Some(("Show all runs", &address))))
            }
            (pager(&address, &fields, next.as_deref()))
        }
    };
    if visitor.is_partial {
        return Ok(frame.answer(&visitor, &fields, "Runs", part));
    }
    let part = html! {
        (search_field(&address, &fields, "Status, start or error", "#runs"))
        (part)
    };
    Ok(frame.answer(&visitor, &fields, "Runs", part))
}

/// Which kind of pass a run makes.
const fn pass(run: &SyncRun) -> &'static str {
    match run.pass.mode() {
        RunMode::Full => "Complete",
        RunMode::Incremental => "Changes",
    }
}

/// What a run is found by.
fn words(run: &SyncRun) -> String {
    let error = run.error.as_ref().map_or("", |error| &error.message);
    let (trigger, status) = (texts::trigger(run.trigger), texts::status(run.status));
    format!("{trigger}\n{status}\n{}\n{error}\n{}", pass(run), run.id)
}

/// A column's name, and what of a run stands in it.
type Column = (&'static str, fn(&SyncRun) -> u64);

/// What a run has counted, by column.
const COUNTS: [Column; 6] = [
    ("Profiles", |run| run.progress.tally.processed),
    ("Created", |run| run.progress.tally.created),
    ("Updated", |run| run.progress.tally.updated),
    ("Skipped", |run| run.progress.tally.skipped),
    ("Joined", |run| run.progress.members_added),
    ("Left", |run| run.progress.members_removed),
];

fn rows(visitor: &Visitor, frame: &Frame, runs: &[SyncRun]) -> Markup {
    let headings = html! {
        (heading("Started by"))
        (heading("Status"))
        (heading("Pass"))
        (heading("Queued"))
        (heading("Ended"))
        @for (name, _) in COUNTS { (number_heading(name)) }
        (heading("Issues"))
    };
    let rows = html! {
        @for run in runs {
            tr {
                th scope="row" { (texts::trigger(run.trigger)) }
                (cell("Status", &html! {
                    (status_badge(run.status))
                    @if progress::is_cancelled(run) {
                        p.hint { strong { "Cancelled. " } (run.error.as_ref().map_or("", |error| &error.message)) }
                    } @else if let Some(error) = &run.error {
                        p.hint { (error.message) }
                    }
                }))
                (cell("Pass", &html! { (pass(run)) }))
                (cell("Queued", &time(run.queued_at, visitor.now)))
                (cell("Ended", &maybe_time(run.finished_at, visitor.now)))
                @for (name, count) in COUNTS { (number_cell(name, count(run))) }
                (cell("Issues", &html! { a href={ (frame.path()) "/issues?run=" (run.id) } { "Issues" } }))
            }
        }
    };
    table("Syncs", &headings, &rows)
}
