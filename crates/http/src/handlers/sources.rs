//! `/api/sync-sources`.

use actix_web::web::Json;
use fanfare_domain::ids::SourceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::SourceFilter;
use fanfare_domain::run::SyncStatus;

use super::{Answer, Cases};
use crate::decode::{Faults, Id, NoQuery, Object, Query};
use crate::gate::By;
use crate::wire;

const DEFAULT_FIRST: u32 = 100;
const MAX_FIRST: u32 = 1_000;

/// Longest text to filter by, in characters.
const MAX_FILTER: usize = 64;

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
pub(crate) async fn search(cases: Cases, by: By, query: Query) -> Answer<Vec<wire::SyncSource>> {
    let (filter, page) = query.decode(decode)?;
    let organization = &by.organization;
    let found = cases.search_sources(organization, &filter, &page).await?;
    let show = |source| wire::SyncSource::of(organization, source);
    Ok(Json(found.into_iter().map(show).collect()))
}

fn decode(query: &mut Object, faults: &mut Faults) -> Option<(SourceFilter, PageRequest)> {
    let mut text = |name, faults: &mut Faults| match query.take(name).present() {
        Some(text) => text.text(1..=MAX_FILTER, faults).map(Some),
        None => Some(None),
    };
    let source_type = text("syncSource", faults);
    let external_id = text("syncSourceId", faults);
    let status = match query.take("syncStatus").present() {
        Some(status) => {
            let words: Vec<_> = SyncStatus::ALL.iter().map(|s| (s.as_str(), *s)).collect();
            status.word(&words, faults).map(Some)
        }
        None => Some(None),
    };
    let first = match query.take("first").present() {
        Some(first) => first.digits(1..=MAX_FIRST, faults),
        None => Some(DEFAULT_FIRST),
    };
    let after = match query.take("after").present() {
        Some(after) => {
            let id = after.parsed("id", "id", |text: &str| SourceId::parse(text), faults);
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
    cases: Cases,
    by: By,
    id: Id<SourceId>,
    _: NoQuery,
) -> Answer<wire::SyncSource> {
    let source = cases.source(&by.organization, &id.0).await?;
    Ok(Json(wire::SyncSource::of(&by.organization, source)))
}
