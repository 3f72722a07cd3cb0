//! Two times compared: how many have joined and left between them.

use std::time::Duration;

use fanfare_domain::history::{Difference, Snapshot};
use fanfare_domain::ids::AudienceId;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{Error, Integration};
use maud::{Markup, html};

use crate::components::{long_text, moment, moment_field, notice, number};
use crate::error::PageError;
use crate::fields::Fields;
use crate::texts;
use crate::visitor::Visitor;

/// The latest snapshots that can be compared with now by a link.
const SHORTCUTS: usize = 3;

/// A comparison that was asked for: how the members differ, or why that cannot be told.
pub(super) type Compared = Option<Result<(Timestamp, Timestamp, Difference), String>>;

/// Compares the two times of the address, if it has the first; without the second it is compared with now.
pub(super) async fn compare(
    application: &Integration,
    visitor: &Visitor,
    id: &AudienceId,
    fields: &Fields,
) -> Result<Compared, PageError> {
    let Some(from) = fields.text("from") else {
        let is_sent = fields.has("from");
        return Ok(is_sent.then(|| Err("Give the first of the two times.".to_owned())));
    };
    let to = fields.text("to");
    let to = to.map_or(Some(visitor.now), Timestamp::parse_iso8601);
    let times = Timestamp::parse_iso8601(from).zip(to);
    let Some((from, to)) = times else {
        return Ok(Some(Err(
            "Give two times such as 2026-11-24T14:00.".to_owned()
        )));
    };
    let organization = visitor.organization();
    match application.difference(organization, id, from, to).await {
        Ok(difference) => Ok(Some(Ok((from, to, difference)))),
        Err(Error::Invalid(violations)) => {
            // One fault at a time: both times are often wrong for the same reason.
            let first = violations.into_iter().next();
            Ok(first.map(|violation| {
                let field = if violation.field == "to" {
                    "To"
                } else {
                    "From"
                };
                Err(format!(
                    "{field}: it {}.",
                    texts::humane(&violation.message)
                ))
            }))
        }
        Err(error) => Err(error.into()),
    }
}

pub(super) fn comparison(
    visitor: &Visitor,
    address: &str,
    fields: &Fields,
    compared: &Compared,
    snapshots: &[Snapshot],
) -> Markup {
    let value = |name| fields.text(name).unwrap_or_default();
    let since = |minutes| {
        visitor
            .now
            .minus(Duration::from_mins(minutes))
            .to_whole_seconds()
    };
    html! {
        section.panel {
            h2 { "Compare two times" }
            p.hint {
                "How many have joined and left, and who, in the last "
                a href={ (address) "?from=" (since(10)) } { "10 minutes" } ", "
                a href={ (address) "?from=" (since(60)) } { "1 hour" } ", since "
                a href={ (address) "?from=" (since(24 * 60)) } { "this time yesterday" } ", "
                a href={ (address) "?from=" (since(7 * 24 * 60)) } { "this time last week" }
                @for snapshot in snapshots.iter().rev().take(SHORTCUTS) {
                    ", " a href={ (address) "?from=" (snapshot.at) } { (long_text(&snapshot.name)) }
                }
                ", or between any two times:"
            }
            form.times method="get" action=(address) {
                (moment_field("from", "From (UTC)", value("from")))
                (moment_field("to", "To (UTC), now if empty", value("to")))
                button.quiet type="submit" { "Compare" }
            }
            @match compared {
                Some(Ok((from, to, difference))) => {
                    p { "Between " (moment(*from)) " and " (moment(*to)) ":" }
                    dl.facts {
                        div { dt { "Members before" } dd { (number(difference.members_at_from)) } }
                        div { dt { "Joined" } dd { (number(difference.joined)) } }
                        div { dt { "Left" } dd { (number(difference.left)) } }
                        div { dt { "Members after" } dd { (number(difference.members_at_to)) } }
                    }
                    p.hint {
                        "These numbers are net: who was in at one of the two times and not at the other. Whoever left and came back between them \
                         is not counted here, but is in the table below, which has everything that happened."
                    }
                },
                Some(Err(fault)) => (notice("bad", &html! { (fault) })),
                None => {},
            }
        }
    }
}
