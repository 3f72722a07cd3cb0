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
use sqlx::types::Json;

use crate::answer::Asked;
use crate::at::{At, at, time};
use crate::error::corrupt;
use crate::rows::{from_json, id, parse_enum};
use crate::unit::PostgresUnit;

struct SourceRow {
    id: String,
    sync_source: String,
    sync_source_id: String,
    audience_id: String,
    sync_status: String,
    last_synced_at: Option<At>,
    source_data: String,
    created_at: At,
    created_by: String,
    updated_at: Option<At>,
    archived: bool,
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
            last_synced_at: time(row.last_synced_at),
            data: from_json(&row.source_data, "sync_sources.source_data")?,
            created_at: row.created_at.0,
            created_by: row.created_by,
            updated_at: time(row.updated_at),
            archived: row.archived,
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
            r#"SELECT id, sync_source, sync_source_id, audience_id, sync_status, last_synced_at,
                source_data::text AS "source_data!", created_at, created_by, updated_at, archived
             FROM sync_sources WHERE organization_id = $1 AND "# + $which,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Sources for PostgresUnit {
    async fn source(&mut self, id: &SourceId) -> Result<Option<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        select_sources!("id = $2", organization, id.as_str())
            .fetch_optional(connection)
            .answer()
            .await?
            .map(CollectionSource::try_from)
            .transpose()
    }

    async fn source_of(
        &mut self,
        collection: &CollectionRef,
    ) -> Result<Option<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        select_sources!(
            "sync_source = $2 AND sync_source_id = $3 AND NOT archived",
            organization,
            collection.kind.source_type(),
            collection.id.as_str()
        )
        .fetch_optional(connection)
        .answer()
        .await?
        .map(CollectionSource::try_from)
        .transpose()
    }

    async fn sources(&mut self, kind: CollectionKind) -> Result<Vec<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        select_sources!(
            "sync_source = $2 AND NOT archived ORDER BY sync_source_id",
            organization,
            kind.source_type()
        )
        .fetch_all(connection)
        .answer()
        .await?
        .into_iter()
        .map(CollectionSource::try_from)
        .collect()
    }

    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "INSERT INTO sync_sources AS s (organization_id, id, sync_source, sync_source_id,
                audience_id, sync_status, last_synced_at, source_data, created_at, created_by,
                updated_at, archived)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (organization_id, id) DO UPDATE SET
                sync_source = excluded.sync_source, sync_source_id = excluded.sync_source_id,
                audience_id = excluded.audience_id, sync_status = excluded.sync_status,
                last_synced_at = excluded.last_synced_at,
                source_data = excluded.source_data, updated_at = excluded.updated_at,
                archived = excluded.archived
             WHERE s IS DISTINCT FROM excluded",
            organization,
            source.id.as_str(),
            source.collection.kind.source_type(),
            source.collection.id.as_str(),
            source.audience.as_str(),
            source.status.as_str(),
            at(source.last_synced_at) as _,
            Json(&source.data) as _,
            At(source.created_at),
            source.created_by,
            at(source.updated_at) as _,
            source.archived
        )
        .execute(connection)
        .answer()
        .await?;
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

impl PostgresUnit {
    pub(crate) async fn sources_by_id(
        &mut self,
        ids: &[String],
    ) -> Result<HashMap<SourceId, CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        select_sources!("id = ANY($2)", organization, ids)
            .fetch_all(connection)
            .answer()
            .await?
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
        let rows = select_sources!(
            "id > $2 AND NOT archived
               AND ($3::text IS NULL OR sync_source = $3)
               AND ($4::text IS NULL OR sync_source_id = $4)
               AND ($5::text IS NULL OR sync_status = $5)
             ORDER BY id LIMIT $6",
            organization,
            page.after.as_deref().unwrap_or_default(),
            filter.source_type.as_deref(),
            filter.external_id.as_deref(),
            filter.status.map(SyncStatus::as_str),
            i64::from(page.first)
        )
        .fetch_all(connection)
        .answer()
        .await?;
        rows.into_iter()
            .map(|row| CollectionSource::try_from(row).map(record))
            .collect()
    }
}
