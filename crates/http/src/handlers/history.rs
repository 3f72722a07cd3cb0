//! The history of an audience: `/api/audiences/{id}/changes`, `/diff` and `/snapshots`.

use actix_web::HttpResponse;
use actix_web::web::Json;
use fanfare_domain::ids::{AudienceId, SnapshotId};
use fanfare_domain::organization::Role::{Editor, Viewer};

use super::{Answer, Application};
use crate::decode::{Body, Id, IdWithin, NoQuery, PageParameters, PagedQuery, Query};
use crate::error::ApiError;
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), changes),
        route!(SecretKey(Viewer), difference),
        route!(SecretKey(Viewer), snapshots),
        route!(SecretKey(Editor), take_snapshot),
        route!(SecretKey(Editor), delete_snapshot),
    ]
}

/// List the changes of the members
///
/// Who joined and who left, the oldest change first. A first import is a joining of everybody.
#[utoipa::path(
    get, path = "/api/audiences/{id}/changes", tag = "Audiences", operation_id = "getAudienceChanges",
    params(
        ("id" = String, Path, description = "The audience"),
        PageParameters,
        wire::ChangesQuery,
    ),
    responses(
        (status = 200, description = "A page of changes", body = wire::Page<wire::Change>),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn changes(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    PagedQuery(query, page): PagedQuery<wire::ChangesQuery>,
) -> Answer<wire::Page<wire::Change>> {
    let changes = application
        .changes(
            &principal.organization,
            &id.0,
            query.since,
            query.until,
            &page,
        )
        .await?;
    Ok(Json(wire::Page::of(changes, wire::Change::from)))
}

/// Compare the members of two times
///
/// In net numbers: whoever left and came back in between has done neither.
#[utoipa::path(
    get, path = "/api/audiences/{id}/diff", tag = "Audiences", operation_id = "diffAudience",
    params(
        ("id" = String, Path, description = "The audience"),
        wire::DifferenceQuery,
    ),
    responses(
        (status = 200, description = "The difference", body = wire::Difference),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn difference(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    query: Query<wire::DifferenceQuery>,
) -> Answer<wire::Difference> {
    let (from, to) = (query.0.from, query.0.to);
    let difference = application
        .difference(&principal.organization, &id.0, from, to)
        .await?;
    Ok(Json(wire::Difference::of(&id.0, (from, to), difference)))
}

/// List the snapshots
///
/// The oldest first. Who was a member then is told by `GET /api/audiences/{id}/members?asOf=`, with the snapshot's time.
#[utoipa::path(
    get, path = "/api/audiences/{id}/snapshots", tag = "Audiences", operation_id = "getAudienceSnapshots",
    params(("id" = String, Path, description = "The audience"), PageParameters),
    responses(
        (status = 200, description = "A page of snapshots", body = wire::Page<wire::Snapshot>),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
    ),
)]
async fn snapshots(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    PagedQuery(_, page): PagedQuery<crate::decode::Nothing>,
) -> Answer<wire::Page<wire::Snapshot>> {
    let page = application
        .snapshots(&principal.organization, &id.0, &page)
        .await?;
    Ok(Json(wire::Page::of(page, wire::Snapshot::from)))
}

/// Take a snapshot
///
/// Keeps who is a member at this moment, by a name, until the snapshot is deleted. An audience has at most 200.
#[utoipa::path(
    post, path = "/api/audiences/{id}/snapshots", tag = "Audiences", operation_id = "createAudienceSnapshot",
    params(("id" = String, Path, description = "The audience")),
    request_body = wire::SnapshotBody,
    responses(
        (status = 200, description = "The snapshot", body = wire::Snapshot),
        (status = 404, description = "`AUDIENCE_NOT_FOUND`"),
        (status = 409, description = "`TOO_MANY_SNAPSHOTS`: it has 200"),
    ),
)]
async fn take_snapshot(
    application: Application,
    principal: Principal,
    id: Id<AudienceId>,
    _: NoQuery,
    body: Body<wire::SnapshotBody>,
) -> Answer<wire::Snapshot> {
    let name: String = body.0.name.into();
    let snapshot = application
        .take_snapshot(&principal.organization, &id.0, &name)
        .await?;
    Ok(Json(snapshot.into()))
}

/// Delete a snapshot
///
/// What only this snapshot needed is deleted by and by.
#[utoipa::path(
    delete, path = "/api/audiences/{id}/snapshots/{snapshotId}", tag = "Audiences",
    operation_id = "deleteAudienceSnapshot",
    params(
        ("id" = String, Path, description = "The audience"),
        ("snapshotId" = String, Path, description = "The snapshot"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "`AUDIENCE_NOT_FOUND` or `SNAPSHOT_NOT_FOUND`"),
    ),
)]
async fn delete_snapshot(
    application: Application,
    principal: Principal,
    IdWithin(audience, snapshot): IdWithin<AudienceId, SnapshotId>,
    _: NoQuery,
) -> Result<HttpResponse, ApiError> {
    application
        .delete_snapshot(&principal.organization, &audience, &snapshot)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
