//! The connection, sources, audiences and consumers.

use async_trait::async_trait;
use fanfare_domain::audience::Audience;
use fanfare_domain::connection::Connection;
use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{AudienceId, ConsumerId, SourceId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{
    AudienceRecord, Audiences, Connections, ConsumerFilter, ConsumerRecord, Consumers, Lookup,
    SourceFilter, SourceRecord, Sources, StoreError,
};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::{
    CollectionKind, CollectionRef, CollectionSource, PROFILE_SOURCE_TYPE,
};
use fanfare_sync::SYSTEM_ACTOR;

use super::{Row, Rows, Unit};

#[async_trait]
impl Connections for Unit {
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError> {
        Ok(self.rows.connection.clone())
    }

    async fn put_connection(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let stored = &mut self.write()?.connection;
        let generation = stored.as_ref().map_or(1, |stored| {
            stored.generation + u64::from(stored.key.bytes != connection.key.bytes)
        });
        *stored = Some(Connection {
            generation,
            ..connection.clone()
        });
        Ok(())
    }

    async fn delete_connection(&mut self) -> Result<(), StoreError> {
        self.write()?.connection = None;
        Ok(())
    }
}

#[async_trait]
impl Sources for Unit {
    async fn source(&mut self, id: &SourceId) -> Result<Option<CollectionSource>, StoreError> {
        Ok(self.rows.sources.get(id).cloned())
    }

    async fn source_of(
        &mut self,
        collection: &CollectionRef,
    ) -> Result<Option<CollectionSource>, StoreError> {
        let mut sources = self.rows.sources.values();
        let found = sources.find(|source| !source.archived && source.collection == *collection);
        Ok(found.cloned())
    }

    async fn sources(&mut self, kind: CollectionKind) -> Result<Vec<CollectionSource>, StoreError> {
        let sources = self.rows.sources.values();
        let of_kind = sources.filter(|source| !source.archived && source.collection.kind == kind);
        let mut found: Vec<_> = of_kind.cloned().collect();
        found.sort_by(|a, b| a.collection.cmp(&b.collection));
        Ok(found)
    }

    async fn put_source(&mut self, source: &CollectionSource) -> Result<(), StoreError> {
        self.write()?
            .sources
            .insert(source.id.clone(), source.clone());
        Ok(())
    }

    async fn source_record(&mut self, id: &SourceId) -> Result<Option<SourceRecord>, StoreError> {
        Ok(source_records(&self.rows).find(|record| record.id == *id))
    }

    async fn search_sources(
        &mut self,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|w| w == text);
        let found = source_records(&self.rows).filter(|record| {
            !record.archived
                && is(&filter.source_type, &record.source_type)
                && is(&filter.external_id, &record.external_id)
                && filter.status.is_none_or(|status| status == record.status)
                && page
                    .after
                    .as_deref()
                    .is_none_or(|after| record.id.as_str() > after)
        });
        let mut found: Vec<_> = found.collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        found.truncate(page.first as usize);
        Ok(found)
    }
}

fn source_records(rows: &Rows) -> impl Iterator<Item = SourceRecord> {
    let collections = rows.sources.values().map(|source| SourceRecord {
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
    });
    let links = rows
        .links
        .values()
        .map(|row: &Row<ProfileLink>| SourceRecord {
            id: row.value.source.clone(),
            source_type: PROFILE_SOURCE_TYPE.to_owned(),
            external_id: row.value.profile.to_string(),
            status: SyncStatus::Success,
            last_synced_at: Some(row.value.changed_at),
            data: None,
            created_at: row.created_at,
            created_by: SYSTEM_ACTOR.to_owned(),
            updated_at: row.updated_at,
            archived: false,
        });
    collections.chain(links)
}

#[async_trait]
impl Audiences for Unit {
    async fn audience(&mut self, id: &AudienceId) -> Result<Option<AudienceRecord>, StoreError> {
        Ok(self
            .rows
            .audiences
            .get(id)
            .and_then(|audience| record(&self.rows, audience)))
    }

