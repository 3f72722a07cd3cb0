//! Profiles' links, seen as the sync sources that they are too.

use fanfare_domain::ids::SourceId;
use fanfare_domain::ports::{SourceRecord, StoreError};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::source::PROFILE_SOURCE_TYPE;

use crate::columns::{SYSTEM_ACTOR, id};
use crate::db_timestamp::{DbTimestamp, from_db};

/// A row of `profile_links`, without its consumer.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct LinkRow {
    pub source_id: String,
    pub profile_id: String,
    pub changed_at: DbTimestamp,
    pub created_at: DbTimestamp,
    pub updated_at: Option<DbTimestamp>,
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
            updated_at: from_db(row.updated_at),
            archived: false,
        })
    }
}
