//! A run's row.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId, SourceId};
use fanfare_domain::page::Tally;
use fanfare_domain::ports::StoreError;
use fanfare_domain::run::{Progress, RunError, SyncRun, SyncStatus, Trigger};

use crate::rows::{count, id, parse_enum, time, time_opt, to_u32};

pub(super) struct RunRow {
    pub(super) organization_id: String,
    pub(super) id: String,
    pub(super) source_id: String,
    pub(super) audience_id: String,
    pub(super) trigger: String,
    pub(super) status: String,
    pub(super) attempt: i64,
    pub(super) crashes: i64,
    pub(super) failures: i64,
    pub(super) confirm_removals: i64,
    pub(super) queued_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) finished_at: Option<i64>,
    pub(super) members_at_start: i64,
    pub(super) total: Option<i64>,
    pub(super) processed: i64,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) unchanged: i64,
    pub(super) skipped: i64,
    pub(super) members_added: i64,
    pub(super) members_removed: i64,
    pub(super) pages: i64,
    pub(super) checkpoint: String,
    pub(super) error_code: Option<String>,
    pub(super) error_message: Option<String>,
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
        Ok(Self {
            progress: row.progress()?,
            error: row.error()?,
            // Another version may have written it: then the list is read from its beginning.
            pass: serde_json::from_str(&row.checkpoint).unwrap_or_default(),
            trigger: parse_enum(&row.trigger, Trigger::parse, "sync_runs.trigger")?,
            status: parse_enum(&row.status, SyncStatus::parse, "sync_runs.status")?,
            id: id(row.id, RunId::parse, "sync_runs.id")?,
            organization: id(
                row.organization_id,
                OrganizationId::parse,
                "sync_runs.organization_id",
            )?,
            source: id(row.source_id, SourceId::parse, "sync_runs.source_id")?,
            audience: id(row.audience_id, AudienceId::parse, "sync_runs.audience_id")?,
            attempt: to_u32(row.attempt, "sync_runs.attempt")?,
            crashes: to_u32(row.crashes, "sync_runs.crashes")?,
            failures: to_u32(row.failures, "sync_runs.failures")?,
            confirm_removals: row.confirm_removals != 0,
            queued_at: time(row.queued_at, "sync_runs.queued_at")?,
            started_at: time_opt(row.started_at, "sync_runs.started_at")?,
            finished_at: time_opt(row.finished_at, "sync_runs.finished_at")?,
            members_at_start: count(row.members_at_start, "sync_runs.members_at_start")?,
        })
    }
}
