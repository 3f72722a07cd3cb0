//! Consumers, to be read, and one by one to be written.

use async_trait::async_trait;
use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Consumers, Lookup, StoreError};
use fanfare_domain::search::folded;
use fanfare_sql_rows::{
    ConsumerColumns, DbTimestamp, JsonText, ProfileLinkRow, all, json, one, to_db,
};

use super::pages::Scope;
use super::search;
use crate::consumer_reads::read_consumers;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Consumers for Unit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let get = read_consumers!(by_id, organization, id.as_str());
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn consumers_of(
        &mut self,
        ids: &[ConsumerId],
    ) -> Result<Vec<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let ids: Vec<&str> = ids.iter().map(ConsumerId::as_str).collect();
        let none: Option<DbTimestamp> = None;
        let find = read_consumers!(
            of_ids,
            organization,
            texts(&ids) as _,
            "%",
            none as _,
            none as _,
            None::<&str>
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        // What is nothing when it is folded, such as an invisible character, is in every text.
        let needle = filter.search.as_deref().map(folded);
        let needle = needle.filter(|needle| !needle.is_empty());
        let records = if let Some(needle) = needle {
            search::find(self, &needle, filter, page).await?
        } else {
            let after = page.after.as_deref().unwrap_or_default();
            scan(self, filter, None, after, page.first.into()).await?
        };
        Ok(Page::of(records, |record| record.consumer.id.to_string()))
    }

    async fn lookup_consumers(
        &mut self,
        lookup: &Lookup,
    ) -> Result<Vec<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let (email, phone, profile) = match lookup {
            Lookup::Email(email) => (Some(email.as_str()), None, None),
            Lookup::Phone(phone) => (None, Some(phone.as_str()), None),
            Lookup::Profile(profile) => (None, None, Some(profile.as_str())),
        };
        let find = read_consumers!(lookup, organization, email, phone, profile);
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn put_consumer(&mut self, record: &ConsumerRecord) -> Result<(), StoreError> {
        let mut scope = Scope::of(self.writing()?);
        search::mark_one_pending(scope.reborrow(), &record.consumer).await?;
        let columns = ConsumerColumns::of(&record.consumer, true);
        let put = sqlx::query_file!(
            "../sql-rows/sql/consumers/put.sql",
            scope.organization,
            columns.id,
            columns.email,
            columns.phone,
            columns.full_name,
            columns.search_text,
            JsonText(columns.stamps) as _,
            columns.primary_profile,
            to_db(columns.primary_updated) as _,
            columns.primary_source_id,
            DbTimestamp(record.created_at) as _,
            record.created_by,
            to_db(record.updated_at) as _,
            record.updated_by,
            record.metadata.as_ref().map(|of| JsonText(json(of))) as _
        );
        put.execute(scope.connection).with_timeout().await?;
        Ok(())
    }

    async fn links_of(&mut self, consumer: &ConsumerId) -> Result<Vec<ProfileLink>, StoreError> {
        let (organization, connection) = self.reading();
        let consumers = [consumer.as_str()];
        let find = sqlx::query_file_as!(
            ProfileLinkRow,
            "sql/profile_links/of_consumers.sql",
            organization,
            texts(&consumers) as _
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn is_search_indexed(&mut self, size: u32) -> Result<bool, StoreError> {
        search::is_indexed(Scope::of(self.reading()), size).await
    }

    async fn index_search(&mut self, size: u32) -> Result<bool, StoreError> {
        search::advance(Scope::of(self.writing()?), size).await
    }
}

/// The first consumers after an id whom the filter leaves, and whose texts, where there is a pattern, are like it:
/// one after the other in the order of their ids.
pub(super) async fn scan(
    unit: &mut Unit,
    filter: &ConsumerFilter,
    pattern: Option<&str>,
    after: &str,
    first: i64,
) -> Result<Vec<ConsumerRecord>, StoreError> {
    let (organization, connection) = unit.reading();
    let (from, to) = (to_db(filter.created_after), to_db(filter.created_before));
    let rows = if let Some(audience) = filter.audience.as_ref().map(AudienceId::as_str) {
        let find = read_consumers!(
            of_audience,
            organization,
            after,
            pattern,
            from as _,
            to as _,
            first,
            audience
        );
        find.fetch_all(connection).with_timeout().await?
    } else {
        let find = read_consumers!(
            in_order,
            organization,
            after,
            pattern,
            from as _,
            to as _,
            first
        );
        find.fetch_all(connection).with_timeout().await?
    };
    all(rows)
}
