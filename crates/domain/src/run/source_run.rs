//! A run and its source, which change together and are saved together.

use crate::failure::{FailureCode, MAX_CRASHES};
use crate::pass::{Pass, Phase};
use crate::removal::RemovalGuard;
use crate::run::SyncStatus;
use crate::scan::Scan;
use crate::schedule;
use crate::source::{CollectionSource, SourceData};
use crate::text_enum::text_enum;
use crate::time::Timestamp;
use crate::waiting::Waiting;

use super::{MAX_CRASHES_OF_RUN, NewRun, Progress, RunError, Suspicion, SyncRun};

/// A sync run with its source. Every change of a run's status, counts or phase is one of its methods, which
/// changes the source's status and data too, so that the two always agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRun {
    pub(super) run: SyncRun,
    pub(super) source: CollectionSource,
}

text_enum! {
    /// An event in the life of a run.
    Event {
        /// A worker takes it up.
        Claim = "be claimed",
        /// A step was done: the list was opened, pages were read, or members were reconciled.
        Progress = "go on",
        /// Everything is done.
        Succeed = "succeed",
        /// It ends in failure.
        Fail = "fail",
        /// A user ends it.
        Cancel = "be cancelled",
    }
}

/// An event that the run's status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a run that is {from} cannot {event}")]
pub struct InvalidTransition {
    /// The status it has.
    pub from: SyncStatus,
    /// The event.
    pub event: Event,
}

impl SourceRun {
    /// A new run of a source, which starts at the list's first page. The caller has made sure that the source
    /// has no active run.
    pub fn queue(source: CollectionSource, new: NewRun, now: Timestamp) -> Self {
        let run = SyncRun {
            id: new.id,
            organization: new.organization,
            source: source.id.clone(),
            audience: source.audience.clone(),
            trigger: new.trigger,
            status: SyncStatus::Pending,
            attempt: 0,
            crashes: 0,
            failures: 0,
            confirm_removals: new.confirm_removals,
            removals_deferred: false,
            queued_at: now,
            started_at: None,
            finished_at: None,
            members_at_start: 0,
            progress: Progress::default(),
            pass: Pass::default(),
            waiting: Some(Waiting::for_turn(now)),
            is_newer: false,
            error: None,
        };
        let mut source = source;
        if source.data.last_error.as_deref() == Some(FailureCode::RemovalGuard.as_str()) {
            // A version that did not keep it may have held that run.
            source.guard = source.guard.held();
        }
        let is_first = source.data.last_run_id.is_none();
        let updated_at = source.updated_at;
        let mut queued = Self { run, source };
        queued.follow(now);
        if is_first {
            // The source is as new as its first run.
            queued.source.updated_at = updated_at;
        }
        queued
    }

    /// A run and its source as a store returns them.
    pub const fn from_stored(run: SyncRun, source: CollectionSource) -> Self {
        Self { run, source }
    }

    /// The run.
    pub const fn run(&self) -> &SyncRun {
        &self.run
    }

    /// The source.
    pub const fn source(&self) -> &CollectionSource {
        &self.source
    }

    /// The run and the source, for showing them.
    pub fn into_parts(self) -> (SyncRun, CollectionSource) {
        (self.run, self.source)
    }

    /// Whether the run has not ended yet.
    pub const fn is_active(&self) -> bool {
        self.run.status.is_active()
    }

    /// Whether the run's checkpoint could not be read, because another version of the program wrote it: the
    /// run has read pages and will open the list again.
    pub fn has_lost_its_checkpoint(&self) -> bool {
        self.run.progress.pages > 0 && *self.run.pass.phase() == Phase::Opening
    }

    /// A worker takes the run up, for the first time or again. `abandoned` says that the worker takes over the
    /// lease of one that stopped renewing it. The third such claim without a page in between ends the run
    /// instead, because a page of it seems to crash its workers, and so does the ninth if few pages were between them.
    pub fn claim(&mut self, abandoned: bool, now: Timestamp) -> Result<(), InvalidTransition> {
        self.require_active(Event::Claim)?;
        let run = &mut self.run;
        run.status = SyncStatus::Syncing;
        run.started_at.get_or_insert(now);
        run.attempt += 1;
        run.waiting = None;
        if abandoned {
            run.crashes += 1;
            if let Some(scan) = run.pass.scan_mut() {
                scan.quarantine_all();
            }
            let Pass::Full(full) = &mut run.pass;
            full.crashes = full.crashes.one_more(run.progress.pages);
        }
        let Pass::Full(full) = &run.pass;
        let place = if run.crashes >= MAX_CRASHES {
            Some((run.crashes, "at the same place of the list"))
        } else if full.crashes.are_too_many() {
            Some((MAX_CRASHES_OF_RUN, "on the way through the list"))
        } else {
            None
        };
        if let Some((crashes, place)) = place {
            let message =
                format!("The worker died {crashes} times {place}. See its logs, then sync again.");
            return self.fail(FailureCode::WorkerCrashed, message, now);
        }
        self.read_serially_if_needed();
        self.follow(now);
        Ok(())
    }

