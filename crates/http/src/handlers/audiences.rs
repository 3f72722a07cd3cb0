//! `/api/audiences`.

use actix_web::HttpResponse;
use actix_web::web::Json;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::organization::Role::{Editor, Viewer};

use super::{Answer, Application};
use crate::decode::{Body, Id, NoQuery, OptionalBody, PageParameters, PagedQuery, Query};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire::{self, Include};

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), list),
        route!(SecretKey(Viewer), show),
        route!(SecretKey(Editor), update),
        route!(SecretKey(Editor), archive),
        route!(SecretKey(Editor), sync),
        route!(SecretKey(Viewer), members),
        route!(SecretKey(Viewer), count),
        route!(SecretKey(Viewer), status),
    ]
}

/// List the audiences
///
/// Those that are not archived, the oldest first.
#[utoipa::path(
    get, path = "/api/audiences", tag = "Audiences", operation_id = "getAudiences",
    params(PageParameters, wire::AudienceQuery),
    responses((status = 200, description = "A page of audiences", body = wire::Page<wire::Audience>)),
)]
async fn list(
    application: Application,
    principal: Principal,
    PagedQuery(query, page): PagedQuery<wire::AudienceQuery>,
) -> Answer<wire::Page<wire::Audience>> {
    let organization = &principal.organization;
    let page = application.audiences(organization, &page).await?;
    let show = |record| wire::Audience::of(organization, record, query.include);
    Ok(Json(wire::Page::of(page, show)))
}

/// Show an audience
///
/// Archived ones too.
#[utoipa::path(
    get, path = "/api/audiences/{id}", tag = "Audiences", operation_id = "getAudience",
    params(
        ("id" = String, Path, description = "The audience"),
        wire::AudienceQuery,
    ),
    responses(
        (status = 200, description = "The audience", body = wire::Audience),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn show(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    query: Query<wire::AudienceQuery>,
) -> Answer<wire::Audience> {
    let organization = &principal.organization;
    let record = application.audience(organization, &id.0).await?;
    let include = query.0.include;
    Ok(Json(wire::Audience::of(organization, record, include)))
}

/// Change an audience
///
/// Fields that are left out stay as they are; null takes a value away.
#[utoipa::path(
    put, path = "/api/audiences/{id}", tag = "Audiences", operation_id = "updateAudience",
    params(("id" = String, Path, description = "The audience")),
    request_body = wire::AudienceBody,
    responses(
        (status = 200, description = "The audience as it is now", body = wire::Audience),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn update(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body<wire::AudienceBody>,
) -> Answer<wire::Audience> {
    let update = body.0.into_update(principal.actor());
    let organization = &principal.organization;
    let record = application
        .update_audience(organization, &id.0, update)
        .await?;
    Ok(Json(wire::Audience::of(
        organization,
        record,
        Include::default(),
    )))
}

/// Archive an audience
///
/// Its runs are cancelled and its members kept. The list can be imported again.
#[utoipa::path(
    delete, path = "/api/audiences/{id}", tag = "Audiences", operation_id = "deleteAudience",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The audience, archived", body = wire::Audience),
        (status = 204, description = "It is archived, and its row is another version's: it cannot be shown"),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn archive(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    let organization = &principal.organization;
    let record = application
        .archive_audience(organization, &id.0, &principal.actor())
        .await?;
    Ok(match record {
        Some(record) => {
            let audience = wire::Audience::of(organization, record, Include::default());
            HttpResponse::Ok().json(audience)
        }
        None => HttpResponse::NoContent().finish(),
    })
}

/// List the members
///
/// The consumers in the audience, the oldest first; with `asOf` those who were in it then.
#[utoipa::path(
    get, path = "/api/audiences/{id}/members", tag = "Audiences", operation_id = "getAudienceMembers",
    params(
        ("id" = String, Path, description = "The audience"),
        PageParameters,
        wire::MembersQuery,
    ),
    responses(
        (status = 200, description = "A page of consumers", body = wire::Page<wire::Consumer>),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn members(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    PagedQuery(query, page): PagedQuery<wire::MembersQuery>,
) -> Answer<wire::Page<wire::Consumer>> {
    let search = query.search.map(String::from);
    let (organization, search) = (&principal.organization, search.as_deref());
    let page = match query.as_of {
        Some(at) => {
            let members = application.members_at(organization, &id.0, at, search, &page);
            members.await?
        }
        None => {
            application
                .members(organization, &id.0, search, &page)
                .await?
        }
    };
    let show = |consumer| wire::Consumer::of(organization, consumer);
    Ok(Json(wire::Page::of(page, show)))
}

/// Count the members
#[utoipa::path(
    get, path = "/api/audiences/{id}/count", tag = "Audiences", operation_id = "countAudienceMembers",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The count", body = wire::Count),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn count(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::Count> {
    let count = application
        .member_count(&principal.organization, &id.0)
        .await?;
    Ok(Json(wire::Count::of(&id.0, count)))
}

/// Show where the sync stands
#[utoipa::path(
    get, path = "/api/audiences/{id}/status", tag = "Audiences", operation_id = "getAudienceStatus",
    params(("id" = String, Path, description = "The audience")),
    responses(
        (status = 200, description = "The status", body = wire::Status),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn status(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
) -> Answer<wire::Status> {
    let status = application
        .audience_status(&principal.organization, &id.0)
        .await?;
    Ok(Json(status.into()))
}

/// Sync an audience
///
/// Queues a full pass over its list. However many ask at once, one run comes of it.
#[utoipa::path(
    post, path = "/api/audiences/{id}/sync", tag = "Audiences", operation_id = "syncAudience",
    params(("id" = String, Path, description = "The audience")),
    request_body = Option<wire::SyncBody>,
    responses(
        (status = 200, description = "The run that was queued", body = wire::StartedSync),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
        (status = 409, description = "`SYNC_IN_PROGRESS`: a run is queued or under way"),
    ),
)]
async fn sync(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: OptionalBody<wire::SyncBody>,
) -> Answer<wire::StartedSync> {
    let confirm = body.0.confirm_removals;
    let started = application
        .sync_audience(&principal.organization, &id.0, confirm)
        .await?;
    Ok(Json(started.into()))
}
