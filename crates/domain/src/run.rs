//! The life of a sync run.

use std::fmt;

use crate::failure::{FailureCode, MAX_CRASHES, MAX_FAILED_ANSWERS};
use crate::ids::{AudienceId, OrganizationId, RunId, SourceId};
use crate::page::Tally;
use crate::scan::{Checkpoint, CursorLoop, PartitionNumber, Phase, ScannedPage};
use crate::text_enum::text_enum;
use crate::time::Timestamp;

text_enum! {
    /// How much of the list a run reads.
    RunMode {
        /// All of it.
        Full = "FULL",
        /// What changed since the last run.
        Incremental = "INCREMENTAL",
    }
}

text_enum! {
    /// What started a run.
    Trigger {
        /// The import of the list.
        Import = "IMPORT",
        /// Somebody asked for it.
        Manual = "MANUAL",
        /// Its time had come.
        Schedule = "SCHEDULE",
        /// Klaviyo told of a change.
        Webhook = "WEBHOOK",
    }
}

text_enum! {
    /// Where a run, its sync source and its audience stand. The three never disagree.
    SyncStatus {
        /// Queued.
        Pending = "PENDING",
        /// A worker has taken it up.
        Syncing = "SYNCING",
        /// All pages taken, memberships settled.
        Success = "SUCCESS",
        /// It ended otherwise, or was cancelled.
        Failed = "FAILED",
    }
}

impl SyncStatus {
    /// Whether a run in this status is still going to do something.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Pending | Self::Syncing)
    }
}

/// Why a run ended `FAILED`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunError {
    /// The reason, for machines.
    pub code: FailureCode,
    /// The reason, for people: what happened and what to do.
    pub message: String,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Klaviyo's count of the list's profiles, where known.
    pub total: Option<u64>,
    /// Profiles, by how they fared.
    pub tally: Tally,
    /// Consumers that became members.
    pub members_added: u64,
    /// Members that were removed.
    pub members_removed: u64,
    /// Pages taken.
    pub pages: u64,
}

/// One pass over one list or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it reads.
    pub source: SourceId,
    /// What it fills.
    pub audience: AudienceId,
    /// How much it reads.
    pub mode: RunMode,
    /// What started it.
    pub trigger: Trigger,
    /// Where it stands.
    pub status: SyncStatus,
    /// Claims since the last committed page, the one that committed it included.
    pub attempt: u32,
    /// Claims over a dead worker's lease since the last committed page.
    pub crashes: u32,
    /// Failed answers for the page it stands at.
    pub failures: u32,
    /// Whether somebody has confirmed that many members may leave.
    pub confirm_removals: bool,
    /// When it was asked for.
    pub queued_at: Timestamp,
    /// When a worker first took it up.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The audience's members when it started.
    pub members_at_start: u64,
    /// How far it is.
    pub progress: Progress,
    /// Where it stands in the list.
    pub checkpoint: Checkpoint,
    /// Why it failed.
    pub error: Option<RunError>,
}

/// A change of status that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {from} cannot {event}")]
pub struct InvalidTransition {
    /// The status it has.
    pub from: SyncStatus,
    /// What was tried.
    pub event: Event,
}

text_enum! {
    /// What happens to a run.
    Event {
        /// A worker takes it up.
        Claim = "be claimed",
        /// A page was written.
        Page = "take a page",
        /// Everything is done.
        Succeed = "succeed",
        /// It ends in failure.
        Fail = "fail",
        /// Somebody ends it.
        Cancel = "be cancelled",
    }
}

/// A run to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// Whose it is.
    pub organization: OrganizationId,
    /// What it reads.
    pub source: SourceId,
    /// What it fills.
    pub audience: AudienceId,
    /// What started it.
    pub trigger: Trigger,
    /// Whether many members may leave.
    pub confirm_removals: bool,
}

impl SyncRun {
    /// A run from page one, with nothing inherited.
    pub fn queued(new: NewRun, now: Timestamp) -> Self {
        Self {
            id: new.id,
            organization: new.organization,
            source: new.source,
            audience: new.audience,
            mode: RunMode::Full,
            trigger: new.trigger,
            status: SyncStatus::Pending,
            attempt: 0,
            crashes: 0,
            failures: 0,
            confirm_removals: new.confirm_removals,
            queued_at: now,
            started_at: None,
            finished_at: None,
            members_at_start: 0,
            progress: Progress::default(),
            checkpoint: Checkpoint::default(),
            error: None,
        }
    }

    /// A worker takes the run up, for the first time or again. `abandoned` says that the lease it
    /// takes over was held by a worker that went silent. The third such claim without a page in
    /// between ends the run instead: it seems to kill its workers.
    pub fn claim(&mut self, abandoned: bool, now: Timestamp) -> Result<(), InvalidTransition> {
        self.require_active(Event::Claim)?;
        self.status = SyncStatus::Syncing;
        self.started_at.get_or_insert(now);
        self.attempt += 1;
        if abandoned {
            self.crashes += 1;
            self.checkpoint.quarantine_all();
        }
        if self.crashes >= MAX_CRASHES {
            let message = format!(
                "The worker died {} times at the same place of the list. See its logs, then sync again.",
                self.crashes
            );
            self.fail(FailureCode::WorkerCrashed, message, now)?;
        }
        Ok(())
    }

    /// Whether its checkpoint could not be read, as another version's: it has taken pages, and is to open
    /// the list again.
    pub fn has_lost_its_checkpoint(&self) -> bool {
        self.progress.pages > 0 && self.checkpoint.phase == Phase::Opening
    }

