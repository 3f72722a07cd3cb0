//! Consumers: reading them.

use std::collections::BTreeMap;

use fanfare_domain::ids::{ConsumerId, OrganizationId, RunId};
use fanfare_domain::page::SeenIndex;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Lookup};
use fanfare_domain::value::Email;

use crate::error::{Entity, Error};
use crate::integration::Integration;

impl Integration {
    /// Consumers, oldest first.
    pub async fn consumers(
        &self,
        organization: &OrganizationId,
        filter: &ConsumerFilter,
        page: &PageRequest,
    ) -> Result<Page<ConsumerRecord>, Error> {
        let is_search = filter.search.is_some();
        let mut unit = self.read_or_search(organization, is_search).await?;
        Ok(unit.consumers(filter, page).await?)
    }

    /// One consumer.
    pub async fn consumer(
        &self,
        organization: &OrganizationId,
        id: &ConsumerId,
    ) -> Result<ConsumerRecord, Error> {
        let found = self.read(organization).await?.consumer(id).await?;
        found.ok_or(Error::NotFound(Entity::Consumer))
    }

    /// The consumers that match exactly.
    pub async fn lookup_consumers(
        &self,
        organization: &OrganizationId,
        lookup: &Lookup,
    ) -> Result<Vec<ConsumerRecord>, Error> {
        Ok(self
            .read(organization)
            .await?
            .lookup_consumers(lookup)
            .await?)
    }

    /// The consumers who have these e-mails.
    pub async fn consumers_by_email(
        &self,
        organization: &OrganizationId,
        emails: &[Email],
    ) -> Result<BTreeMap<Email, ConsumerId>, Error> {
        let mut unit = self.read(organization).await?;
        // What is asked is what a page of a sync asks of its people. No run has this id.
        let nobodys = RunId::new(self.ports.ids.ulid());
        let known = unit
            .known(&nobodys, &SeenIndex::default(), emails, &[])
            .await?;
        let consumers = known.consumers.into_iter();
        Ok(consumers
            .filter_map(|consumer| Some((consumer.email?, consumer.id)))
            .collect())
    }
}
