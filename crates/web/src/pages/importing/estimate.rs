//! How large a list is, and how long its import takes.

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::{Entity, Error, Estimate, Integration};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::PATH;
use crate::components::number;
use crate::error::PageError;
use crate::fields::{Fields, Query};
use crate::layout::Section;
use crate::texts;
use crate::visitor::Visitor;

/// How often a script asks at most for what is not known.
const MOST_TRIES: u8 = 6;

/// Where the estimate of a list or segment is.
pub(super) fn address(kind: CollectionKind, id: &str) -> String {
    let id = utf8_percent_encode(id, NON_ALPHANUMERIC);
    format!("{PATH}/estimate?kind={}&id={id}", kind.as_str())
}

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
            not_known(&collection, &fields)
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

/// That Klaviyo could not tell. A script asks again after a while, a few times.
fn not_known(collection: &CollectionRef, fields: &Fields) -> Markup {
    let tries = fields.text("tries").and_then(|text| text.parse().ok());
    let tries = tries.unwrap_or(0_u8).saturating_add(1);
    let address = format!(
        "{}&tries={tries}",
        address(collection.kind, collection.id.as_str())
    );
    html! {
        @if tries < MOST_TRIES {
            span.none hx-get=(address) hx-trigger="load delay:20s" hx-swap="outerHTML" { "Not known now" }
        } @else {
            a href=(address) { "Not known now" }
        }
    }
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
