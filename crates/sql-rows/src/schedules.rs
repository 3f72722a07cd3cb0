//! Schedules of continuous audiences.

use std::collections::HashMap;

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
    pub source_id: String,
    pub interval_seconds: i64,
}

/// A source whose audience's schedule is paused.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct PausedRow {
    pub id: String,
    pub paused_by: String,
}

/// Continuous audiences by id, each with what pauses its source.
pub fn continuous_audiences(
    audiences: Vec<ContinuousRow>,
    paused: Vec<PausedRow>,
) -> Result<Vec<ContinuousAudience>, StoreError> {
    let paused = paused.into_iter().map(|row| (row.id, row.paused_by));
    let paused: HashMap<String, String> = paused.collect();
    let mut continuous = Vec::with_capacity(audiences.len());
    for row in audiences {
        let interval = "audiences.refresh_interval_seconds";
        let reason = paused.get(&row.source_id);
        continuous.push(ContinuousAudience {
            audience: id(row.id, AudienceId::parse, "audiences.id")?,
            interval_seconds: to_u32(row.interval_seconds, interval)?,
            paused_by: paused_by(reason.map(String::as_str))?,
        });
    }
    continuous.sort_by(|a, b| a.audience.cmp(&b.audience));
    Ok(continuous)
}

/// Why a schedule is paused.
pub(crate) fn paused_by(text: Option<&str>) -> Result<Option<FailureCode>, StoreError> {
    let column = "sync_sources.paused_by";
    text.map(|text| parse_enum(text, FailureCode::parse, column))
        .transpose()
}
