//! How something stands: badges, progress, messages, and what is shown where nothing is.

use fanfare_domain::run::SyncStatus;
use maud::{Markup, html};

use crate::error::Told;
use crate::texts;

/// A word in a colour. The word tells it, the colour only helps.
pub(crate) fn badge(kind: &str, text: &str) -> Markup {
    html! { span class={ "badge " (kind) } { (text) } }
}

/// The status of a sync.
pub(crate) fn status_badge(status: SyncStatus) -> Markup {
    let kind = match status {
        SyncStatus::Pending => "waiting",
        SyncStatus::Syncing => "working",
        SyncStatus::Success => "good",
        SyncStatus::Failed => "bad",
    };
    badge(kind, texts::status(status))
}

/// The status of a sync that somebody ended: it failed, and nothing is wrong.
pub(crate) fn cancelled_badge() -> Markup {
    html! { (badge("none", texts::status(SyncStatus::Failed))) " " span.none { "Cancelled" } }
}

/// The same of an audience that may have no sync.
pub(crate) fn maybe_status_badge(status: Option<SyncStatus>) -> Markup {
    status.map_or_else(|| html! { span.none { "None" } }, status_badge)
}

/// How much of a whole is done; of an unknown whole, that something is.
pub(crate) fn progress(label: &str, done: u64, total: Option<u64>) -> Markup {
    let total = total
        .filter(|total| *total > 0)
        .map(|total| total.max(done));
    html! {
        progress aria-label=(label) max=[total] value=[total.map(|_| done)] {
            (texts::number(done))
            @if let Some(total) = total { " of " (texts::number(total)) }
        }
    }
}

/// A message above a page.
pub(crate) fn notice(kind: &str, text: &Markup) -> Markup {
    let role = if kind == "bad" { "alert" } else { "status" };
    html! { div class={ "notice " (kind) } role=(role) { (text) } }
}

/// What stands where a table has no rows: why, and the next step.
pub(crate) fn empty(title: &str, text: &str, step: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            h2 { (title) }
            p { (text) }
            @if let Some((name, href)) = step {
                a.button href=(href) { (name) }
            }
        }
    }
}

/// An error: what happened, what to do, and the way out.
pub(crate) fn error_panel(told: &Told<'_>) -> Markup {
    let (name, href) = told.way_out;
    html! {
        section.error-panel role="alert" {
            h1 { (told.heading) }
            p { (told.text) }
            a.button href=(href) { (name) }
        }
    }
}
