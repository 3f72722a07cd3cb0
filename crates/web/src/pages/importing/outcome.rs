//! What became of the lists and segments that were chosen.

use std::time::Duration;

use actix_web::HttpResponse;
use fanfare_domain::audience::Audience;
use fanfare_domain::ids::AudienceId;
use fanfare_sync::{ImportOutcome, Integration, SkipReason, Skipped};
use maud::{Markup, html};

use super::PATH;
use crate::components::long_text;
use crate::error::PageError;
use crate::layout::Section;
use crate::visitor::{Visitor, see};

/// How old an audience is at most that a form may have made which is sent a second time.
const JUST_NOW: Duration = Duration::from_mins(2);

/// Its one audience, all audiences, or what was skipped and why. What the same form has imported already, when it was sent
/// before, is being imported like the rest.
pub(super) async fn told(
    application: &Integration,
    visitor: &Visitor,
    outcome: &ImportOutcome,
) -> Result<HttpResponse, PageError> {
    let mut imported: Vec<AudienceId> = Vec::new();
    imported.extend(outcome.imported.iter().map(|one| one.audience.clone()));
    let mut skipped = Vec::new();
    for one in &outcome.skipped {
        let audience = match &one.reason {
            SkipReason::AlreadySynced(id) => Some(
                application
                    .audience(visitor.organization(), id)
                    .await?
                    .audience,
            ),
            SkipReason::NotFound => None,
        };
        match audience {
            Some(audience) if visitor.now.since(audience.created_at) <= JUST_NOW => {
                imported.push(audience.id);
            }
            audience => skipped.push((one, audience)),
        }
    }
    if skipped.is_empty() {
        return Ok(match imported.as_slice() {
            [one] => see(&format!("/app/audiences/{one}?notice=sync")),
            _ => see("/app/audiences?notice=imported"),
        });
    }
    let mut names = Vec::new();
    for id in &imported {
        let record = application.audience(visitor.organization(), id).await?;
        names.push(record.audience);
    }
    Ok(page(visitor, &names, &skipped))
}

fn page(
    visitor: &Visitor,
    imported: &[Audience],
    skipped: &[(&Skipped, Option<Audience>)],
) -> HttpResponse {
    let body = html! {
        div.head { h1 { "Import from Klaviyo" } }
        @if !imported.is_empty() {
            section.panel {
                h2 { "Being imported" }
                ul { @for audience in imported { li { (link(audience)) } } }
            }
        }
        section.panel {
            h2 { "Not imported" }
            ul {
                @for (skipped, audience) in skipped {
                    li {
                        @match audience {
                            Some(audience) => { (link(audience)) ": it is an audience already, and syncs as before." },
                            None => { (long_text(skipped.collection.id.as_str())) ": " (skipped.reason_text()) },
                        }
                    }
                }
            }
        }
        div.actions {
            a.button href="/app/audiences" { "Go to Audiences" }
            a.button.quiet href=(PATH) { "Import more" }
        }
    };
    visitor.page("Import from Klaviyo", Section::Audiences, &body)
}

fn link(audience: &Audience) -> Markup {
    html! { a href={ "/app/audiences/" (audience.id) } { (long_text(&audience.name)) } }
}
