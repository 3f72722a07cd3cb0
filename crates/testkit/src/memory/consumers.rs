//! Consumers.

use async_trait::async_trait;
use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Consumers, Lookup, StoreError};
use fanfare_domain::search;

use super::rows::{ConsumerRow, Rows, refuse};
use super::unit::Unit;

/// The most consumers that an exact look-up finds.
const MOST_FOUND: usize = 100;

#[async_trait]
impl Consumers for Unit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let rows = self.rows();
        Ok(rows.consumers.get(id).map(|row| rows.record(row)))
    }

    async fn consumers_of(
        &mut self,
        ids: &[ConsumerId],
    ) -> Result<Vec<ConsumerRecord>, StoreError> {
        let rows = self.rows();
        let found = ids.iter().filter_map(|id| rows.consumers.get(id));
        Ok(found.map(|row| rows.record(row)).collect())
    }

    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let rows = self.rows();
        let found = rows
            .consumers
            .values()
            .filter(|row| matches(rows, row, filter));
        Ok(page_of_consumers(rows, found, page))
    }

    async fn lookup_consumers(
        &mut self,
        lookup: &Lookup,
    ) -> Result<Vec<ConsumerRecord>, StoreError> {
        let rows = self.rows();
        let is_match = |row: &&ConsumerRow| {
            let consumer = &row.consumer;
            match lookup {
                Lookup::Email(email) => {
                    consumer.email.as_ref().is_some_and(|e| e.as_str() == email)
                }
                Lookup::Phone(phone) => {
                    let held = consumer.phone.as_ref();
                    held.is_some_and(|held| held.value.as_str() == phone)
                }
                Lookup::Profile(profile) => {
                    let linked = rows.links.get(profile);
                    linked.is_some_and(|row| row.link.consumer == consumer.id)
                }
            }
        };
        let found = rows.consumers.values().filter(is_match).take(MOST_FOUND);
        Ok(found.map(|row| rows.record(row)).collect())
    }

    async fn put_consumer(&mut self, record: &ConsumerRecord) -> Result<(), StoreError> {
        let rows = self.rows_mut()?;
        let consumer = &record.consumer;
        let has_email = |row: &ConsumerRow| {
            row.consumer.id != consumer.id
                && consumer.email.is_some()
                && row.consumer.email == consumer.email
        };
        if rows.consumers.values().any(has_email) {
            return Err(refuse("another consumer has the e-mail"));
        }
        let before = rows.consumers.get(&consumer.id);
        let row = ConsumerRow {
            consumer: consumer.clone(),
            created_at: before.map_or(record.created_at, |row| row.created_at),
            created_by: before
                .map_or(&record.created_by, |row| &row.created_by)
                .clone(),
            updated_at: record.updated_at,
            updated_by: record.updated_by.clone(),
            metadata: record.metadata.clone(),
        };
        rows.consumers.insert(consumer.id.clone(), row);
        Ok(())
    }

    async fn links_of(&mut self, consumer: &ConsumerId) -> Result<Vec<ProfileLink>, StoreError> {
        let links = self.rows().links.values();
        let of_it = links.filter(|row| row.link.consumer == *consumer);
        Ok(of_it.map(|row| row.link.clone()).collect())
    }

    /// There is no index: all texts are looked at.
    async fn is_search_indexed(&mut self, _size: u32) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn index_search(&mut self, _size: u32) -> Result<bool, StoreError> {
        self.rows_mut()?;
        Ok(false)
    }
}

fn matches(rows: &Rows, row: &ConsumerRow, filter: &ConsumerFilter) -> bool {
    let id = &row.consumer.id;
    let is_member = |audience| {
        rows.members
            .get(audience)
            .is_some_and(|m| m.contains_key(id))
    };
    let is_wanted = filter.audience.as_ref().is_none_or(is_member);
    let has_part = filter
        .search
        .as_deref()
        .is_none_or(|part| contains(&row.consumer, part));
    let is_late = filter.created_after.is_none_or(|at| row.created_at > at);
    let is_early = filter.created_before.is_none_or(|at| row.created_at < at);
    is_wanted && has_part && is_late && is_early
}

/// Whether the e-mail, phone number or name has this part.
pub(super) fn contains(consumer: &Consumer, part: &str) -> bool {
    search::text_of(consumer).contains(&search::folded(part))
}

/// A page of consumers that come ordered by id.
pub(super) fn page_of_consumers<'a>(
    rows: &Rows,
    found: impl Iterator<Item = &'a ConsumerRow>,
    page: &PageRequest,
) -> Page<ConsumerRecord> {
    let after = page.after.as_deref();
    let items = found
        .filter(|row| after.is_none_or(|after| row.consumer.id.as_str() > after))
        .take(page.first as usize)
        .map(|row| rows.record(row))
        .collect();
    Page::of(items, |record: &ConsumerRecord| {
        record.consumer.id.to_string()
    })
}
