//! `/app/audiences/{id}`: what the audience is, and how its sync stands.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use fanfare_domain::collection::CollectionKind;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::organization::Role;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{AudienceStatus, Integration};
use maud::{Markup, html};

use super::{Frame, audience_id, progress};
use crate::Dashboard;
use crate::components::{button_form, growth, long_text, maybe_time, notice, number, time};
use crate::ended_runs::Outcome;
use crate::error::PageError;
use crate::fields::Query;
use crate::layout::Section;
use crate::router::{PageRoute, page};
use crate::texts;
use crate::visitor::Visitor;

/// The routes of this file.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![page!(GET Viewer "/app/audiences/{id}", show)]
}

/// How often a script looks for news of an audience that syncs by itself.
const SECONDS_BETWEEN_LOOKS: u32 = 3;

/// How long a sync may be overdue before that is told as a fault.
const OVERDUE: Duration = Duration::from_secs(90);

async fn show(
    application: Data<Integration>,
    dashboard: Data<Dashboard>,
    visitor: Visitor,
    path: Path<String>,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let id = audience_id(path)?;
    let frame = Frame::load(&application, &visitor, &id).await?;
    let organization = visitor.organization();
    let record = [&frame.status.record];
    let members = dashboard.counts.of(&application, organization, &record);
    let members = members.await?.first().copied().unwrap_or_default();
    let latest = frame.ended.as_ref();
    let ended = dashboard
        .ended_runs
        .of(&application, organization, &id, latest);
    let ended = ended.await?;
    // While a run is followed, its end says when to look again.
    let is_continuous = frame
        .status
        .record
        .audience
        .refresh_interval_seconds
        .is_some();
    let every = (is_continuous && frame.active().is_none()).then_some(SECONDS_BETWEEN_LOOKS);
    let part = html! {
        (troubles(&visitor, &frame))
        @if let Some(run) = frame.active() {
            section.panel {
                h2 { "Sync in progress" }
                div.live data-live={ (frame.path()) "/live" } { (progress::live(run, visitor.now)) }
                noscript { p.hint { "Without scripts this stands still. " a href=(frame.path()) { "Reload" } " to see how far it is." } }
                @if visitor.may(Role::Editor) && !frame.is_archived() {
                    div.actions {
                        (button_form(&visitor, &format!("{}/cancel", frame.path()), "quiet", "Cancel", &[("run", run.id.as_str())]))
                    }
                }
            }
        }
        section.panel {
            h2 { "Audience" }
            (facts(&visitor, &frame.status, members))
            (growth(&counts(&ended.outcomes, members), visitor.now))
        }
        @if let Some(run) = frame.latest.as_ref().filter(|run| !run.status.is_active()) {
            (progress::last_sync(&visitor, &frame, run, ended.duplicates))
        }
    };
    // The head is a part of what is asked for again: a rename and the status are in it.
    let whole = html! {
        div #overview data-refresh=(frame.path()) data-every=[every] {
            (frame.around(&visitor, &query.0, "Overview", &part))
        }
    };
    Ok(visitor.page_or(whole, frame.name(), Section::Audiences, |whole| whole))
}

/// The members after each run that has ended, the earliest first. What runs have added and removed leads back from the
/// members of now.
fn counts(runs: &[Outcome], members: u64) -> Vec<(Timestamp, u64)> {
    let mut counts = Vec::with_capacity(runs.len());
    let mut after = members;
    for run in runs {
        counts.push((run.at, after));
        after = (after + run.left).saturating_sub(run.joined);
    }
    counts.reverse();
    counts
}

fn facts(visitor: &Visitor, status: &AudienceStatus, members: u64) -> Markup {
    let (audience, source) = (&status.record.audience, status.record.source.as_ref());
    let last_synced_at = source.and_then(|source| source.last_synced_at);
    html! {
        dl.facts {
            div { dt { "Members" } dd { (number(members)) } }
            @if let Some(source) = source {
                div { dt { "Last synced" } dd { (maybe_time(last_synced_at, visitor.now)) } }
                div { dt { "Last complete pass" } dd { (maybe_time(status.last_full_pass_at(), visitor.now)) } }
                @let (kind, id) = (source.collection.kind, source.collection.id.as_str());
                div {
                    dt { "Klaviyo " (kind.noun()) }
                    dd {
                        a href=(klaviyo_address(kind, id)) rel="noreferrer" target="_blank" {
                            (long_text(source.data.name.as_deref().unwrap_or(id)))
                        }
                    }
                }
            }
            @if let Some(kept) = &status.kept_list {
                div {
                    dt { "Kept in the list" }
                    dd {
                        a href={ "/app/audiences/" (audience.id) "/klaviyo-list" } {
                            (long_text(kept.name.as_deref().unwrap_or(kept.list.as_str())))
                        }
                    }
                }
            }
            div { dt { "Created" } dd { (time(audience.created_at, visitor.now)) } }
        }
        @if let Some(description) = &audience.description {
            p { (long_text(description)) }
        }
        @if !audience.archived {
            @for text in schedule(visitor, status) {
                p { (text) }
            }
        }
    }
}

/// Where Klaviyo shows a list or segment.
fn klaviyo_address(kind: CollectionKind, id: &str) -> String {
    let id = percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC);
    format!("https://www.klaviyo.com/{}/{id}", kind.noun())
}

