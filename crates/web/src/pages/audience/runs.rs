//! `/app/audiences/{id}/runs`: the audience's syncs, the latest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::run::{RunMode, SyncRun};
use fanfare_sync::Integration;
use maud::{Markup, html};

use super::{Frame, audience_id};
use crate::components::{empty, heading, maybe_time, number, pager, status_badge, table, time};
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

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let page = fields.page(ROWS);
    let runs = application.runs(visitor.organization(), &id, &page).await?;
    let address = format!("{}/runs", frame.path());
    let part = html! {
        @if runs.items.is_empty() {
            (empty("No more runs", "There are no older syncs.", Some(("Show the latest", &address))))
        } @else {
            (rows(&visitor, &frame, &runs.items))
            (pager(&address, &fields, runs.end().filter(|_| runs.items.len() == ROWS as usize)))
        }
    };
    Ok(frame.answer(&visitor, &fields, "Runs", part))
}

fn rows(visitor: &Visitor, frame: &Frame, runs: &[SyncRun]) -> Markup {
    let headings = html! {
        (heading("Started by"))
        (heading("Status"))
        (heading("Pass"))
        (heading("Queued"))
        (heading("Ended"))
        @for name in ["Profiles", "Created", "Updated", "Skipped", "Joined", "Left"] {
            th.number scope="col" { (name) }
        }
        (heading("Issues"))
    };
    let rows = html! {
        @for run in runs {
            @let tally = run.progress.tally;
            tr {
                th scope="row" { (texts::trigger(run.trigger)) }
                td {
                    (status_badge(run.status))
                    @if let Some(error) = &run.error { p.hint { (error.message) } }
                }
                td { @match run.pass.mode() { RunMode::Full => "Complete", RunMode::Incremental => "Changes" } }
                td { (time(run.queued_at, visitor.now)) }
                td { (maybe_time(run.finished_at, visitor.now)) }
                @for count in [tally.processed, tally.created, tally.updated, tally.skipped, run.progress.members_added, run.progress.members_removed] {
                    td.number { (number(count)) }
                }
                td { a href={ (frame.path()) "/issues?run=" (run.id) } { "Issues" } }
            }
        }
    };
    table("Syncs", &headings, &rows)
}
