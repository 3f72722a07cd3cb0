//! Sync sources: reading them.

use fanfare_domain::ids::{OrganizationId, SourceId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord};

use crate::error::{Entity, Error};
use crate::integration::Integration;

impl Integration {
    /// Unarchived sync sources by id.
    pub async fn search_sources(
        &self,
        organization: &OrganizationId,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, Error> {
        Ok(self
            .read(organization)
            .await?
            .search_sources(filter, page)
            .await?)
    }

    /// One sync source.
    pub async fn source(
        &self,
        organization: &OrganizationId,
        id: &SourceId,
    ) -> Result<SourceRecord, Error> {
        let found = self.read(organization).await?.source_record(id).await?;
        found.ok_or(Error::NotFound(Entity::SyncSource))
    }
}
