//! How far a push is, and what became of it.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::organization::Role;
use fanfare_domain::push::{PushPhase, PushRun};
use fanfare_domain::run::Trigger;
use maud::{Markup, html};

use super::address;
use crate::components::{button_form, maybe_time, number, progress, status_badge};
use crate::texts;
use crate::visitor::Visitor;

/// The latest push.
pub(super) fn panel(visitor: &Visitor, run: &PushRun) -> Markup {
    let done = run.progress;
    let is_active = run.status.is_active();
    let counts = [
        ("Compared", done.processed),
        ("Added", done.added),
        ("Removed", done.removed),
        ("Left out", done.skipped),
    ];
    html! {
        section.panel {
            h2 { @if is_active { "Push in progress" } @else { "Last push" } }
            p {
                (status_badge(run.status)) " " (began(run.trigger))
                @if !is_active { ", ended " (maybe_time(run.finished_at, visitor.now)) }
            }
            @if is_active {
                @if let Some(text) = doing(&run.phase) { p { (text) } }
                (progress("Progress of the push", done.processed, done.total))
                @if let Some(waiting) = run.waiting.filter(|waiting| waiting.until > visitor.now) {
                    p.hint { "Waits until " (texts::clock_time(waiting.until)) "." }
                }
            }
            @if let Some(error) = &run.error {
                p.fault {
                    (error.message)
                    @if needs_key(error.code) && visitor.may(Role::Editor) {
                        " " a href="/app/settings/integrations?sheet=klaviyo&update=1" { "Save a new key" }
                    }
                }
            }
            dl.facts {
                @for (name, count) in counts {
                    div { dt { (name) } dd { (number(count)) } }
                }
            }
            @if is_active && visitor.may(Role::Editor) {
                p { (button_form(visitor, &format!("{}/cancel", address(&run.audience)), "quiet", "Cancel", &[("run", run.id.as_str())])) }
            }
        }
    }
}

/// Whether a new key mends it.
const fn needs_key(code: FailureCode) -> bool {
    matches!(code, FailureCode::KeyInvalid | FailureCode::ScopeMissing)
}

/// What started it.
const fn began(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Manual => "Somebody confirmed it",
        Trigger::Import | Trigger::Schedule | Trigger::Webhook => "It followed by itself",
    }
}

/// What it does now.
const fn doing(phase: &PushPhase) -> Option<&'static str> {
    match phase {
        PushPhase::Scanning { .. } | PushPhase::Correcting { .. } => Some("Reads the list."),
        PushPhase::CountingMembers { .. }
        | PushPhase::CountingLedger { .. }
        | PushPhase::CountingChanges { .. }
        | PushPhase::Deciding => Some("Counts whom it would add and remove."),
        PushPhase::FinishingOpen | PushPhase::Members { .. } => Some("Adds people to the list."),
        PushPhase::Ledger { .. } => Some("Removes those who have left the audience."),
        PushPhase::Changes { .. } => Some("Adds and removes people."),
        PushPhase::Done => None,
    }
}
