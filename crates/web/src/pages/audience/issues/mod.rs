//! `/app/audiences/{id}/issues`: what a sync did not take as it was, by reason; on the page, and as a file.

mod file;
mod groups;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{OrganizationId, ProfileId, RunId};
use fanfare_domain::issue::{Issue, IssueCode};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_sync::{Entity, Error, Integration};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Frame, audience_id, progress};
use crate::components::{empty, maybe_time, notice, number, pager, search_field};
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Viewer "/app/audiences/{id}/issues", show),
        page!(GET Viewer "/app/audiences/{id}/issues.csv", file::download),
    ]
}

/// Issues of a page.
const ROWS: u32 = 100;

/// Issues that the file and a search read at once.
const READ_AT_ONCE: u32 = 1_000;

/// How often a search reads so many: further ones are not looked through.
const MOST_READS: u32 = 20;

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let (id, Query(fields)) = (audience_id(path)?, query);
    let frame = Frame::load(&application, &visitor, &id).await?;
    let address = format!("{}/issues", frame.path());
    let Some(shown) = run_of(&application, &visitor, &frame, &fields).await? else {
        let part = empty(
            "No sync yet",
            "Issues appear here after the first sync.",
            None,
        );
        return Ok(frame.answer(&visitor, &fields, "Issues", part));
    };
    let (organization, run) = (visitor.organization(), shown.id.clone());
    let mut totals = application.issue_counts(organization, &run).await?;
    totals.sort_by_key(|(code, _)| groups::rank(*code));
    let all: u64 = totals.iter().map(|(_, count)| count).sum();
    let typed = fields.typed_search();
    let (issues, next) = if typed.is_empty() {
        let page = fields.page(ROWS);
        let read = application.issues(organization, &run, &page).await?;
        let is_full = read.items.len() == ROWS as usize;
        let next = read.end().filter(|_| is_full).map(str::to_owned);
        (read.items, next)
    } else {
        (find(&application, organization, &run, typed).await?, None)
    };
    let profiles: Vec<ProfileId> = issues.iter().map(|issue| issue.profile.clone()).collect();
    let people = application.people_of_profiles(organization, &run, &profiles);
    let people = people.await?;
    let part = html! {
        div #issues {
            (under_way(&frame, &run))
            (not_whole(&visitor, &frame, &shown, &fields))
            @if all == 0 {
                (empty("No issues", "Every profile of this sync was taken as it was.", None))
            } @else if issues.is_empty() {
                (empty("No issue matches", "Search for a part of a profile's id, of a field or of a reason.", Some(("Show all issues", &address))))
            } @else {
                (groups::groups(&visitor, &frame, &issues, &people, &totals))
                (pager(&address, &fields, next.as_deref()))
            }
        }
    };
    if visitor.is_partial || all == 0 {
        return Ok(frame.answer(&visitor, &fields, "Issues", part));
    }
    let part = html! {
        (summary(&totals, &format!("{address}.csv?run={run}")))
        (search_field(&address, &fields, "Profile, field or reason", "#issues"))
        (part)
    };
    Ok(frame.answer(&visitor, &fields, "Issues", part))
}

/// That a sync is under way, and which sync's issues are shown meanwhile.
fn under_way(frame: &Frame, shown: &RunId) -> Markup {
    html! {
        @if let Some(active) = frame.active() {
            (notice("warn", &html! {
                "A sync is running. "
                @if active.id == *shown {
                    "These are the issues that it has found so far."
                } @else {
                    "These are the issues of a sync that has ended; those of the running one are shown when it has ended."
                }
            }))
        }
    }
}

/// That the shown sync has not read everything, or that a later one has not.
fn not_whole(visitor: &Visitor, frame: &Frame, shown: &SyncRun, fields: &Fields) -> Markup {
    let ended = |run: &SyncRun| {
        if progress::is_cancelled(run) {
            "was cancelled"
        } else {
            "failed"
        }
    };
    let latest = frame.ended.as_ref().filter(|_| !fields.has("run"));
    let later = latest.filter(|run| run.id != shown.id);
    html! {
        @if !shown.status.is_active() && !has_read_all(shown) {
            (notice("warn", &html! {
                strong {
                    "Only the " (texts::count(shown.progress.tally.processed, "profile", "profiles"))
                    " read before the sync " (ended(shown)) ". "
                }
                "The others may have issues, too."
            }))
        } @else if let Some(later) = later {
            (notice("warn", &html! {
                "These are the issues of the last sync that read everything, " (maybe_time(shown.finished_at, visitor.now)) ". The one after it "
                (ended(later)) "."
            }))
        }
    }
}

