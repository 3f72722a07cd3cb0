//! Runs.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId, SourceId};
use fanfare_domain::page::Tally;
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::StoreError;
use fanfare_domain::run::{Progress, RunError, SyncRun, SyncStatus, Trigger};
use fanfare_domain::waiting::{WaitReason, Waiting};

use crate::columns::{count, id, parse_enum, to_u32};
use crate::db_timestamp::{DbTimestamp, from_db};
use crate::json_text::JsonText;

/// The highest form of a run that this version of the program knows. A version that writes what this one cannot read, or
/// must not carry on from, counts it up: this one then leaves such runs to the newer one.
pub const RUN_FORM: i64 = 4;

/// The form in which this version writes a run. A version that knows only the first one would remove members that a run
/// has to leave; one that does not know the third would take what an incremental pass has read for the whole list; and one that
/// does not know the fourth would not find whom a run has seen, and remove them.
pub const fn form_of(run: &SyncRun) -> i64 {
    match run.pass {
        Pass::Incremental(_) => 3,
        Pass::Full(_) if run.progress.tally.processed > 0 => 4,
        Pass::Full(_) if run.removals_deferred => 2,
        Pass::Full(_) => 1,
    }
}

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
    pub waiting_until: Option<DbTimestamp>,
    pub waiting_why: Option<String>,
    pub form: i64,
    pub removals_deferred: bool,
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

    /// A reason that this version does not know is none: it only adorns the run.
    fn waiting(&self) -> Option<Waiting> {
        let until = from_db(self.waiting_until)?;
        let why = WaitReason::parse(self.waiting_why.as_deref()?)?;
        Some(Waiting { until, why })
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

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        let is_newer = row.form > RUN_FORM;
        row.read(is_newer).map_err(|error| match error {
            StoreError::Corrupt(column) if is_newer => StoreError::Newer(column),
            error => error,
        })
    }
}

impl RunRow {
    fn read(mut self, is_newer: bool) -> Result<SyncRun, StoreError> {
        let organization = "sync_runs.organization_id";
        Ok(SyncRun {
            progress: self.progress()?,
            waiting: self.waiting(),
            is_newer,
            error: self.error()?,
            // Another version may have written it: then the list is read from its beginning.
            pass: serde_json::from_str(&self.checkpoint.0).unwrap_or_default(),
            trigger: parse_enum(&self.trigger, Trigger::parse, "sync_runs.trigger")?,
            status: parse_enum(&self.status, SyncStatus::parse, "sync_runs.status")?,
            id: id(self.id, RunId::parse, "sync_runs.id")?,
            organization: id(self.organization_id, OrganizationId::parse, organization)?,
            source: id(self.source_id, SourceId::parse, "sync_runs.source_id")?,
            audience: id(self.audience_id, AudienceId::parse, "sync_runs.audience_id")?,
            attempt: to_u32(self.attempt, "sync_runs.attempt")?,
            crashes: to_u32(self.crashes, "sync_runs.crashes")?,
            failures: to_u32(self.failures, "sync_runs.failures")?,
            confirm_removals: self.confirm_removals,
            removals_deferred: self.removals_deferred,
            queued_at: self.queued_at.0,
            started_at: from_db(self.started_at),
            finished_at: from_db(self.finished_at),
            members_at_start: count(self.members_at_start, "sync_runs.members_at_start")?,
        })
    }
}
