//! `/api/sync-sources`.

use actix_web::web::Json;
use fanfare_domain::ids::SourceId;
use fanfare_domain::organization::Role::Viewer;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::SourceFilter;
use fanfare_domain::run::SyncStatus;

use super::{Answer, Application};
use crate::decode::{Id, NoQuery, Object, Query, Violations};
use crate::middleware::{Authentication::SecretKey, Principal};
use crate::route::{Route, route};
use crate::wire;

const DEFAULT_FIRST: u32 = 100;
const MAX_FIRST: u32 = 1_000;

/// Longest text to filter by, in characters.
const MAX_FILTER: usize = 64;

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
    params(
        ("syncSource" = Option<String>, Query, description = "The type: `klaviyo:list`, `klaviyo:segment` or `klaviyo:profile`"),
        ("syncSourceId" = Option<String>, Query, description = "Klaviyo's id"),
        ("syncStatus" = Option<String>, Query, description = "`PENDING`, `SYNCING`, `SUCCESS` or `FAILED`"),
        ("first" = Option<u32>, Query, description = "How many, at most 1000; 100 if left out", minimum = 1, maximum = 1000),
        ("after" = Option<String>, Query, description = "The id of the last one of the answer before"),
    ),
    responses((status = 200, description = "The sync sources", body = Vec<wire::SyncSource>)),
)]
pub(crate) async fn search(
    application: Application,
    principal: Principal,
    query: Query,
) -> Answer<Vec<wire::SyncSource>> {
    let (filter, page) = query.decode(decode)?;
    let organization = &principal.organization;
    let found = application
        .search_sources(organization, &filter, &page)
        .await?;
    let show = |source| wire::SyncSource::of(organization, source);
    Ok(Json(found.into_iter().map(show).collect()))
}

fn decode(query: &mut Object, violations: &mut Violations) -> Option<(SourceFilter, PageRequest)> {
    let mut text = |name, violations: &mut Violations| match query.take(name).present() {
        Some(text) => text.text(1..=MAX_FILTER, violations).map(Some),
        None => Some(None),
    };
    let source_type = text("syncSource", violations);
    let external_id = text("syncSourceId", violations);
    let status = match query.take("syncStatus").present() {
        Some(status) => {
            let words: Vec<_> = SyncStatus::ALL.iter().map(|s| (s.as_str(), *s)).collect();
            status.word(&words, violations).map(Some)
        }
        None => Some(None),
    };
    let first = match query.take("first").present() {
        Some(first) => first.digits(1..=MAX_FIRST, violations),
        None => Some(DEFAULT_FIRST),
    };
    let after = match query.take("after").present() {
        Some(after) => {
            let id = after.parsed("id", "id", |text: &str| SourceId::parse(text), violations);
            id.map(|id| Some(id.to_string()))
        }
        None => Some(None),
    };
    let filter = SourceFilter {
        source_type: source_type?,
        external_id: external_id?,
        status: status?,
    };
    let page = PageRequest {
        first: first?,
        after: after?,
    };
    Some((filter, page))
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
pub(crate) async fn show(
    application: Application,
    principal: Principal,
    id: Id<SourceId>,
    _: NoQuery,
) -> Answer<wire::SyncSource> {
    let source = application.source(&principal.organization, &id.0).await?;
    Ok(Json(wire::SyncSource::of(&principal.organization, source)))
}
