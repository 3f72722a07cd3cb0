//! Sync sources: those of lists and segments. Those of profiles are the links, in `links.rs`.

use std::collections::HashMap;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, CollectionId, SourceId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord, Sources, StoreError};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::{
    CollectionKind, CollectionRef, CollectionSource, PROFILE_SOURCE_TYPE,
};

use crate::error::{corrupt, store_error};
use crate::rows::{from_json, id, json, micros, parse_enum, time, time_opt};
use crate::unit::SqliteUnit;

struct SourceRow {
    id: String,
    sync_source: String,
    sync_source_id: String,
    audience_id: String,
    sync_status: String,
    last_synced_at: Option<i64>,
    source_data: String,
    created_at: i64,
    created_by: String,
    updated_at: Option<i64>,
    archived: i64,
}

impl TryFrom<SourceRow> for CollectionSource {
    type Error = StoreError;

    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        let kind = CollectionKind::of_source_type(&row.sync_source)
            .ok_or_else(|| corrupt("sync_sources.sync_source"))?;
        Ok(Self {
            id: id(row.id, SourceId::parse, "sync_sources.id")?,
            collection: CollectionRef {
                kind,
                id: id(
                    row.sync_source_id,
                    CollectionId::parse,
                    "sync_sources.sync_source_id",
                )?,
            },
            audience: id(
                row.audience_id,
                AudienceId::parse,
                "sync_sources.audience_id",
            )?,
            status: parse_enum(
                &row.sync_status,
                SyncStatus::parse,
                "sync_sources.sync_status",
            )?,
            last_synced_at: time_opt(row.last_synced_at, "sync_sources.last_synced_at")?,
            data: from_json(&row.source_data, "sync_sources.source_data")?,
            created_at: time(row.created_at, "sync_sources.created_at")?,
            created_by: row.created_by,
            updated_at: time_opt(row.updated_at, "sync_sources.updated_at")?,
            archived: row.archived != 0,
        })
    }
}

fn record(source: CollectionSource) -> SourceRecord {
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

macro_rules! select_sources {
    ($which:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            SourceRow,
            "SELECT id, sync_source, sync_source_id, audience_id, sync_status, last_synced_at,
                source_data, created_at, created_by, updated_at, archived
             FROM sync_sources WHERE organization_id = ?1 AND " + $which,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Sources for SqliteUnit {
    async fn source(&mut self, id: &SourceId) -> Result<Option<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let id = id.as_str();
        select_sources!("id = ?2", organization, id)
            .fetch_optional(connection)
            .await
            .map_err(store_error)?
            .map(CollectionSource::try_from)
            .transpose()
    }

    async fn source_of(
        &mut self,
        collection: &CollectionRef,
    ) -> Result<Option<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let (kind, id) = (collection.kind.source_type(), collection.id.as_str());
        select_sources!(
            "sync_source = ?2 AND sync_source_id = ?3 AND archived = 0",
            organization,
            kind,
            id
        )
        .fetch_optional(connection)
        .await
        .map_err(store_error)?
        .map(CollectionSource::try_from)
        .transpose()
    }

    async fn sources(&mut self, kind: CollectionKind) -> Result<Vec<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let kind = kind.source_type();
        select_sources!(
            "sync_source = ?2 AND archived = 0 ORDER BY sync_source_id",
            organization,
            kind
        )
        .fetch_all(connection)
        .await
        .map_err(store_error)?
        .into_iter()
        .map(CollectionSource::try_from)
        .collect()
    }

    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (id, audience) = (source.id.as_str(), source.audience.as_str());
        let (kind, external) = (
            source.collection.kind.source_type(),
            source.collection.id.as_str(),
        );
        let (status, data) = (source.status.as_str(), json(&source.data));
        let (synced_at, updated_at) = (micros(source.last_synced_at), micros(source.updated_at));
        let created_at = source.created_at.as_micros();
        sqlx::query!(
            "INSERT INTO sync_sources (organization_id, id, sync_source, sync_source_id, audience_id,
                sync_status, last_synced_at, source_data, created_at, created_by, updated_at, archived)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
             ON CONFLICT (organization_id, id) DO UPDATE SET
                sync_source = excluded.sync_source, sync_source_id = excluded.sync_source_id,
                audience_id = excluded.audience_id, sync_status = excluded.sync_status,
                last_synced_at = excluded.last_synced_at,
                source_data = excluded.source_data, updated_at = excluded.updated_at,
                archived = excluded.archived",
            organization,
            id,
            kind,
            external,
            audience,
            status,
            synced_at,
            data,
            created_at,
            source.created_by,
            updated_at,
            source.archived
        )
        .execute(connection)
        .await
        .map_err(store_error)?;
        Ok(())
    }

    async fn source_record(&mut self, id: &SourceId) -> Result<Option<SourceRecord>, StoreError> {
        if let Some(source) = self.source(id).await? {
            return Ok(Some(record(source)));
        }
        self.link_record(id).await
    }

    async fn search_sources(
        &mut self,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let mut found = self.collection_records(filter, page).await?;
        let wants_links = filter
            .source_type
            .as_deref()
            .is_none_or(|t| t == PROFILE_SOURCE_TYPE)
            && filter
                .status
                .is_none_or(|status| status == SyncStatus::Success);
        if wants_links {
            found.extend(self.link_records(filter, page).await?);
            found.sort_by(|a, b| a.id.cmp(&b.id));
            found.truncate(page.first as usize);
        }
        Ok(found)
    }
}

impl SqliteUnit {
    /// The sources whose ids are in a JSON array.
    pub(crate) async fn sources_by_id(
        &mut self,
        ids: &str,
    ) -> Result<HashMap<SourceId, CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        select_sources!("id IN (SELECT value FROM json_each(?2))", organization, ids)
            .fetch_all(connection)
            .await
            .map_err(store_error)?
            .into_iter()
            .map(|row| CollectionSource::try_from(row).map(|source| (source.id.clone(), source)))
            .collect()
    }

    async fn collection_records(
        &mut self,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let (kind, external) = (filter.source_type.as_deref(), filter.external_id.as_deref());
        let status = filter.status.map(SyncStatus::as_str);
        let after = page.after.as_deref().unwrap_or_default();
        let rows = select_sources!(
            "id > ?2 AND archived = 0
               AND (?3 IS NULL OR sync_source = ?3)
               AND (?4 IS NULL OR sync_source_id = ?4)
               AND (?5 IS NULL OR sync_status = ?5)
             ORDER BY id LIMIT ?6",
            organization,
            after,
            kind,
            external,
            status,
            page.first
        )
        .fetch_all(connection)
        .await
        .map_err(store_error)?;
        rows.into_iter()
            .map(|row| CollectionSource::try_from(row).map(record))
            .collect()
    }
}
