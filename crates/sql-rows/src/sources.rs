//! Sync sources of lists and segments.

use std::collections::BTreeMap;

use fanfare_domain::ids::{AudienceId, CollectionId, SourceId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord, StoreError};
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::{
    CollectionKind, CollectionRef, CollectionSource, PROFILE_SOURCE_TYPE,
};
use fanfare_domain::watermarks::Watermarks;

use crate::columns::{corrupt, count, from_json, id, parse_enum};
use crate::db_timestamp::{DbTimestamp, from_db};
use crate::json_text::JsonText;
use crate::schedules::paused_by;

/// A row of `sync_sources`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct SourceRow {
    pub id: String,
    pub sync_source: String,
    pub sync_source_id: String,
    pub audience_id: String,
    pub sync_status: String,
    pub last_synced_at: Option<DbTimestamp>,
    pub source_data: JsonText,
    pub created_at: DbTimestamp,
    pub created_by: String,
    pub updated_at: Option<DbTimestamp>,
    pub archived: bool,
    pub members_at_success: Option<i64>,
    pub removals_held: bool,
    pub last_full_pass_at: Option<DbTimestamp>,
    pub paused_by: Option<String>,
    pub watermarks: Option<JsonText>,
    pub full_pass_called_for_at: Option<DbTimestamp>,
}

impl TryFrom<SourceRow> for CollectionSource {
    type Error = StoreError;

    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        let kind = CollectionKind::of_source_type(&row.sync_source)
            .ok_or_else(|| corrupt("sync_sources.sync_source"))?;
        let collection = "sync_sources.sync_source_id";
        let members = row.members_at_success;
        let members = members.map(|members| count(members, "sync_sources.members_at_success"));
        let (audience, status) = ("sync_sources.audience_id", "sync_sources.sync_status");
        Ok(Self {
            id: id(row.id, SourceId::parse, "sync_sources.id")?,
            collection: CollectionRef {
                kind,
                id: id(row.sync_source_id, CollectionId::parse, collection)?,
            },
            audience: id(row.audience_id, AudienceId::parse, audience)?,
            status: parse_enum(&row.sync_status, SyncStatus::parse, status)?,
            last_synced_at: from_db(row.last_synced_at),
            data: from_json(&row.source_data.0, "sync_sources.source_data")?,
            created_at: row.created_at.0,
            created_by: row.created_by,
            updated_at: from_db(row.updated_at),
            archived: row.archived,
            guard: RemovalGuard {
                members_at_success: members.transpose()?,
                is_holding: row.removals_held,
            },
            last_full_pass_at: from_db(row.last_full_pass_at),
            paused_by: paused_by(row.paused_by.as_deref())?,
            // Another version may have written them: then a complete pass is due.
            watermarks: row
                .watermarks
                .and_then(|text| serde_json::from_str::<Watermarks>(&text.0).ok())
                .filter(|marks| marks.hold_after(from_db(row.full_pass_called_for_at))),
        })
    }
}

/// A source as those who list sources see it.
pub fn record(source: CollectionSource) -> SourceRecord {
    SourceRecord {
        id: source.id,
        source_type: source.collection.kind.source_type().to_owned(),
        external_id: source.collection.id.to_string(),
        status: source.status,
        last_synced_at: source.last_synced_at,
        data: Some(source.data),
        created_at: source.created_at,
        created_by: source.created_by,
        updated_at: source.updated_at,
        archived: source.archived,
    }
}

/// Sources by their ids.
pub fn sources_by_id(
    rows: Vec<SourceRow>,
) -> Result<BTreeMap<SourceId, CollectionSource>, StoreError> {
    rows.into_iter()
        .map(|row| CollectionSource::try_from(row).map(|source| (source.id.clone(), source)))
        .collect()
}

/// Whether profiles' links, which have one type and one status, can match the filter.
pub fn wants_links(filter: &SourceFilter) -> bool {
    let source_type = filter.source_type.as_deref();
    source_type.is_none_or(|wanted| wanted == PROFILE_SOURCE_TYPE)
        && filter
            .status
            .is_none_or(|status| status == SyncStatus::Success)
}

/// One page of what was found among the sources of collections and among the links.
pub fn merge_records(
    collections: Vec<SourceRow>,
    links: Vec<SourceRecord>,
    page: &PageRequest,
) -> Result<Vec<SourceRecord>, StoreError> {
    let mut found = links;
    for row in collections {
        found.push(record(CollectionSource::try_from(row)?));
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found.truncate(page.first as usize);
    Ok(found)
}
