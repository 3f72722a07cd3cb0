//! The index of searches, brought on beside what changes consumers.

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::search_index::SECTION;

use crate::error::Error;
use crate::integration::Integration;

impl Integration {
    /// Brings the organization's index of searches up to date, or on by `most` sections of consumers: short units, one
    /// for each, so that pages are written in between. What a search finds does not depend on it, only how fast.
    pub async fn index_search(
        &self,
        organization: &OrganizationId,
        most: u32,
    ) -> Result<(), Error> {
        // Nearly always there is nothing to do: look before keeping writers waiting.
        let mut unit = self.read(organization).await?;
        if unit.is_search_indexed(SECTION).await? {
            return Ok(());
        }
        drop(unit);
        for _ in 0..most {
            let mut unit = self.begin(organization).await?;
            if !unit.index_search(SECTION).await? {
                return Ok(());
            }
            unit.commit().await?;
        }
        Ok(())
    }
}
