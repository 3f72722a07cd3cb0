//! Consumers: reading them.

use fanfare_domain::ids::{ConsumerId, OrganizationId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{ConsumerFilter, ConsumerRecord, Lookup};

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
}
