//! How many deliveries there are, and what keeps those back that wait.

use std::time::Duration;

use fanfare_domain::connection::ConnectionStatus;
use fanfare_domain::delivery::{DeliveryStatus, Summary};
use fanfare_domain::time::Timestamp;
use fanfare_sync::ConnectionView;
use maud::{Markup, html};

use super::PATH;
use crate::components::{heading, notice, number, number_cell, number_heading, table, time};
use crate::visitor::Visitor;
use crate::{texts, words};

/// How long a delivery may wait before that is told as a fault: with free quota it takes a second.
const USUAL_WAIT: Duration = Duration::from_mins(1);

/// How many of this status there are, of every kind.
pub(super) fn total(summary: &Summary, status: DeliveryStatus) -> u64 {
    let counts = summary.values().filter_map(|of| of.counts.get(&status));
    counts.sum()
}

/// Since when the oldest one waits, of every kind.
fn oldest(summary: &Summary) -> Option<Timestamp> {
    summary.values().filter_map(|of| of.oldest_pending_at).min()
}

/// The numbers by status; by kind, too, where there are several.
pub(super) fn panel(visitor: &Visitor, summary: &Summary) -> Markup {
    let kinds: Vec<_> = summary
        .iter()
        .filter(|(_, of)| of.counts.values().any(|count| *count > 0))
        .collect();
    html! {
        section.panel {
            h2 { "In all" }
            dl.facts {
                @for status in DeliveryStatus::ALL {
                    div {
                        dt { (words::delivery_status(*status)) }
                        dd { (number(total(summary, *status))) }
                    }
                }
                div {
                    dt { "Oldest that waits" }
                    dd {
                        @match oldest(summary) {
                            Some(at) => (time(at, visitor.now)),
                            None => span.none { "None" },
                        }
                    }
                }
            }
            @if kinds.len() > 1 {
                (table(
                    "Deliveries by kind",
                    &html! {
                        (heading("Kind"))
                        @for status in DeliveryStatus::ALL { (number_heading(words::delivery_status(*status))) }
                    },
                    &html! {
                        @for (kind, of) in kinds {
                            tr {
                                th scope="row" { a href={ (PATH) "?kind=" (kind) } { (words::kind(*kind)) } }
                                @for status in DeliveryStatus::ALL {
                                    (number_cell(words::delivery_status(*status), of.counts.get(status).copied().unwrap_or(0)))
                                }
                            }
                        }
                    },
                ))
            }
        }
    }
}

/// What keeps back what waits, with what to do.
pub(super) fn troubles(
    visitor: &Visitor,
    summary: &Summary,
    connection: Option<&ConnectionView>,
    in_use: &[String],
) -> Markup {
    const INTEGRATIONS: &str = "/app/settings/integrations?sheet=klaviyo";
    let Some(oldest) = oldest(summary) else {
        return html! {};
    };
    let Some(connection) = connection else {
        return notice(
            "bad",
            &html! {
                strong { "Klaviyo is not connected. " }
                "What waits is sent when a key of the same account is connected. "
                a href=(INTEGRATIONS) { "Connect Klaviyo" }
            },
        );
    };
    if connection.status == ConnectionStatus::Error {
        return notice(
            "bad",
            &html! {
                strong { "Klaviyo no longer takes the API key. " }
                "Nothing is lost: what waits is sent when the key is replaced. "
                a href={ (INTEGRATIONS) "&update=1" } { "Save a new key" }
            },
        );
    }
    let lacks: Vec<String> = connection
        .missing_scopes
        .iter()
        .filter(|scope| scope.ends_with(":write"))
        .cloned()
        .collect();
    let waited = visitor.now.since(oldest);
    if !lacks.is_empty() {
        notice(
            "bad",
            &html! {
                strong { "The API key may not write this to Klaviyo. " }
                (texts::missing_scopes(&lacks, in_use)) " "
                a href={ (INTEGRATIONS) "&update=1" } { "Save a new key" }
            },
        )
    } else if waited > USUAL_WAIT {
        notice(
            "warn",
            &html! {
                strong { "The oldest has waited for " (texts::duration(waited.as_secs())) ". " }
                "Klaviyo grants so many requests a minute, or gives no usable answer at the moment: each is tried again for two \
                 days. If nothing moves, ask whoever runs Fanfare whether the worker is running."
            },
        )
    } else {
        html! {}
    }
}
