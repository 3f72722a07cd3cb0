//! Profiles' links, seen as the sync sources that they are too.

use fanfare_domain::ids::SourceId;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{SourceFilter, SourceRecord, StoreError};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::PROFILE_SOURCE_TYPE;

use crate::answer::Asked;
use crate::at::{At, time};
use crate::rows::{SYSTEM_ACTOR, id};
use crate::unit::PostgresUnit;

struct LinkRow {
    source_id: String,
    profile_id: String,
    changed_at: At,
    created_at: At,
    updated_at: Option<At>,
}

impl TryFrom<LinkRow> for SourceRecord {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: id(row.source_id, SourceId::parse, "profile_links.source_id")?,
            source_type: PROFILE_SOURCE_TYPE.to_owned(),
            external_id: row.profile_id,
            status: SyncStatus::Success,
            last_synced_at: Some(row.changed_at.0),
            data: None,
            created_at: row.created_at.0,
            created_by: SYSTEM_ACTOR.to_owned(),
            updated_at: time(row.updated_at),
            archived: false,
        })
    }
}

macro_rules! select_links {
    ($which:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            LinkRow,
            "SELECT source_id, profile_id, changed_at, created_at, updated_at
             FROM profile_links WHERE organization_id = $1 AND " + $which,
            $($parameter),+
        )
    };
}

impl PostgresUnit {
    pub(crate) async fn link_record(
        &mut self,
        id: &SourceId,
    ) -> Result<Option<SourceRecord>, StoreError> {
        let (organization, connection) = self.reading();
        select_links!("source_id = $2", organization, id.as_str())
            .fetch_optional(connection)
            .answer()
            .await?
            .map(SourceRecord::try_from)
            .transpose()
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
            select_links!(
                "profile_id = $2 AND source_id > $3",
                organization,
                profile,
                after
            )
            .fetch_all(connection)
            .answer()
            .await
        } else {
            select_links!(
                "source_id > $2 ORDER BY source_id LIMIT $3",
                organization,
                after,
                i64::from(page.first)
            )
            .fetch_all(connection)
            .answer()
            .await
        };
        rows?.into_iter().map(SourceRecord::try_from).collect()
    }
}
