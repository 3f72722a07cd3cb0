//! `/app/audiences/import/klaviyo`: choosing the lists and segments that become audiences.

mod collections;
mod estimate;
mod outcome;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use fanfare_domain::ids::CollectionId;
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_sync::{Error, ImportRequest, Integration};
use maud::{Markup, html};

use crate::components::{csrf, empty, notice};
use crate::error::PageError;
use crate::fields::{Fields, Form, Query};
use crate::layout::Section;
use crate::pages::interval::{self, Interval};
use crate::router::{PageRoute, page};
use crate::visitor::{Visitor, see};

use collections::Listing;

/// The routes of these files.
pub(super) fn routes() -> Vec<PageRoute> {
    vec![
        page!(GET Editor "/app/audiences/import", moved),
        page!(GET Editor "/app/audiences/import/klaviyo", show),
        page!(POST Editor "/app/audiences/import/klaviyo", import),
        page!(GET Editor "/app/audiences/import/klaviyo/estimate", estimate::show),
    ]
}

const PATH: &str = "/app/audiences/import/klaviyo";

/// Lists, and as many segments, that are imported at once, as in the API.
const MOST_AT_ONCE: usize = 100;

async fn moved() -> HttpResponse {
    see(PATH)
}

async fn show(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
) -> Result<HttpResponse, PageError> {
    answer(&application, &visitor, &query.0, &Fields::default(), None).await
}

/// The search field above the table. It is in the form, so that what is ticked stays ticked. A script looks while
/// somebody types.
fn search(fields: &Fields) -> Markup {
    html! {
        div.search role="search" {
            label for="search" { "Search" }
            input #search name="search" type="search" value=(fields.typed_search()) placeholder="Name or id"
                autocomplete="off" dir="auto" maxlength="200" hx-post=(PATH) hx-vals=r#"{"act":"find"}"#
                hx-trigger="input changed delay:300ms" hx-target="#collections" hx-swap="outerHTML";
            button.quiet type="submit" name="act" value="find" { "Find" }
        }
    }
}

/// The page, with what was ticked and what is wrong with it.
async fn answer(
    application: &Integration,
    visitor: &Visitor,
    fields: &Fields,
    ticked: &Fields,
    fault: Option<&str>,
) -> Result<HttpResponse, PageError> {
    let listing = Listing::load(application, visitor, fields).await?;
    let part = html! { div #collections data-ticked { (listing.markup(visitor, fields, ticked)) } };
    let shortest = application.shortest_interval();
    let mut answer = visitor.page_or(part, "Import from Klaviyo", Section::Audiences, |part| {
        html! {
            div.head { h1 { "Import from Klaviyo" } }
            p {
                "Each list or segment that you choose becomes an audience with the same people. One-time Import reads it now, and again only when \
                 somebody asks; Continuous Sync reads it again by itself."
            }
            (listing.missing_segments())
            form method="post" action=(PATH) {
                (csrf(visitor))
                @if let Some(fault) = fault {
                    (notice("bad", &html! { (fault) }))
                }
                (search(fields))
                (part)
                div.choose {
                    output data-ticks="list segment" hidden {}
                    (interval::choice(ticked, None, shortest))
                    button type="submit" { "Import Selected" }
                }
            }
        }
    });
    if fault.is_some() {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    Ok(answer)
}

async fn import(
    application: Data<Integration>,
    visitor: Visitor,
    query: Query,
    form: Form,
) -> Result<HttpResponse, PageError> {
    let (Query(fields), Form(ticked)) = (query, form);
    // Another page, a search, or another look at Klaviyo: what was ticked stays ticked.
    if ticked.has("after") || matches!(ticked.get("act"), Some("find" | "look")) {
        return answer(&application, &visitor, &ticked, &ticked, None).await;
    }
    let fields = if ticked.has("search") {
        ticked.clone()
    } else {
        fields
    };
    let refuse =
        async |fault: &str| answer(&application, &visitor, &fields, &ticked, Some(fault)).await;
    let interval = match Interval::parse(&ticked) {
        Ok(interval) => interval,
        Err(fault) => return refuse(&fault).await,
    };
    let collections = chosen(&ticked);
    if collections.is_empty() {
        return refuse("Tick at least one list or segment.").await;
    }
    for kind in CollectionKind::ALL {
        let of_kind = collections.iter().filter(|one| one.kind == *kind).count();
        if of_kind > MOST_AT_ONCE {
            return refuse(&format!(
                "Import at most {MOST_AT_ONCE} {}s at once.",
                kind.noun()
            ))
            .await;
        }
    }
    let request = ImportRequest {
        collections,
        refresh_interval_seconds: interval.seconds(),
        actor: visitor.actor(),
    };
    match application.import(visitor.organization(), request).await {
        Ok(outcome) => outcome::told(&application, &visitor, &outcome).await,
        Err(Error::Invalid(violations)) => {
            let texts: Vec<String> = violations
                .into_iter()
                .map(|violation| format!("Refresh every: {}.", violation.message))
                .collect();
            refuse(&texts.join(" ")).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The lists and segments that were ticked. What cannot be an id was never a checkbox of ours.
fn chosen(ticked: &Fields) -> Vec<CollectionRef> {
    let of = |kind: CollectionKind| {
        let ids = ticked.all(kind.noun());
        let ids = ids.filter_map(|id| CollectionId::parse(id).ok());
        ids.map(move |id| CollectionRef { kind, id })
    };
    CollectionKind::ALL.iter().copied().flat_map(of).collect()
}

/// What stands there when no list or segment is shown.
fn nothing(fields: &Fields) -> Markup {
    if fields.typed_search().is_empty() {
        empty(
            "Nothing to import",
            "The Klaviyo account has no lists or segments. Make one in Klaviyo, then open this page again.",
            None,
        )
    } else {
        empty(
            "No list or segment matches",
            "Search for another part of a name or an id.",
            Some(("Show all", PATH)),
        )
    }
}
