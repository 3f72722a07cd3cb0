//! Sync sources: those of lists and segments. Those of profiles are the links, in `links.rs`.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::SourceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord, Sources, StoreError};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::{CollectionKind, CollectionRef, CollectionSource};
use fanfare_sql_rows::{
    DbTimestamp, JsonText, SourceRow, all, json, merge_records, one, record, signed, sources_by_id,
    to_db, wants_links,
};

use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Sources for Unit {
    async fn source(&mut self, id: &SourceId) -> Result<Option<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            SourceRow,
            "../sql-rows/sql/sync_sources/get.sql",
            organization,
            id.as_str()
        );
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn source_of(
        &mut self,
        collection: &CollectionRef,
    ) -> Result<Option<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            SourceRow,
            "../sql-rows/sql/sync_sources/of_collection.sql",
            organization,
            collection.kind.source_type(),
            collection.id.as_str()
        );
        one(find.fetch_optional(connection).with_timeout().await?)
    }

    async fn sources(&mut self, kind: CollectionKind) -> Result<Vec<CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            SourceRow,
            "../sql-rows/sql/sync_sources/of_kind.sql",
            organization,
            kind.source_type()
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/sync_sources/put.sql",
            organization,
            source.id.as_str(),
            source.collection.kind.source_type(),
            source.collection.id.as_str(),
            source.audience.as_str(),
            source.status.as_str(),
            to_db(source.last_synced_at) as _,
            JsonText(json(&source.data)) as _,
            DbTimestamp(source.created_at),
            source.created_by,
            to_db(source.updated_at) as _,
            source.archived,
            source.guard.members_at_success.map(signed),
            source.guard.is_holding,
            to_db(source.last_full_pass_at) as _,
            source.paused_by.map(FailureCode::as_str),
            source.watermarks.map(|marks| JsonText(json(&marks))) as _
        );
        put.execute(connection).with_timeout().await?;
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
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            SourceRow,
            "../sql-rows/sql/sync_sources/search.sql",
            organization,
            page.after.as_deref().unwrap_or_default(),
            filter.source_type.as_deref(),
            filter.external_id.as_deref(),
            filter.status.map(SyncStatus::as_str),
            i64::from(page.first)
        );
        let collections = find.fetch_all(connection).with_timeout().await?;
        let links = if wants_links(filter) {
            self.link_records(filter, page).await?
        } else {
            Vec::new()
        };
        merge_records(collections, links, page)
    }
}

impl Unit {
    /// The sources that have one of these ids.
    pub(crate) async fn sources_by_id(
        &mut self,
        ids: &[String],
    ) -> Result<BTreeMap<SourceId, CollectionSource>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            SourceRow,
            "sql/sync_sources/of_ids.sql",
            organization,
            texts(ids) as _
        );
        sources_by_id(find.fetch_all(connection).with_timeout().await?)
    }
}