    async fn audiences(&mut self, page: &PageRequest) -> Result<Page<AudienceRecord>, StoreError> {
        let after = page.after.as_deref();
        let audiences = self
            .rows
            .audiences
            .values()
            .filter(|audience| !audience.archived);
        let audiences = audiences.filter(|a| after.is_none_or(|after| a.id.as_str() > after));
        let items = audiences.take(page.first as usize);
        let items = items
            .filter_map(|audience| record(&self.rows, audience))
            .collect();
        Ok(Page::of(items, |item: &AudienceRecord| {
            item.audience.id.to_string()
        }))
    }

    async fn is_name_taken(&mut self, name: &str, except: &AudienceId) -> Result<bool, StoreError> {
        let mut audiences = self.rows.audiences.values();
        Ok(audiences.any(|a| !a.archived && a.name == name && a.id != *except))
    }

    async fn put_audience(&mut self, audience: &Audience) -> Result<(), StoreError> {
        self.write()?
            .audiences
            .insert(audience.id.clone(), audience.clone());
        Ok(())
    }

    async fn members(
        &mut self,
        audience: &AudienceId,
        search: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let filter = ConsumerFilter {
            search: search.map(str::to_owned),
            audience: Some(audience.clone()),
            ..ConsumerFilter::default()
        };
        self.consumers(&filter, page).await
    }

    async fn member_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        Ok(self
            .rows
            .members
            .get(audience)
            .map_or(0, |members| members.len() as u64))
    }
}

fn record(rows: &Rows, audience: &Audience) -> Option<AudienceRecord> {
    let source = rows.sources.get(&audience.source)?.clone();
    let audience = audience.clone();
    Some(AudienceRecord { audience, source })
}

#[async_trait]
impl Consumers for Unit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let row = self.rows.consumers.get(id);
        Ok(row.map(|row| consumer_record(&self.rows, row)))
    }

    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let rows = &self.rows;
        let after = page.after.as_deref();
        let found = rows.consumers.values().filter(|row| {
            let id = &row.value.id;
            let members = filter
                .audience
                .as_ref()
                .map(|audience| rows.members.get(audience));
            after.is_none_or(|after| id.as_str() > after)
                && members.is_none_or(|members| members.is_some_and(|m| m.contains_key(id)))
                && filter
                    .search
                    .as_deref()
                    .is_none_or(|part| has_part(&row.value, part))
                && filter.created_after.is_none_or(|at| row.created_at > at)
                && filter.created_before.is_none_or(|at| row.created_at < at)
        });
        let items = found.take(page.first as usize);
        let items = items.map(|row| consumer_record(rows, row)).collect();
        Ok(Page::of(items, |item: &ConsumerRecord| {
            item.consumer.id.to_string()
        }))
    }

    async fn lookup_consumers(
        &mut self,
        lookup: &Lookup,
    ) -> Result<Vec<ConsumerRecord>, StoreError> {
        let rows = &self.rows;
        let found = rows.consumers.values().filter(|row| {
            let consumer = &row.value;
            match lookup {
                Lookup::Email(text) => consumer
                    .email
                    .as_ref()
                    .is_some_and(|email| email.as_str() == text),
                Lookup::Phone(text) => consumer
                    .phone
                    .as_ref()
                    .is_some_and(|held| held.value.as_str() == text),
                Lookup::Profile(profile) => {
                    let link = rows.links.get(profile);
                    link.is_some_and(|link| link.value.consumer == consumer.id)
                }
            }
        });
        Ok(found
            .take(100)
            .map(|row| consumer_record(rows, row))
            .collect())
    }
}

fn consumer_record(rows: &Rows, row: &Row<Consumer>) -> ConsumerRecord {
    let primary = row.value.primary.as_ref();
    let link = primary.and_then(|primary| rows.links.get(&primary.stamp.profile));
    ConsumerRecord {
        consumer: row.value.clone(),
        primary_changed_at: link.map(|link| link.value.changed_at),
        created_at: row.created_at,
        created_by: SYSTEM_ACTOR.to_owned(),
        updated_at: row.updated_at,
        updated_by: row.updated_at.map(|_| SYSTEM_ACTOR.to_owned()),
    }
}

fn has_part(consumer: &Consumer, part: &str) -> bool {
    let part = part.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&part);
    consumer
        .email
        .as_ref()
        .is_some_and(|email| has(email.as_str()))
        || consumer
            .phone
            .as_ref()
            .is_some_and(|held| has(held.value.as_str()))
        || consumer
            .full_name
            .as_ref()
            .is_some_and(|held| has(held.value.as_str()))
}