    /// A step was done: what went wrong before is forgiven. Crashes are not, while there are partitions
    /// whose pages may have been the reason and are still to be read.
    pub fn reset_failures(&mut self) {
        self.attempt = 1;
        self.failures = 0;
        if self.checkpoint.quarantined().is_none() {
            self.crashes = 0;
        }
    }

    /// The worker gives the run back by its own will, having got on.
    pub fn yielded(&mut self) {
        if self.failures == 0 {
            self.attempt = 0;
        }
    }

    /// Counts the profiles of so many pages.
    pub fn count_pages(
        &mut self,
        pages: u64,
        tally: Tally,
        added: u64,
    ) -> Result<(), InvalidTransition> {
        if self.status != SyncStatus::Syncing {
            return Err(self.refuse(Event::Page));
        }
        let sum = &mut self.progress.tally;
        sum.processed += tally.processed;
        sum.created += tally.created;
        sum.updated += tally.updated;
        sum.unchanged += tally.unchanged;
        sum.skipped += tally.skipped;
        self.progress.members_added += added;
        self.progress.pages += pages;
        Ok(())
    }

    /// A partition moves behind a page that was counted. Failed answers are forgiven by the page that
    /// failed.
    pub fn advance(
        &mut self,
        partition: PartitionNumber,
        page: ScannedPage,
    ) -> Result<(), CursorLoop> {
        let failures = match self.checkpoint.quarantined() {
            Some(quarantined) if quarantined != partition => self.failures,
            _ => 0,
        };
        self.checkpoint
            .advance(partition, page, self.progress.pages)?;
        self.reset_failures();
        self.failures = failures;
        Ok(())
    }

    /// Shares what is left of the list among up to `most` partitions. How much that is is estimated where
    /// Klaviyo does not tell: as much as was read.
    pub fn split(&mut self, most: usize, now: Timestamp) {
        let read = self.progress.tally.processed;
        let total = self.progress.total.unwrap_or(2 * read).max(read);
        self.checkpoint.split(most, total - read, total, now);
    }

    /// Klaviyo gave no usable answer for a partition's page. The fifth time ends the run with `code`;
    /// `message` tells what the answer was. Tells whether the run goes on. While one page is under
    /// suspicion, it is its failures that are counted.
    pub fn count_failure(
        &mut self,
        partition: PartitionNumber,
        code: FailureCode,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Result<bool, InvalidTransition> {
        if self.status != SyncStatus::Syncing {
            return Err(self.refuse(Event::Fail));
        }
        let quarantined = self.checkpoint.quarantined();
        self.checkpoint.quarantine(partition);
        if quarantined.is_some_and(|quarantined| quarantined != partition) {
            return Ok(true);
        }
        self.failures += 1;
        if self.failures < MAX_FAILED_ANSWERS {
            return Ok(true);
        }
        self.fail(code, message, now)?;
        Ok(false)
    }

    /// All pages are taken and the memberships settled.
    pub fn succeed(&mut self, now: Timestamp) -> Result<(), InvalidTransition> {
        if self.status != SyncStatus::Syncing {
            return Err(self.refuse(Event::Succeed));
        }
        self.end(SyncStatus::Success, now);
        Ok(())
    }

    /// The run fails while a worker has it.
    pub fn fail(
        &mut self,
        code: FailureCode,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        if self.status != SyncStatus::Syncing {
            return Err(self.refuse(Event::Fail));
        }
        self.error = Some(RunError {
            code,
            message: message.into(),
        });
        self.end(SyncStatus::Failed, now);
        Ok(())
    }

    /// Somebody ends the run, queued or running; what was written stays.
    pub fn cancel(
        &mut self,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_active(Event::Cancel)?;
        self.error = Some(RunError {
            code: FailureCode::Cancelled,
            message: message.into(),
        });
        self.end(SyncStatus::Failed, now);
        Ok(())
    }

    /// Profiles per second since the start, `None` before any.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a rate to be shown, not counted with"
    )]
    pub fn profiles_per_second(&self, now: Timestamp) -> Option<f64> {
        let seconds = self
            .finished_at
            .unwrap_or(now)
            .since(self.started_at?)
            .as_secs_f64();
        (seconds > 0.0).then(|| self.progress.tally.processed as f64 / seconds)
    }

    /// Seconds to the end at the present rate, where both are known.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate to be shown; the cast saturates"
    )]
    pub fn eta_seconds(&self, now: Timestamp) -> Option<u64> {
        let left = self
            .progress
            .total?
            .saturating_sub(self.progress.tally.processed);
        let rate = self.profiles_per_second(now).filter(|rate| *rate > 0.0)?;
        (self.status == SyncStatus::Syncing).then(|| (left as f64 / rate).ceil() as u64)
    }

    fn end(&mut self, status: SyncStatus, now: Timestamp) {
        self.status = status;
        self.started_at = self.started_at.map(|at| at.min(now));
        self.finished_at = Some(now);
    }

    fn require_active(&self, event: Event) -> Result<(), InvalidTransition> {
        if self.status.is_active() {
            Ok(())
        } else {
            Err(self.refuse(event))
        }
    }

    const fn refuse(&self, event: Event) -> InvalidTransition {
        InvalidTransition {
            from: self.status,
            event,
        }
    }
}

/// A worker's hold on a run: good for as long as nobody else has claimed it since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FencingToken(pub u64);

impl fmt::Display for FencingToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