    /// Whether the run may be the reason for the crashes of its workers.
    pub const fn suspicion(&self) -> Suspicion {
        if self.is_active() {
            Suspicion::of(self.run.crashes)
        } else {
            Suspicion::None
        }
    }

    /// The worker gives the run back before it has ended, to wait. With `progress`, the claim does not count as a
    /// failed attempt.
    pub fn give_back(&mut self, progress: bool, waiting: Waiting) {
        if progress && self.run.failures == 0 {
            self.run.attempt = 0;
        }
        self.run.waiting = Some(waiting);
    }

    /// The run no longer waits for Klaviyo: it is due now. Returns whether it did wait for that, as far as is known.
    pub fn wake(&mut self, now: Timestamp) -> bool {
        let waiting = self.run.waiting_at(now);
        let is_woken = self.is_active() && waiting.is_none_or(Waiting::is_for_klaviyo);
        if is_woken {
            self.run.waiting = Some(Waiting::for_turn(now));
        }
        is_woken
    }

    /// The run has done everything.
    pub(super) fn succeed(&mut self, now: Timestamp) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Succeed)?;
        self.end(SyncStatus::Success, None, now);
        Ok(())
    }

    /// The run fails while a worker has it.
    pub fn fail(
        &mut self,
        code: FailureCode,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Fail)?;
        let message = message.into();
        self.end(SyncStatus::Failed, Some(RunError { code, message }), now);
        Ok(())
    }

    /// A user ends the run, which may be queued or running. What it has written stays.
    pub fn cancel(
        &mut self,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_active(Event::Cancel)?;
        let error = RunError {
            code: FailureCode::Cancelled,
            message: message.into(),
        };
        self.end(SyncStatus::Failed, Some(error), now);
        Ok(())
    }

    fn end(&mut self, status: SyncStatus, error: Option<RunError>, now: Timestamp) {
        let run = &mut self.run;
        run.status = status;
        run.error = error;
        run.waiting = None;
        run.started_at = run.started_at.map(|at| at.min(now));
        run.finished_at = Some(now);
        let progress = &run.progress;
        let members = (run.members_at_start + progress.members_added)
            .saturating_sub(progress.members_removed);
        let code = run.error.as_ref().map(|error| error.code);
        let guard = &mut self.source.guard;
        *guard = match (status, code) {
            (SyncStatus::Success, _) if run.removals_deferred => *guard,
            (SyncStatus::Success, _) => RemovalGuard::succeeded(members),
            (_, Some(FailureCode::RemovalGuard)) => guard.held(),
            _ => *guard,
        };
        match code {
            None => {
                if !self.run.removals_deferred {
                    self.source.last_full_pass_at = Some(now);
                }
                self.source.paused_by = None;
            }
            Some(code) if schedule::pauses(code) => self.source.paused_by = Some(code),
            Some(_) => {}
        }
        self.follow(now);
    }

    pub(super) fn set_phase(&mut self, phase: Phase) {
        let Pass::Full(full) = &mut self.run.pass;
        full.phase = phase;
    }

    /// A step was done: the counts of attempts and failed answers start again. The count of crashes does not
    /// as long as a quarantined partition's page, which may have been the reason, is still to be read.
    pub(super) fn reset_failures(&mut self) {
        let run = &mut self.run;
        run.attempt = 1;
        run.failures = 0;
        if run.pass.scan().and_then(Scan::quarantined).is_none() {
            run.crashes = 0;
        }
    }

    pub(super) fn follow(&mut self, now: Timestamp) {
        self.source.follow(&self.run, now);
    }

    fn require_active(&self, event: Event) -> Result<(), InvalidTransition> {
        if self.run.status.is_active() {
            Ok(())
        } else {
            Err(self.refuse(event))
        }
    }

    pub(super) fn require_syncing(&self, event: Event) -> Result<(), InvalidTransition> {
        if self.run.status == SyncStatus::Syncing {
            Ok(())
        } else {
            Err(self.refuse(event))
        }
    }

    const fn refuse(&self, event: Event) -> InvalidTransition {
        InvalidTransition {
            from: self.run.status,
            event,
        }
    }
}

impl CollectionSource {
    /// Takes over the status and the counts of its latest run. A source's status changes only here.
    fn follow(&mut self, run: &SyncRun, now: Timestamp) {
        self.status = run.status;
        if run.status == SyncStatus::Success {
            self.last_synced_at = run.finished_at;
        }
        self.updated_at = Some(now);
        let tally = run.progress.tally;
        self.data = SourceData {
            name: self.data.name.take(),
            last_run_id: Some(run.id.to_string()),
            last_error: run
                .error
                .as_ref()
                .map(|error| error.code.as_str().to_owned()),
            processed: tally.processed,
            created: tally.created,
            updated: tally.updated,
            unchanged: tally.unchanged,
            skipped: tally.skipped,
            members_added: run.progress.members_added,
            members_removed: run.progress.members_removed,
        };
    }
}
