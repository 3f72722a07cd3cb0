//! How large a list is, and how long its import takes.

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::{Entity, Error, Estimate, Integration};
use maud::{Markup, html};

use super::PATH;
use crate::components::number;
use crate::error::PageError;
use crate::fields::Query;
use crate::layout::Section;
use crate::texts;
use crate::visitor::Visitor;

/// The estimate of one list or segment: for the table's cell, or as a page of its own.
pub(super) async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    let Query(fields) = query;
    let kind = fields.get("kind").and_then(CollectionKind::parse);
    let kind = kind.ok_or(PageError::NoPage)?;
    let not_found = || PageError::from(Error::NotFound(Entity::KlaviyoCollection(kind)));
    let id = CollectionId::parse(fields.get("id").unwrap_or_default()).map_err(|_| not_found())?;
    let collection = CollectionRef { kind, id };
    let estimate = application
        .estimate(visitor.organization(), &collection)
        .await;
    let part = match estimate {
        Ok(estimate) => words(estimate),
        // The table stays usable while Klaviyo has no time for this.
        Err(Error::KlaviyoThrottled(_) | Error::KlaviyoUnreachable(_)) if visitor.is_partial => {
            html! { span.none { "Not known now" } }
        }
        Err(error) => return Err(error.into()),
    };
    Ok(
        visitor.page_or(part, "Estimate", Section::Audiences, |part| {
            html! {
                div.head { h1 { "Estimate" } }
                section.panel {
                    p { (kind.descriptor().title) " " bdi { (collection.id) } ": " (part) }
                    a.button.quiet href=(PATH) { "Back to the import" }
                }
            }
        }),
    )
}

fn words(estimate: Estimate) -> Markup {
    html! {
        @match estimate.profiles {
            Some(profiles) => { (number(profiles)) @if profiles == 1 { " profile" } @else { " profiles" } },
            None => span.none { "Not known now" },
        }
        @if let Some(seconds) = estimate.seconds.filter(|_| estimate.profiles.is_some()) {
            ", about " (texts::duration(seconds.max(1)))
        }
    }
}
