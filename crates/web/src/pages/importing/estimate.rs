//! How large a list is, and how long its import takes.

use actix_web::HttpResponse;
use actix_web::web::Data;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::{Entity, Error, Estimate, Integration};
use maud::{Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::PATH;
use crate::components::{long_text, number};
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
        Ok(estimate) if visitor.is_partial && estimate.profiles.is_none() => {
            not_known(&collection, &fields)
        }
        Ok(estimate) => words(estimate),
        // The table stays usable while Klaviyo has no time for this.
        Err(Error::KlaviyoThrottled(_) | Error::KlaviyoUnreachable(_)) if visitor.is_partial => {
            not_known(&collection, &fields)
        }
        Err(error) => return Err(error.into()),
    };
    let name = if visitor.is_partial {
        None
    } else {
        name(&application, &visitor, &collection).await?
    };
    Ok(
        visitor.page_or(part, "Estimate", Section::Audiences, |part| {
            html! {
                div.head { h1 { "Estimate" } }
                section.panel {
                    p {
                        (kind.descriptor().title) " "
                        (long_text(name.as_deref().unwrap_or(collection.id.as_str()))) ": " (part)
                    }
                    a.button.quiet href=(PATH) { "Back to the import" }
                }
            }
        }),
    )
}

/// What the list or segment is called, as the import's table has it.
async fn name(
    application: &Integration,
    visitor: &Visitor,
    collection: &CollectionRef,
) -> Result<Option<String>, PageError> {
    let told = application.collections_at_hand(visitor.organization(), collection.kind);
    let (found, _) = told.await?;
    let mut found = found.into_iter().map(|one| one.collection);
    let found = found.find(|one| one.id == collection.id);
    Ok(found.and_then(|one| one.name))
}

/// A link to an estimate. A script puts the estimate in its place.
pub(super) fn link(address: &str, text: &str) -> Markup {
    html! { a href=(address) hx-get=(address) hx-swap="outerHTML" hx-target="this" { (text) } }
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
            (link(&address, "Not known now: ask again"))
        }
    }
}

/// How long an import takes whose requests take at least so many seconds by Klaviyo's quota: the worker has to begin, answers have to
/// come, and other syncs ask meanwhile, so it is rounded up.
fn how_long(least: u64) -> String {
    const BEGIN_AND_END: u64 = 10;
    let likely = least.saturating_add(least / 4 + BEGIN_AND_END);
    match likely.div_ceil(60) {
        0 | 1 => "under a minute".to_owned(),
        minutes => format!("about {}", texts::duration(minutes * 60)),
    }
}

fn words(estimate: Estimate) -> Markup {
    html! {
        @match estimate.profiles {
            Some(profiles) => { (number(profiles)) @if profiles == 1 { " profile" } @else { " profiles" } },
            None => span.none { "Not known now" },
        }
        @if let Some(seconds) = estimate.seconds.filter(|_| estimate.profiles.is_some()) {
            ", " (how_long(seconds))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::how_long;

    #[test]
    fn an_import_takes_longer_than_its_requests_and_no_number_pretends_to_know_by_the_second() {
        let texts = [0, 40, 41, 780, 79_200].map(how_long);
        assert_eq!(
            texts,
            [
                "under a minute",
                "under a minute",
                "about 2 minutes",
                "about 17 minutes",
                "about 1 day 3 hours"
            ]
        );
    }
}
