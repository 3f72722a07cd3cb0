//! Audiences.

use std::collections::BTreeMap;

use fanfare_domain::audience::{Audience, GroupType};
use fanfare_domain::ids::{AudienceId, SourceId};
use fanfare_domain::ports::{AudienceRecord, StoreError};
use fanfare_domain::source::CollectionSource;

use crate::columns::{corrupt, from_json, id, parse_enum, to_u32};
use crate::db_timestamp::{DbTimestamp, from_db};
use crate::json_text::JsonText;

/// A row of `audiences`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct AudienceRow {
    pub id: String,
    pub source_id: String,
    pub name: String,
    pub named_by_hand: bool,
    pub description: Option<String>,
    pub icon_name: Option<String>,
    pub metadata: Option<JsonText>,
    pub group_id: Option<String>,
    pub group_name: Option<String>,
    pub group_type: Option<String>,
    pub last_refreshed_at: Option<DbTimestamp>,
    pub refresh_interval_seconds: Option<i64>,
    pub created_at: DbTimestamp,
    pub created_by: String,
    pub updated_at: Option<DbTimestamp>,
    pub updated_by: Option<String>,
    pub archived: bool,
}

impl TryFrom<AudienceRow> for Audience {
    type Error = StoreError;

    fn try_from(row: AudienceRow) -> Result<Self, StoreError> {
        let group_type = row.group_type.as_deref();
        let interval = row.refresh_interval_seconds;
        Ok(Self {
            source: filling_source(&row.id, row.source_id)?,
            id: id(row.id, AudienceId::parse, "audiences.id")?,
            name: row.name,
            named_by_hand: row.named_by_hand,
            description: row.description,
            icon_name: row.icon_name,
            metadata: row
                .metadata
                .map(|JsonText(text)| from_json(&text, "audiences.metadata"))
                .transpose()?,
            group_id: row.group_id,
            group_name: row.group_name,
            group_type: group_type
                .map(|text| parse_enum(text, GroupType::parse, "audiences.group_type"))
                .transpose()?,
            last_refreshed_at: from_db(row.last_refreshed_at),
            refresh_interval_seconds: interval
                .map(|seconds| to_u32(seconds, "audiences.refresh_interval_seconds"))
                .transpose()?,
            created_at: row.created_at.0,
            created_by: row.created_by,
            updated_at: from_db(row.updated_at),
            updated_by: row.updated_by,
            archived: row.archived,
        })
    }
}

/// The source that fills an audience. One that is filled by hand has a source row with the audience's own id, so that whoever
/// joins the two finds one for each audience; it is shown to nobody.
pub fn filling_source(audience: &str, source: String) -> Result<Option<SourceId>, StoreError> {
    if source == audience {
        return Ok(None);
    }
    id(source, SourceId::parse, "audiences.source_id").map(Some)
}

/// Audiences with the source that fills each.
pub fn audience_records(
    rows: Vec<AudienceRow>,
    mut sources: BTreeMap<SourceId, CollectionSource>,
) -> Result<Vec<AudienceRecord>, StoreError> {
    rows.into_iter()
        .map(|row| {
            let audience = Audience::try_from(row)?;
            let find = |id| {
                let source = sources.remove(id);
                source.ok_or_else(|| corrupt("audiences.source_id"))
            };
            let source = audience.source.as_ref().map(find).transpose()?;
            Ok(AudienceRecord { audience, source })
        })
        .collect()
}
