//! The index of searches, brought on beside what changes consumers.

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::search_index::SEGMENT;

use crate::error::Error;
use crate::integration::Integration;

impl Integration {
    /// Brings the organization's index of searches up to date: short units, one for each segment of consumers, so
    /// that pages are written in between. What a search finds does not depend on it, only how fast.
    pub async fn index_search(&self, organization: &OrganizationId) -> Result<(), Error> {
        // Nearly always there is nothing to do: look before keeping writers waiting.
        let mut unit = self.read(organization).await?;
        if unit.is_search_indexed(SEGMENT).await? {
            return Ok(());
        }
        drop(unit);
        loop {
            let mut unit = self.begin(organization).await?;
            if !unit.index_search(SEGMENT).await? {
                return Ok(());
            }
            unit.commit().await?;
        }
    }
}