/// Whether a sync that has ended has read all that it was to read.
fn has_read_all(run: &SyncRun) -> bool {
    let code = run.error.as_ref().map(|error| error.code);
    run.status == SyncStatus::Success || code == Some(FailureCode::RemovalGuard)
}

/// How many issues there are of each reason, and all of them as a file.
fn summary(totals: &[(IssueCode, u64)], file: &str) -> Markup {
    html! {
        section.panel {
            h2 { "What was not taken as it was" }
            ul.totals {
                @for (code, count) in totals {
                    li { (number(*count)) span { (code.message()) } }
                }
            }
            p { a.button.quiet href=(file) download { "Download as CSV" } }
        }
    }
}

/// The first issues in whose profile, field or reason a text is.
async fn find(
    application: &Integration,
    organization: &OrganizationId,
    run: &RunId,
    typed: &str,
) -> Result<Vec<Issue>, PageError> {
    let typed = typed.to_lowercase();
    let mut found = Vec::new();
    let mut after = None;
    for _ in 0..MOST_READS {
        let page = PageRequest {
            first: READ_AT_ONCE,
            after,
        };
        let read = application.issues(organization, run, &page).await?;
        after = read.end().map(str::to_owned);
        found.extend(read.items.into_iter().filter(|issue| {
            let texts = [
                issue.profile.as_str(),
                groups::field(issue),
                issue.kind.code.message(),
            ];
            texts
                .iter()
                .any(|text| text.to_lowercase().contains(&typed))
        }));
        if found.len() >= ROWS as usize || after.is_none() {
            break;
        }
    }
    found.truncate(ROWS as usize);
    Ok(found)
}

/// The run whose issues are asked for: the audience's latest that has read everything, unless the address names another one of it.
/// While there is none, it is the latest that has ended, or else the one under way.
async fn run_of(
    application: &Integration,
    visitor: &Visitor,
    frame: &Frame,
    fields: &Fields,
) -> Result<Option<SyncRun>, PageError> {
    let Some(named) = fields.text("run") else {
        return last_whole(application, visitor, frame).await;
    };
    let not_found = || PageError::from(Error::NotFound(Entity::SyncRun));
    let id = RunId::parse(named).map_err(|_| not_found())?;
    let run = application.run(visitor.organization(), &id).await?;
    if run.audience == frame.status.record.audience.id {
        Ok(Some(run))
    } else {
        Err(not_found())
    }
}

async fn last_whole(
    application: &Integration,
    visitor: &Visitor,
    frame: &Frame,
) -> Result<Option<SyncRun>, PageError> {
    let latest = frame.ended.as_ref();
    let record = &frame.status.record;
    let has_succeeded = record
        .source
        .as_ref()
        .is_some_and(|source| source.last_synced_at.is_some());
    if has_succeeded && latest.is_some_and(|run| !has_read_all(run)) {
        let mut page = PageRequest {
            first: 100,
            after: None,
        };
        loop {
            let read = application
                .runs(visitor.organization(), &record.audience.id, &page)
                .await?;
            page.after = read.end().map(str::to_owned);
            let mut ended = read.items.into_iter().filter(|run| !run.status.is_active());
            if let Some(whole) = ended.find(has_read_all) {
                return Ok(Some(whole));
            }
            if page.after.is_none() {
                break;
            }
        }
    }
    Ok(latest.or(frame.latest.as_ref()).cloned())
}

/// Where Klaviyo shows a profile.
pub(crate) fn klaviyo_address(profile: &str) -> String {
    let id = utf8_percent_encode(profile, NON_ALPHANUMERIC);
    format!("https://www.klaviyo.com/profile/{id}")
}
