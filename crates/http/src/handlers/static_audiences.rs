//! Making audiences, and who is in those that are filled by hand.

use actix_web::HttpResponse;
use actix_web::web::Json;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role::Editor;

use super::{Answer, Application};
use crate::decode::{Body, Id, NoQuery};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire::{self, Include};

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Editor), create),
        route!(SecretKey(Editor), add),
        route!(SecretKey(Editor), remove),
    ]
}

/// Make an audience
///
/// One that is filled by hand (`STATIC_LIST`), and empty. Audiences that Klaviyo fills are imported.
#[utoipa::path(
    post, path = "/api/audiences", tag = "Audiences", operation_id = "createAudience",
    request_body = wire::NewAudienceBody,
    responses((status = 201, description = "The audience", body = wire::Audience)),
)]
async fn create(
    application: Application,
    principal: Principal,
    _: NoQuery,
    body: Body<wire::NewAudienceBody>,
) -> Result<HttpResponse, ApiError> {
    let organization = &principal.organization;
    let new = body.0.into_new(principal.actor());
    let record = application.create_audience(organization, new).await?;
    let audience = wire::Audience::of(organization, record, Include::default());
    Ok(HttpResponse::Created().json(audience))
}

/// Add members
///
/// Who is a member already stays one. If one of the consumers is not there, nobody is added, and each that is not is named.
#[utoipa::path(
    post, path = "/api/audiences/{id}/members", tag = "Audiences", operation_id = "addAudienceMembers",
    params(("id" = String, Path, description = "The audience")),
    request_body = wire::MembersBody,
    responses(
        (status = 200, description = "How many were added", body = wire::MembersAnswer),
        (status = 400, description = "`AUDIENCE_IS_SYNCED`: Klaviyo says who is in it; `VALIDATION_FAILED`"),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
        (status = 409, description = "`AUDIENCE_ARCHIVED`"),
    ),
)]
async fn add(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body<wire::MembersBody>,
) -> Answer<wire::MembersAnswer> {
    let organization = &principal.organization;
    let consumers = body.0.into_ids();
    let changed = application.add_members(organization, &id.0, &consumers);
    Ok(Json(wire::MembersAnswer::of(&id.0, changed.await?)))
}

/// Remove members
///
/// Whoever is no member is passed over, so that the same request may be sent twice.
#[utoipa::path(
    delete, path = "/api/audiences/{id}/members", tag = "Audiences", operation_id = "removeAudienceMembers",
    params(("id" = String, Path, description = "The audience")),
    request_body = wire::MembersBody,
    responses(
        (status = 200, description = "How many were removed", body = wire::MembersAnswer),
        (status = 400, description = "`AUDIENCE_IS_SYNCED`: Klaviyo says who is in it; `VALIDATION_FAILED`"),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
        (status = 409, description = "`AUDIENCE_ARCHIVED`"),
    ),
)]
async fn remove(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body<wire::MembersBody>,
) -> Answer<wire::MembersAnswer> {
    let organization = &principal.organization;
    let consumers = body.0.into_ids();
    let changed = application.remove_members(organization, &id.0, &consumers);
    Ok(Json(wire::MembersAnswer::of(&id.0, changed.await?)))
}
