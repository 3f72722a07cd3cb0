//! Runs.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId, SourceId};
use fanfare_domain::page::Tally;
use fanfare_domain::ports::StoreError;
use fanfare_domain::run::{Progress, RunError, SyncRun, SyncStatus, Trigger};

use crate::columns::{count, id, parse_enum, to_u32};
use crate::db_timestamp::{DbTimestamp, from_db};
use crate::json_text::JsonText;

/// A row of `sync_runs`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct RunRow {
    pub organization_id: String,
    pub id: String,
    pub source_id: String,
    pub audience_id: String,
    pub trigger: String,
    pub status: String,
    pub attempt: i64,
    pub crashes: i64,
    pub failures: i64,
    pub confirm_removals: bool,
    pub queued_at: DbTimestamp,
    pub started_at: Option<DbTimestamp>,
    pub finished_at: Option<DbTimestamp>,
    pub members_at_start: i64,
    pub total: Option<i64>,
    pub processed: i64,
    pub created: i64,
    pub updated: i64,
    pub unchanged: i64,
    pub skipped: i64,
    pub members_added: i64,
    pub members_removed: i64,
    pub pages: i64,
    pub checkpoint: JsonText,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

impl RunRow {
    fn progress(&self) -> Result<Progress, StoreError> {
        let total = self.total.map(|total| count(total, "sync_runs.total"));
        Ok(Progress {
            total: total.transpose()?,
            tally: Tally {
                processed: count(self.processed, "sync_runs.processed")?,
                created: count(self.created, "sync_runs.created")?,
                updated: count(self.updated, "sync_runs.updated")?,
                unchanged: count(self.unchanged, "sync_runs.unchanged")?,
                skipped: count(self.skipped, "sync_runs.skipped")?,
            },
            members_added: count(self.members_added, "sync_runs.members_added")?,
            members_removed: count(self.members_removed, "sync_runs.members_removed")?,
            pages: count(self.pages, "sync_runs.pages")?,
        })
    }

    fn error(&mut self) -> Result<Option<RunError>, StoreError> {
        let Some(code) = self.error_code.as_deref() else {
            return Ok(None);
        };
        Ok(Some(RunError {
            code: parse_enum(code, FailureCode::parse, "sync_runs.error_code")?,
            message: self.error_message.take().unwrap_or_default(),
        }))
    }
}

impl TryFrom<RunRow> for SyncRun {
    type Error = StoreError;

    fn try_from(mut row: RunRow) -> Result<Self, StoreError> {
        let organization = "sync_runs.organization_id";
        Ok(Self {
            progress: row.progress()?,
            error: row.error()?,
            // Another version may have written it: then the list is read from its beginning.
            pass: serde_json::from_str(&row.checkpoint.0).unwrap_or_default(),
            trigger: parse_enum(&row.trigger, Trigger::parse, "sync_runs.trigger")?,
            status: parse_enum(&row.status, SyncStatus::parse, "sync_runs.status")?,
            id: id(row.id, RunId::parse, "sync_runs.id")?,
            organization: id(row.organization_id, OrganizationId::parse, organization)?,
            source: id(row.source_id, SourceId::parse, "sync_runs.source_id")?,
            audience: id(row.audience_id, AudienceId::parse, "sync_runs.audience_id")?,
            attempt: to_u32(row.attempt, "sync_runs.attempt")?,
            crashes: to_u32(row.crashes, "sync_runs.crashes")?,
            failures: to_u32(row.failures, "sync_runs.failures")?,
            confirm_removals: row.confirm_removals,
            queued_at: row.queued_at.0,
            started_at: from_db(row.started_at),
            finished_at: from_db(row.finished_at),
            members_at_start: count(row.members_at_start, "sync_runs.members_at_start")?,
        })
    }
}