/// When the audience syncs by itself, and how soon somebody who leaves the list is out, in words.
fn schedule(visitor: &Visitor, status: &AudienceStatus) -> Vec<String> {
    let Some(source) = &status.record.source else {
        return vec!["It is filled by hand: no sync changes who is in it.".to_owned()];
    };
    let kind = source.collection.kind.noun();
    let Some(seconds) = status.record.audience.refresh_interval_seconds else {
        return vec![format!(
            "One-time import: it syncs when somebody presses Sync now. Whoever joins or leaves the {kind} is not seen before."
        )];
    };
    let mut texts = vec![format!("Continuous sync: {}.", texts::every(seconds))];
    if let Some(next) = status.next_sync_at() {
        let due = texts::relative(next, visitor.now);
        let overdue = visitor.now.since(next);
        texts.push(if overdue > OVERDUE {
            format!(
                "The next sync was due {due}, and no worker has begun it. If it stays like this, ask whoever runs Fanfare \
                 whether the worker is running."
            )
        } else if overdue > Duration::ZERO {
            "The next sync is due now.".to_owned()
        } else {
            format!("The next sync is due {due}.")
        });
    }
    if let Some(within) = status.removals_within_seconds()
        && status.paused().is_none()
    {
        texts.push(format!(
            "Whoever leaves the {kind} leaves the audience within {}.",
            texts::duration(within)
        ));
    }
    texts
}

/// What somebody has to look at, with what to do.
fn troubles(visitor: &Visitor, frame: &Frame) -> Markup {
    let status = &frame.status;
    html! {
        @if let Some(code) = status.paused() {
            (notice("bad", &html! {
                strong { "Continuous sync is paused. " }
                (remedy(code)) " It goes on when the key is replaced, or when a sync succeeds."
            }))
        }
        @if status.is_stale() {
            (notice("warn", &html! {
                strong { "The members may be out of date. " }
                "The last successful sync is longer ago than two intervals."
            }))
        }
        @if status.record.source.as_ref().is_some_and(|it| it.guard.is_holding) && frame.active().is_none() {
            (guard(visitor, frame))
        } @else if let Some(run) = frame.latest.as_ref().filter(|run| !run.status.is_active()) {
            @if progress::is_cancelled(run) {
                (notice("warn", &html! {
                    strong { "The last sync was cancelled. " }
                    (run.error.as_ref().map_or("", |error| &error.message))
                    " What it had written stays, and nobody was removed."
                }))
            } @else if let Some(error) = &run.error {
                (notice("bad", &html! {
                    strong { "The last sync failed. " }
                    @if error.code != FailureCode::KeyInvalid { (error.message) " " }
                    (remedy(error.code))
                    @if error.code == FailureCode::IncompleteRead {
                        (confirm(visitor, frame))
                    }
                }))
            }
        }
    }
}

/// The removal guard: what it holds, its numbers, and the button that lets the removals happen.
fn guard(visitor: &Visitor, frame: &Frame) -> Markup {
    let source = frame.status.record.source.as_ref();
    let kept = source.and_then(|source| source.guard.members_at_success);
    let error = frame.latest.as_ref().and_then(|run| run.error.as_ref());
    notice(
        "bad",
        &html! {
            strong { "Nobody is removed until you confirm it. " }
            @match error {
                Some(error) => (error.message),
                None => "An earlier sync would have removed more than half of the members.",
            }
            @if let Some(kept) = kept {
                " After the last complete sync there were " (number(kept)) " members."
            }
            p {
                "Losing more than half of an audience at once is more often a mistake than meant. Look at the list in Klaviyo. \
                 If it is right, confirm: the audience is synced again, and everybody who is not in the list leaves."
            }
            (confirm(visitor, frame))
        },
    )
}

fn confirm(visitor: &Visitor, frame: &Frame) -> Markup {
    html! {
        @if visitor.may(Role::Editor) && !frame.is_archived() {
            p {
                (button_form(
                    visitor,
                    &format!("{}/sync", frame.path()),
                    "danger",
                    "Confirm removals",
                    &[("confirmRemovals", "true")],
                ))
            }
        } @else {
            p { "An editor of your organization can confirm it." }
        }
    }
}

/// What to do about a failure, for a person at the dashboard.
fn remedy(code: FailureCode) -> &'static str {
    match code {
        FailureCode::KeyInvalid => {
            "Klaviyo does not take the API key: save a new one under Settings, Integrations."
        }
        FailureCode::ScopeMissing => {
            "The API key may not read this: save one with the missing access under Settings, Integrations."
        }
        FailureCode::SourceGone => {
            "The list is gone from Klaviyo. Delete this audience, or connect the account that has the list."
        }
        FailureCode::UpstreamInvalid
        | FailureCode::UpstreamUnavailable
        | FailureCode::CursorLoop => "The fault is on Klaviyo's side. Sync again in a while.",
        FailureCode::IncompleteRead => {
            "Sync again. If the list really is that much smaller now, confirm it."
        }
        FailureCode::RemovalGuard => {
            "Look at the list in Klaviyo, and confirm the removals if they are right."
        }
        FailureCode::ConfirmationNeeded => "Look at the preview of the push, and confirm it.",
        FailureCode::WorkerCrashed | FailureCode::Internal => {
            "The fault is in Fanfare, whose logs tell more. Sync again."
        }
        FailureCode::Cancelled => "",
    }
}
