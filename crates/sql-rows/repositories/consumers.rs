//! Consumers, to be read.

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, ConsumerId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Consumers, Lookup, StoreError};
use fanfare_sql_rows::{all, contains_pattern, one, to_db};

use crate::consumer_reads::read_consumers;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Consumers for Unit {
    async fn consumer(&mut self, id: &ConsumerId) -> Result<Option<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let get = read_consumers!(by_id, organization, id.as_str());
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn consumers(
        &mut self,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let after = page.after.as_deref().unwrap_or_default();
        let search = filter.search.as_deref().map(contains_pattern);
        let (from, to) = (to_db(filter.created_after), to_db(filter.created_before));
        let rows = if let Some(audience) = filter.audience.as_ref().map(AudienceId::as_str) {
            let find = read_consumers!(
                of_audience,
                organization,
                after,
                search,
                from as _,
                to as _,
                i64::from(page.first),
                audience
            );
            find.fetch_all(connection).with_timeout().await?
        } else {
            let find = read_consumers!(
                in_order,
                organization,
                after,
                search,
                from as _,
                to as _,
                i64::from(page.first)
            );
            find.fetch_all(connection).with_timeout().await?
        };
        let records: Vec<ConsumerRecord> = all(rows)?;
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
}
