//! `/api/consumers`.

use actix_web::web::Json;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::organization::Role::{Admin, Viewer};

use super::{Answer, Application};
use crate::decode::{Id, NoQuery, PageParameters, PagedQuery, Query};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), list),
        route!(SecretKey(Viewer), search),
        route!(SecretKey(Viewer), show),
        route!(SecretKey(Admin), erase),
    ]
}

/// List consumers
///
/// The oldest first.
#[utoipa::path(
    get, path = "/api/consumers", tag = "Consumers", operation_id = "getConsumers",
    params(PageParameters, wire::ConsumersQuery),
    responses((status = 200, description = "A page of consumers", body = wire::Page<wire::Consumer>)),
)]
async fn list(
    application: Application,
    principal: Principal,
    PagedQuery(query, page): PagedQuery<wire::ConsumersQuery>,
) -> Answer<wire::Page<wire::Consumer>> {
    let organization = &principal.organization;
    let page = application
        .consumers(organization, &query.into(), &page)
        .await?;
    let show = |consumer| wire::Consumer::of(organization, consumer);
    Ok(Json(wire::Page::of(page, show)))
}

/// Look consumers up
///
/// By exactly one of the parameters, which must match as a whole: at most 100 consumers.
#[utoipa::path(
    get, path = "/api/consumers/search", tag = "Consumers", operation_id = "searchConsumers",
    params(wire::LookupQuery),
    responses((status = 200, description = "The consumers that match", body = Vec<wire::Consumer>)),
)]
async fn search(
    application: Application,
    principal: Principal,
    query: Query<wire::LookupQuery>,
) -> Answer<Vec<wire::Consumer>> {
    let lookup = query.0.lookup();
    let lookup =
        lookup.ok_or_else(|| ApiError::internal("no parameter of a lookup was decoded"))?;
    let organization = &principal.organization;
    let found = application.lookup_consumers(organization, &lookup).await?;
    let show = |consumer| wire::Consumer::of(organization, consumer);
    Ok(Json(found.into_iter().map(show).collect()))
}

/// Show a consumer
#[utoipa::path(
    get, path = "/api/consumers/{id}", tag = "Consumers", operation_id = "getConsumer",
    params(("id" = String, Path, description = "The consumer")),
    responses(
        (status = 200, description = "The consumer", body = wire::Consumer),
        (status = 404, description = "`CONSUMER_NOT_FOUND`"),
    ),
)]
async fn show(
    application: Application,
    principal: Principal,
    id: Id<ConsumerId>,
    _: NoQuery,
) -> Answer<wire::Consumer> {
    let consumer = application.consumer(&principal.organization, &id.0).await?;
    Ok(Json(wire::Consumer::of(&principal.organization, consumer)))
}

/// Erase a person
///
/// The consumer goes with its memberships, its links to Klaviyo profiles and their issues. Keyed hashes of its e-mail,
/// phone number and profiles stay, and later syncs skip the profiles that they name, with the issue `erased`. It cannot be undone.
#[utoipa::path(
    delete, path = "/api/consumers/{id}", tag = "Consumers", operation_id = "eraseConsumer",
    params(("id" = String, Path, description = "The consumer")),
    responses(
        (status = 200, description = "It is erased", body = wire::Erasure),
        (status = 404, description = "`CONSUMER_NOT_FOUND`"),
    ),
)]
async fn erase(
    application: Application,
    principal: Principal,
    id: Id<ConsumerId>,
    _: NoQuery,
) -> Answer<wire::Erasure> {
    let at = application
        .erase_consumer(&principal.organization, &id.0)
        .await?;
    Ok(Json(wire::Erasure::at(at)))
}
