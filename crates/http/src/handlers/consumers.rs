//! `/api/consumers`.

use actix_web::web::Json;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::organization::Role::{Admin, Editor, Viewer};

use super::{Answer, Application};
use crate::decode::{Body, Id, NoQuery, PageParameters, PagedQuery, Query};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::openapi::KlaviyoRefusals;
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), list),
        route!(SecretKey(Viewer), search),
        route!(SecretKey(Viewer), show),
        route!(SecretKey(Editor), create),
        route!(SecretKey(Editor), update),
        route!(SecretKey(Editor), unsubscribe),
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

/// Make a consumer
///
/// Where contacts are switched on, Klaviyo is told of it: the profile that Klaviyo has of the person is filled, or one is made if
/// `createProfiles` says so. It gives no consent.
#[utoipa::path(
    post, path = "/api/consumers", tag = "Consumers", operation_id = "createConsumer",
    request_body = wire::ConsumerBody,
    responses(
        (status = 200, description = "The consumer", body = wire::Consumer),
        (status = 409, description = "`EMAIL_ALREADY_EXISTS`, or `PERSON_ERASED`: the person was erased on request"),
    ),
)]
async fn create(
    application: Application,
    principal: Principal,
    _: NoQuery,
    body: Body<wire::ConsumerBody>,
) -> Answer<wire::Consumer> {
    let organization = &principal.organization;
    let new = body.0.into_new(principal.actor());
    let record = application.create_consumer(organization, new).await?;
    Ok(Json(wire::Consumer::of(organization, record)))
}

/// Change a consumer
///
/// Fields that are left out stay as they are; null takes a value away. Where contacts are switched on, Klaviyo is told of a name and
/// a phone number that change, and never of an e-mail.
#[utoipa::path(
    put, path = "/api/consumers/{id}", tag = "Consumers", operation_id = "updateConsumer",
    params(("id" = String, Path, description = "The consumer")),
    request_body = wire::ConsumerBody,
    responses(
        (status = 200, description = "The consumer as it is now", body = wire::Consumer),
        (status = 404, description = "`CONSUMER_NOT_FOUND`"),
        (status = 409, description = "`EMAIL_ALREADY_EXISTS`, or `PERSON_ERASED`: the person with the e-mail was erased on request"),
    ),
)]
async fn update(
    application: Application,
    principal: Principal,
    id: Id<ConsumerId>,
    _: NoQuery,
    body: Body<wire::ConsumerBody>,
) -> Answer<wire::Consumer> {
    let organization = &principal.organization;
    let update = body.0.into_update(principal.actor());
    let record = application
        .update_consumer(organization, &id.0, update)
        .await?;
    Ok(Json(wire::Consumer::of(organization, record)))
}

/// Unsubscribe a person
///
/// Ends the consent to channels, here at once and in Klaviyo by a delivery. From a list only somebody is unsubscribed who is in it:
/// Klaviyo would unsubscribe anybody else from everything. No call of this API gives a consent.
#[utoipa::path(
    post, path = "/api/consumers/{id}/unsubscribe", tag = "Consumers", operation_id = "unsubscribeConsumer",
    params(("id" = String, Path, description = "The consumer")),
    request_body = wire::UnsubscribeBody,
    responses(
        (status = 200, description = "The delivery by which Klaviyo is told", body = wire::Delivery),
        (status = 404, description = "`CONSUMER_NOT_FOUND`, `KLAVIYO_LIST_NOT_FOUND`"),
        (status = 409, description = "`NOT_IN_LIST`: the person is not in the list"),
        KlaviyoRefusals,
    ),
)]
async fn unsubscribe(
    application: Application,
    principal: Principal,
    id: Id<ConsumerId>,
    _: NoQuery,
    body: Body<wire::UnsubscribeBody>,
) -> Answer<wire::Delivery> {
    let organization = &principal.organization;
    let delivery = application
        .unsubscribe(organization, &id.0, body.0.into())
        .await?;
    Ok(Json(delivery.into()))
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
