//! How far a run is, in words and numbers.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::issue::IssueCode;
use fanfare_domain::run::{RunError, RunMode, SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::{WaitReason, Waiting};
use maud::{Markup, html};

use super::Frame;
use crate::components::{maybe_time, number, progress, status_badge};
use crate::texts;
use crate::visitor::Visitor;

/// How long a run may lie in the queue, or wait for its turn, before that is told as a fault: workers take a run up within
/// a second or two.
const SILENCE: Duration = Duration::from_secs(20);

/// How far the run is, how fast, and what it waits for. This is also what the live stream sends.
pub(super) fn live(run: &SyncRun, now: Timestamp) -> Markup {
    let done = run.progress.tally.processed;
    html! {
        p {
            (status_badge(run.status)) " "
            (number(done))
            @if let Some(total) = run.progress.total { " of about " (number(total)) }
            " profiles read"
            @if let Some(rate) = rate(run, now) { ", " (number(rate)) " a second" }
            @if let Some(left) = run.eta_seconds(now) { ", about " (texts::duration(left)) " left" }
        }
        (progress("Progress of the sync", done, run.progress.total))
        @if let Some(text) = waits(run, now) {
            p.hint { (text) }
        }
        (outcome(run))
    }
}

/// Whether somebody ended the run. Its status is that of a failure, which it is not to whoever pressed the button.
pub(super) fn is_cancelled(run: &SyncRun) -> bool {
    run.error.as_ref().is_some_and(was_cancelled)
}

/// Whether a run that ended like this was ended by somebody.
pub(super) fn was_cancelled(error: &RunError) -> bool {
    error.code == FailureCode::Cancelled
}

/// How the people of a complete pass come of the profiles that it has read, in a sentence.
fn sum(run: &SyncRun, duplicates: u64) -> Option<String> {
    let tally = run.progress.tally;
    if run.pass.mode() != RunMode::Full || run.status != SyncStatus::Success || tally.processed == 0
    {
        return None;
    }
    let people = (tally.processed - tally.skipped.min(tally.processed)).saturating_sub(duplicates);
    let mut parts = vec![format!("{} in", texts::number(people))];
    if duplicates > 0 {
        parts.push(texts::count(duplicates, "duplicate", "duplicates"));
    }
    if tally.skipped > 0 {
        parts.push(format!("{} left out", texts::number(tally.skipped)));
    }
    let read = texts::count(tally.processed, "profile", "profiles");
    Some(format!("{read} read: {}.", parts.join(", ")))
}

/// What a run has done, each outcome with its count.
fn outcome(run: &SyncRun) -> Markup {
    let tally = run.progress.tally;
    let counts = [
        ("Created", tally.created),
        ("Updated", tally.updated),
        ("Unchanged", tally.unchanged),
        ("Skipped", tally.skipped),
        ("Members added", run.progress.members_added),
        ("Members removed", run.progress.members_removed),
    ];
    html! {
        dl.facts {
            @for (name, count) in counts {
                div { dt { (name) } dd { (number(count)) } }
            }
        }
    }
}

/// Profiles a second, in whole ones.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate to be shown; the cast saturates"
)]
fn rate(run: &SyncRun, now: Timestamp) -> Option<u64> {
    let rate = run.profiles_per_second(now)?;
    (run.status == SyncStatus::Syncing && rate >= 1.0).then_some(rate as u64)
}

/// What the run waits for, if it does.
pub(super) fn waits(run: &SyncRun, now: Timestamp) -> Option<String> {
    let silent = |since: Timestamp| {
        let seconds = now.since(since).as_secs();
        (now.since(since) > SILENCE).then(|| {
            format!(
                "No worker has taken this up for {}. If it stays like this, ask whoever runs Fanfare whether the worker is \
                 running.",
                texts::duration(seconds)
            )
        })
    };
    match run.waiting_at(now) {
        Some(Waiting { until, why }) => {
            let time = texts::clock_time(until);
            Some(match why {
                WaitReason::Quota => {
                    format!(
                        "Waits for Klaviyo until {time}: the requests that it grants your account are used up."
                    )
                }
                WaitReason::RetryAfter => {
                    format!(
                        "Waits for Klaviyo until {time}: Klaviyo has asked for no request before."
                    )
                }
                WaitReason::Retry => {
                    format!(
                        "Klaviyo gave no usable answer. The same request is sent again at {time}."
                    )
                }
                WaitReason::Turn => {
                    silent(until).unwrap_or_else(|| "Waits for its turn.".to_owned())
                }
            })
        }
        None if run.status == SyncStatus::Pending => {
            Some(silent(run.queued_at).unwrap_or_else(|| "Waits for a worker.".to_owned()))
        }
        None => None,
    }
}

/// How many profiles of a run share the e-mail of another one.
pub(crate) fn duplicates(issues: &[(IssueCode, u64)]) -> u64 {
    let mut counts = issues.iter();
    counts
        .find(|(code, _)| *code == IssueCode::DuplicateEmail)
        .map_or(0, |(_, count)| *count)
}

/// The latest run that has ended: when, and what it has done.
pub(super) fn last_sync(
    visitor: &Visitor,
    frame: &Frame,
    run: &SyncRun,
    duplicates: u64,
) -> Markup {
    html! {
        section.panel {
            h2 { "Last sync" }
            p {
                (texts::trigger(run.trigger))
                ", ended " (maybe_time(run.finished_at, visitor.now))
                @if let (Some(began), Some(ended)) = (run.started_at, run.finished_at) {
                    " after " (texts::duration(ended.since(began).as_secs()))
                }
            }
            @if run.removals_deferred {
                p { "Klaviyo was still computing the segment, so nobody was removed. A later sync does it." }
            }
            @if let Some(sum) = sum(run, duplicates) {
                p {
                    (sum)
                    @if duplicates > 0 || run.progress.tally.skipped > 0 {
                        " " a href={ (frame.path()) "/issues?run=" (run.id) } { "See which, and why" }
                    }
                }
            }
            (outcome(run))
        }
    }
}
