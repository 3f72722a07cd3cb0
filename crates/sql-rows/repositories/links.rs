//! Profiles' links, seen as the sync sources that they are too.

use fanfare_domain::ids::SourceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord, StoreError};
use fanfare_sql_rows::{LinkRow, all, one};

use crate::timeout::WithTimeout;
use crate::unit::Unit;

impl Unit {
    pub(crate) async fn link_record(
        &mut self,
        id: &SourceId,
    ) -> Result<Option<SourceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            LinkRow,
            "../sql-rows/sql/profile_links/get.sql",
            organization,
            id.as_str()
        );
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    /// The links that match all but type and status, which are the same for all.
    pub(crate) async fn link_records(
        &mut self,
        filter: &SourceFilter,
        page: &PageRequest,
    ) -> Result<Vec<SourceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        let after = page.after.as_deref().unwrap_or_default();
        let rows = if let Some(profile) = filter.external_id.as_deref() {
            let find = sqlx::query_file_as!(
                LinkRow,
                "../sql-rows/sql/profile_links/of_profile.sql",
                organization,
                profile,
                after
            );
            find.fetch_all(connection).with_timeout().await?
        } else {
            let find = sqlx::query_file_as!(
                LinkRow,
                "../sql-rows/sql/profile_links/page.sql",
                organization,
                after,
                i64::from(page.first)
            );
            find.fetch_all(connection).with_timeout().await?
        };
        all(rows)
    }
}
