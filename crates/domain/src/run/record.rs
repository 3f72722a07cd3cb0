//! A sync run as it is stored and shown. Only [`SourceRun`](super::SourceRun) changes one.

use crate::failure::FailureCode;
use crate::ids::{AudienceId, OrganizationId, RunId, SourceId};
use crate::page::Tally;
use crate::pass::Pass;
use crate::run::SyncStatus;
use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::waiting::Waiting;

text_enum! {
    /// What started a run.
    #[derive(serde::Serialize, serde::Deserialize)]
    Trigger {
        /// The import of the list.
        Import = "IMPORT",
        /// A user's or a service's request.
        Manual = "MANUAL",
        /// The audience's refresh interval.
        Schedule = "SCHEDULE",
        /// A notification of Klaviyo's about a change.
        Webhook = "WEBHOOK",
    }
}

/// Why a run ended `FAILED`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunError {
    /// The reason, for machines.
    pub code: FailureCode,
    /// The reason, for people: what happened and what to do.
    pub message: String,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Klaviyo's count of the list's profiles, if known.
    pub total: Option<u64>,
    /// The outcomes of the profiles so far.
    pub tally: Tally,
    /// Consumers that became members.
    pub members_added: u64,
    /// Members that were removed.
    pub members_removed: u64,
    /// Pages of the list that were written.
    pub pages: u64,
}

/// One pass over one list or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncRun {
    /// Its id.
    pub id: RunId,
    /// The organization.
    pub organization: OrganizationId,
    /// The sync source that it reads.
    pub source: SourceId,
    /// The audience that it fills.
    pub audience: AudienceId,
    /// What started it.
    pub trigger: Trigger,
    /// Its status, which its source and audience share.
    pub status: SyncStatus,
    /// Claims since the last committed page, including the claim that committed it.
    pub attempt: u32,
    /// Claims since the last committed page that took over the lease of a worker that had died.
    pub crashes: u32,
    /// Failed answers of Klaviyo for the page that is requested now.
    pub failures: u32,
    /// Whether the caller has confirmed the removals of a pass that saw clearly less than Klaviyo counted, or that
    /// removes more than half of the members.
    pub confirm_removals: bool,
    /// Whether it removes nobody, because Klaviyo was still computing the segment that it reads.
    pub removals_deferred: bool,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When a worker first took it up.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The audience's members when it started.
    pub members_at_start: u64,
    /// How far it is.
    pub progress: Progress,
    /// Its checkpoint: what it has to do and how far it is.
    pub pass: Pass,
    /// What it waits for while no worker has it; `None` while one works on it, and after its end.
    pub waiting: Option<Waiting>,
    /// Whether a newer version of the program wrote it, in a form that this one does not know: this version shows and
    /// cancels it, and leaves working on it to the other.
    pub is_newer: bool,
    /// Why it failed.
    pub error: Option<RunError>,
}

/// What a new run is created from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Its id.
    pub id: RunId,
    /// The organization.
    pub organization: OrganizationId,
    /// What starts it.
    pub trigger: Trigger,
    /// Whether removals are confirmed that a pass would not carry out by itself.
    pub confirm_removals: bool,
}

impl SyncRun {
    /// What it waits for now; `None` if a worker has it or it has ended.
    pub fn waiting_at(&self, now: Timestamp) -> Option<Waiting> {
        let waiting = self.waiting.filter(|_| self.status.is_active());
        waiting.map(|waiting| waiting.at(now))
    }

    /// Whether it is a scheduled run that succeeded and changed nothing.
    pub fn found_nothing(&self) -> bool {
        let Progress {
            tally,
            members_added,
            members_removed,
            ..
        } = self.progress;
        let of_account = match &self.pass {
            Pass::Incremental(pass) => pass.changed,
            Pass::Full(_) => 0,
        };
        let changes = tally.created + tally.updated + members_added + members_removed + of_account;
        self.trigger == Trigger::Schedule && self.status == SyncStatus::Success && changes == 0
    }

    /// Profiles per second since the start; `None` before the start.
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

    /// Seconds to the end at the present rate; `None` unless the run is syncing and its total and rate are known.
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
}
