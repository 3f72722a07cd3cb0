//! Klaviyo's quota at a glance.

use fanfare_sync::KlaviyoQuota;
use maud::{Markup, html};

use crate::components::{cell, heading, number, number_cell, number_heading, progress, table};
use crate::texts;
use crate::visitor::Visitor;

/// What is used of Klaviyo's quota now, and who waits for it.
pub(super) fn glance(visitor: &Visitor, quota: &KlaviyoQuota) -> Markup {
    let headings = html! {
        (heading("Requests for"))
        (heading("Used this minute"))
        (heading("Taken again"))
        (number_heading("Syncs waiting"))
    };
    let rows = html! {
        @for of in &quota.endpoints {
            @let bucket = &of.bucket;
            @let is_over = bucket.resets_at() <= visitor.now;
            @let used = if is_over { 0 } else { bucket.steady.used };
            @let name = of.endpoint.as_str().replace('_', " ");
            tr {
                th scope="row" { (name) }
                (cell("Used this minute", &html! {
                    (progress(&format!("Used for {name}"), u64::from(used), Some(u64::from(bucket.limits.steady))))
                    (number(u64::from(used))) " of " (number(u64::from(bucket.limits.steady)))
                }))
                (cell("Taken again", &html! {
                    @match bucket.blocked_until.filter(|until| *until > visitor.now) {
                        Some(until) => { "Klaviyo asks to wait until " (texts::clock_time(until)) },
                        None if used >= bucket.limits.steady => { "At " (texts::clock_time(bucket.resets_at())) },
                        None => "Now",
                    }
                }))
                (number_cell("Syncs waiting", of.waiting_runs))
            }
        }
    };
    html! {
        section.panel {
            h2 { "Klaviyo's quota" }
            p.hint {
                "How many requests Klaviyo allows your account, and what is used of it now. Syncs use "
                (quota.share.percent()) " % of it at most, and wait when it is used up."
            }
            @if quota.endpoints.is_empty() {
                p { "Nothing has been requested yet." }
            } @else {
                details {
                    summary { "What is used now" }
                    (table("Klaviyo's quota", &headings, &rows))
                }
            }
        }
    }
}
