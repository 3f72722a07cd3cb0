//! Sync sources: those of audiences, and the profiles' links seen as sources.

use async_trait::async_trait;
use fanfare_domain::ids::SourceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord, Sources, StoreError};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::{
    CollectionKind, CollectionRef, CollectionSource, PROFILE_SOURCE_TYPE,
};

use super::rows::{LinkRow, SYSTEM_ACTOR, refuse};
use super::unit::Unit;

#[async_trait]
impl Sources for Unit {
    async fn source(&mut self, id: &SourceId) -> Result<Option<CollectionSource>, StoreError> {
        Ok(self.rows().sources.get(id).cloned())
    }

    async fn source_of(
        &mut self,
        collection: &CollectionRef,
    ) -> Result<Option<CollectionSource>, StoreError> {
        let mut sources = self.rows().sources.values();
        Ok(sources
            .find(|source| !source.archived && source.collection == *collection)
            .cloned())
    }

    async fn sources(&mut self, kind: CollectionKind) -> Result<Vec<CollectionSource>, StoreError> {
        let sources = self.rows().sources.values();
        let mut found: Vec<CollectionSource> = sources
            .filter(|source| !source.archived && source.collection.kind == kind)
            .cloned()
            .collect();
        found.sort_by(|a, b| a.collection.id.cmp(&b.collection.id));
        Ok(found)
    }

    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let is_taken = rows.sources.values().any(|other| {
            other.id != source.id
                && !other.archived
                && !source.archived
                && other.collection == source.collection
        });
        if is_taken {
            return Err(refuse("another unarchived source has this list"));
        }
        let called_for = rows.full_passes_called_for.get(&source.audience).copied();
        let source = CollectionSource {
            watermarks: source
                .watermarks
                .filter(|marks| marks.hold_after(called_for)),
            ..source.clone()
        };
        rows.sources.insert(source.id.clone(), source);
        Ok(())
    }

    async fn source_record(&mut self, id: &SourceId) -> Result<Option<SourceRecord>, StoreError> {
        let rows = self.rows();
        let link = || rows.links.values().find(|row| row.link.source == *id);
        Ok(match rows.sources.get(id) {
            Some(source) => Some(of_collection(source)),
            None => link().map(of_link),
        })
    }

    async fn search_sources(
        &mut self,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let rows = self.rows();
        let collections = rows.sources.values().map(of_collection);
        let links = rows.links.values().map(of_link);
        let mut found: Vec<SourceRecord> = collections
            .chain(links)
            .filter(|record| !record.archived && matches(record, filter))
            .filter(|record| page.after.as_deref().is_none_or(|a| record.id.as_str() > a))
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.truncate(page.first as usize);
        Ok(found)
    }
}

fn matches(record: &SourceRecord, filter: &SourceFilter) -> bool {
    let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|w| w == text);
    is(&filter.source_type, &record.source_type)
        && is(&filter.external_id, &record.external_id)
        && filter.status.is_none_or(|status| status == record.status)
}

fn of_collection(source: &CollectionSource) -> SourceRecord {
    SourceRecord {
        id: source.id.clone(),
        source_type: source.collection.kind.source_type().to_owned(),
        external_id: source.collection.id.to_string(),
        status: source.status,
        last_synced_at: source.last_synced_at,
        data: Some(source.data.clone()),
        created_at: source.created_at,
        created_by: source.created_by.clone(),
        updated_at: source.updated_at,
        archived: source.archived,
    }
}

fn of_link(row: &LinkRow) -> SourceRecord {
    SourceRecord {
        id: row.link.source.clone(),
        source_type: PROFILE_SOURCE_TYPE.to_owned(),
        external_id: row.link.profile.to_string(),
        status: SyncStatus::Success,
        last_synced_at: Some(row.link.changed_at),
        data: None,
        created_at: row.created_at,
        created_by: SYSTEM_ACTOR.to_owned(),
        updated_at: row.updated_at,
        archived: false,
    }
}
