//! `/api/sync-sources`.

use actix_web::web::Json;
use fanfare_domain::ids::SourceId;
use fanfare_domain::organization::Role::Viewer;

use super::{Answer, Application};
use crate::decode::{Id, NoQuery, Query};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

/// The routes of this file.
pub(super) fn routes() -> Vec<Route> {
    vec![
        route!(SecretKey(Viewer), search),
        route!(SecretKey(Viewer), show),
    ]
}

/// Find sync sources
///
/// Of lists, segments and profiles, by id, without archived ones.
#[utoipa::path(
    get, path = "/api/sync-sources/search", tag = "Sync sources", operation_id = "searchSyncSources",
    params(wire::SourcesQuery),
    responses((status = 200, description = "The sync sources", body = Vec<wire::SyncSource>)),
)]
async fn search(
    application: Application,
    principal: Principal,
    query: Query<wire::SourcesQuery>,
) -> Answer<Vec<wire::SyncSource>> {
    let (filter, page) = query.0.into_parts();
    let organization = &principal.organization;
    let found = application
        .search_sources(organization, &filter, &page)
        .await?;
    let show = |source| wire::SyncSource::of(organization, source);
    Ok(Json(found.into_iter().map(show).collect()))
}

/// Show a sync source
#[utoipa::path(
    get, path = "/api/sync-sources/{id}", tag = "Sync sources", operation_id = "getSyncSource",
    params(("id" = String, Path, description = "The sync source: Fanfare's id, not Klaviyo's")),
    responses(
        (status = 200, description = "The sync source", body = wire::SyncSource),
        (status = 404, description = "`SYNC_SOURCE_NOT_FOUND`"),
    ),
)]
async fn show(
    application: Application,
    principal: Principal,
    id: Id<SourceId>,
    _: NoQuery,
) -> Answer<wire::SyncSource> {
    let source = application.source(&principal.organization, &id.0).await?;
    Ok(Json(wire::SyncSource::of(&principal.organization, source)))
}
