//! Schedules of continuous audiences.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::ports::StoreError;
use fanfare_domain::schedule::ContinuousAudience;
use fanfare_domain::time::Timestamp;

use crate::columns::{id, parse_enum, to_u32};
use crate::db_timestamp::DbTimestamp;

/// A row of `schedules`, of a known organization.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ScheduleRow {
    pub audience_id: String,
    pub due_at: DbTimestamp,
}

impl TryFrom<ScheduleRow> for (AudienceId, Timestamp) {
    type Error = StoreError;

    fn try_from(row: ScheduleRow) -> Result<Self, StoreError> {
        let audience = id(row.audience_id, AudienceId::parse, "schedules.audience_id")?;
        Ok((audience, row.due_at.0))
    }
}

/// What the schedule of an audience needs of it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ContinuousRow {
    pub id: String,
    pub interval_seconds: i64,
    pub paused_by: Option<String>,
}

impl TryFrom<ContinuousRow> for ContinuousAudience {
    type Error = StoreError;

    fn try_from(row: ContinuousRow) -> Result<Self, StoreError> {
        let interval = "audiences.refresh_interval_seconds";
        Ok(Self {
            audience: id(row.id, AudienceId::parse, "audiences.id")?,
            interval_seconds: to_u32(row.interval_seconds, interval)?,
            paused_by: paused_by(row.paused_by.as_deref())?,
        })
    }
}

/// Why a schedule is paused.
pub(crate) fn paused_by(text: Option<&str>) -> Result<Option<FailureCode>, StoreError> {
    let column = "sync_sources.paused_by";
    text.map(|text| parse_enum(text, FailureCode::parse, column))
        .transpose()
}
