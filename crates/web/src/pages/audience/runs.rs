//! `/app/audiences/{id}/runs`: the audience's syncs, and its pushes into a Klaviyo list, the latest first.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::push::{PushMode, PushRun};
use fanfare_domain::run::{RunError, RunMode, SyncRun, Trigger};
use fanfare_domain::time::Timestamp;
use fanfare_sync::{AnyRun, Integration};
use maud::{Markup, html};

use super::{Frame, audience_id, kept_list, progress};
use crate::components::{
    cancelled_badge, cell, empty, heading, maybe_time, number_cell, number_heading, pager,
    progress as bar, search_field, status_badge, table, time,
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

/// After how many seconds a script looks for news while a run is under way.
const SECONDS_BETWEEN_LOOKS: u32 = 2;

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
    let read = application.all_runs(organization, &id, &page).await?;
    let is_full = read.items.len() == page.first as usize;
    let next = read.end().filter(|_| is_full).map(str::to_owned);
    let mut runs = read.items;
    runs.retain(|run| typed.is_empty() || words(run).to_lowercase().contains(&typed));
    let is_active = runs.iter().any(|run| run.status().is_active());
    let every = is_active.then_some(SECONDS_BETWEEN_LOOKS);
    let refresh = format!("{address}{}", fields.set("notice", None).query());
    let part = html! {
        div #runs data-refresh=(refresh) data-every=[every] {
            @if !runs.is_empty() {
                (rows(&visitor, &frame, &runs))
            } @else if !typed.is_empty() {
                (empty("No run matches", "Search for a status, for what started a run, or for a part of an error.", Some(("Show all runs", &address))))
            } @else if fields.text("after").is_some() {
                (empty("No more runs", "There are no older ones.", Some(("Show the latest", &address))))
            } @else {
                (empty("No runs yet", "A run is a sync from Klaviyo, or a push into a Klaviyo list.", None))
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

/// What a run does.
fn kind(run: &AnyRun) -> &'static str {
    match run {
        AnyRun::Pull(run) => match run.pass.mode() {
            RunMode::Full => "Complete sync",
            RunMode::Incremental => "Sync of changes",
        },
        AnyRun::Push(run) => match run.mode {
            PushMode::Full => "Complete push",
            PushMode::Following => "Push of changes",
        },
    }
}

fn trigger(run: &AnyRun) -> Trigger {
    match run {
        AnyRun::Pull(run) => run.trigger,
        AnyRun::Push(run) => run.trigger,
    }
}

/// What started a run.
fn started_by(run: &AnyRun) -> &'static str {
    match (run, trigger(run)) {
        (AnyRun::Push(_), Trigger::Manual) => "Push confirmed",
        (AnyRun::Push(_), _) => "Change of the audience",
        (AnyRun::Pull(_), trigger) => texts::trigger(trigger),
    }
}

fn error(run: &AnyRun) -> Option<&RunError> {
    match run {
        AnyRun::Pull(run) => run.error.as_ref(),
        AnyRun::Push(run) => run.error.as_ref(),
    }
}

/// What a run is found by.
fn words(run: &AnyRun) -> String {
    let error = error(run).map_or("", |error| &error.message);
    let (trigger, status) = (started_by(run), texts::status(run.status()));
    format!("{trigger}\n{status}\n{}\n{error}\n{}", kind(run), run.id())
}

/// A column's name, and what of a sync and of a push stands in it, if anything.
type Column = (
    &'static str,
    fn(&SyncRun) -> u64,
    Option<fn(&PushRun) -> u64>,
);

/// What a run has counted, by column. Who joined and left is told of what was written: the audience, or the list.
const COUNTS: [Column; 6] = [
    (
        "Profiles",
        |run| run.progress.tally.processed,
        Some(|run| run.progress.processed),
    ),
    ("Created", |run| run.progress.tally.created, None),
    ("Updated", |run| run.progress.tally.updated, None),
    (
        "Skipped",
        |run| run.progress.tally.skipped,
        Some(|run| run.progress.skipped),
    ),
    (
        "Joined",
        |run| run.progress.members_added,
        Some(|run| run.progress.added),
    ),
    (
        "Left",
        |run| run.progress.members_removed,
        Some(|run| run.progress.removed),
    ),
];

fn rows(visitor: &Visitor, frame: &Frame, runs: &[AnyRun]) -> Markup {
    let headings = html! {
        (heading("Started by"))
        (heading("Status"))
        (heading("What"))
        (heading("Queued"))
        (heading("Ended"))
        @for (name, ..) in COUNTS { (number_heading(name)) }
        (heading("More"))
    };
    let rows = html! {
        @for run in runs {
            @let (queued_at, finished_at) = times(run);
            tr {
                th scope="row" { (started_by(run)) }
                (cell("Status", &status(run)))
                (cell("What", &html! { (kind(run)) }))
                (cell("Queued", &time(queued_at, visitor.now)))
                (cell("Ended", &maybe_time(finished_at, visitor.now)))
                @for (name, of_sync, of_push) in COUNTS {
                    @match (run, of_push) {
                        (AnyRun::Pull(run), _) => (number_cell(name, of_sync(run))),
                        (AnyRun::Push(run), Some(of_push)) => (number_cell(name, of_push(run))),
                        (AnyRun::Push(_), None) => td.number {},
                    }
                }
                (cell("More", &html! {
                    @match run {
                        AnyRun::Pull(run) => a href={ (frame.path()) "/issues?run=" (run.id) } { "Issues" },
                        AnyRun::Push(_) => a href={ (frame.path()) "/klaviyo-list" } { (kept_list::TAB) },
                    }
                }))
            }
        }
    };
    table("Runs", &headings, &rows)
}

fn times(run: &AnyRun) -> (Timestamp, Option<Timestamp>) {
    match run {
        AnyRun::Pull(run) => (run.queued_at, run.finished_at),
        AnyRun::Push(run) => (run.queued_at, run.finished_at),
    }
}

/// How a run stands; how far it is, while it is under way; and why it failed.
fn status(run: &AnyRun) -> Markup {
    let (done, total) = match run {
        AnyRun::Pull(run) => (run.progress.tally.processed, run.progress.total),
        AnyRun::Push(run) => (run.progress.processed, run.progress.total),
    };
    html! {
        @if error(run).is_some_and(progress::was_cancelled) { (cancelled_badge()) } @else { (status_badge(run.status())) }
        @if run.status().is_active() {
            (bar("Progress of the run", done, total))
        }
        @if let Some(error) = error(run) {
            p.hint { (error.message) }
        }
    }
}
