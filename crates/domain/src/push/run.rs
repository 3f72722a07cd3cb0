//! A run that makes a Klaviyo list what its audience is.

use super::PushCounts;
use crate::failure::FailureCode;
use crate::ids::{
    AudienceId, CollectionId, ConsumerId, Cursor, ImportJobId, OrganizationId, ProfileId, RunId,
};
use crate::run::{RunError, RunMode, SyncStatus, Trigger};
use crate::time::Timestamp;
use crate::waiting::{WaitReason, Waiting};

/// What a push compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PushMode {
    /// The whole list, the whole ledger and all members of the audience.
    Full,
    /// What has changed in the audience since the push before.
    Following,
}

/// What a run does next, with the position from which it continues.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PushPhase {
    /// All members of the list are read, and noted in the ledger.
    Scanning {
        /// When this began.
        began: Timestamp,
        /// Where the next page begins.
        cursor: Option<Cursor>,
    },
    /// The ledger is corrected by what was read.
    Correcting {
        /// When the reading began.
        began: Timestamp,
        /// The last row of the batch before.
        after: Option<ProfileId>,
    },
    /// What would be changed is counted, and changes nothing yet: the audience's members.
    CountingMembers {
        /// The last member of the batch before.
        after: Option<ConsumerId>,
    },
    /// The same of the ledger's rows.
    CountingLedger {
        /// The last row of the batch before.
        after: Option<ProfileId>,
    },
    /// The same of what has changed in the audience.
    CountingChanges {
        /// The last change of the batch before, as text.
        after: Option<String>,
    },
    /// What was counted is compared with what may be done without a person.
    Deciding,
    /// Writes are finished whose answers never came.
    FinishingOpen,
    /// Members of the audience who are not in the list are added.
    Members {
        /// The last member of the batch before.
        after: Option<ConsumerId>,
    },
    /// Those whom we added and who are no members any more are removed.
    Ledger {
        /// The last row of the batch before.
        after: Option<ProfileId>,
    },
    /// What has changed in the audience is added and removed.
    Changes {
        /// The last change of the batch before, as text.
        after: Option<String>,
    },
    /// It has ended.
    Done,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PushProgress {
    /// How many people are to be compared, if that is known.
    pub total: Option<u64>,
    /// How many were compared.
    pub processed: u64,
    /// Whom it has added.
    pub added: u64,
    /// Whom it has removed.
    pub removed: u64,
    /// Whom it could not add, because Klaviyo does not know them, or somebody took them off by hand.
    pub skipped: u64,
    /// How many calls and pages it took.
    pub pages: u64,
}

/// An import job that makes profiles of people whom a push comes to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ImportUnderWay {
    /// Klaviyo's id of it.
    pub job: ImportJobId,
    /// When it was started.
    pub since: Timestamp,
}

/// A push of an audience into its list.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PushRun {
    /// Its id.
    pub id: RunId,
    /// The organization.
    pub organization: OrganizationId,
    /// The audience.
    pub audience: AudienceId,
    /// The list.
    pub list: CollectionId,
    /// What started it.
    pub trigger: Trigger,
    /// What it compares.
    pub mode: PushMode,
    /// Its status.
    pub status: SyncStatus,
    /// How often it was claimed.
    pub attempt: u32,
    /// Failed answers of Klaviyo's in a row.
    pub failures: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// When a worker first took it up.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How far it is.
    pub progress: PushProgress,
    /// What it would change, as far as that was counted.
    pub counted: PushCounts,
    /// How many it may change: as many as somebody has confirmed, and the connection's limit beyond.
    pub allowed: PushCounts,
    /// What it does next.
    pub phase: PushPhase,
    /// The import job that it waits for before it adds the people whom it comes to next.
    #[serde(default)]
    pub import: Option<ImportUnderWay>,
    /// Of how many people, from where it is on, profiles are made one by one: an import job has left some of them out.
    #[serde(default)]
    pub singly: u64,
    /// When what it compares was as it is compared: later changes are followed by the next one.
    pub follows_from: Option<Timestamp>,
    /// What it waits for while no worker has it.
    pub waiting: Option<Waiting>,
    /// Why it failed.
    pub error: Option<RunError>,
}

impl PushRun {
    /// A run that was just queued.
    pub fn queued(
        id: RunId,
        organization: OrganizationId,
        (audience, list): (AudienceId, CollectionId),
        trigger: Trigger,
        mode: PushMode,
        now: Timestamp,
    ) -> Self {
        let phase = match mode {
            PushMode::Full => PushPhase::Scanning {
                began: now,
                cursor: None,
            },
            PushMode::Following => PushPhase::CountingChanges { after: None },
        };
        Self {
            id,
            organization,
            audience,
            list,
            trigger,
            mode,
            status: SyncStatus::Pending,
            attempt: 0,
            failures: 0,
            queued_at: now,
            started_at: None,
            finished_at: None,
            progress: PushProgress::default(),
            counted: PushCounts::default(),
            allowed: PushCounts::default(),
            phase,
            import: None,
            singly: 0,
            follows_from: None,
            waiting: Some(Waiting::for_turn(now)),
            error: None,
        }
    }

    /// Its mode in the words of runs.
    pub const fn run_mode(&self) -> RunMode {
        match self.mode {
            PushMode::Full => RunMode::Full,
            PushMode::Following => RunMode::Incremental,
        }
    }

    /// A worker takes it up.
    pub fn claim(&mut self, now: Timestamp) {
        self.status = SyncStatus::Syncing;
        self.attempt = self.attempt.saturating_add(1);
        self.started_at.get_or_insert(now);
        self.waiting = None;
    }

    /// It waits without a worker.
    pub const fn pause(&mut self, until: Timestamp, why: WaitReason) {
        self.waiting = Some(Waiting { until, why });
    }

    /// An import job has ended, or is not waited for any more, and `left` of `asked` people have no profile all the same. What it has
    /// left out is made one by one among the next `people`; where it has not done the better part, there is no other job.
    pub fn import_ended(&mut self, left: usize, asked: usize, people: u64) {
        self.import = None;
        self.singly = match left {
            0 => 0,
            left if left * 2 > asked => u64::MAX,
            _ => people,
        };
    }

    /// A step was made.
    pub fn go_to(&mut self, phase: PushPhase) {
        self.phase = phase;
        self.failures = 0;
        self.attempt = 1;
        self.progress.pages += 1;
    }

    /// What comes after what it does now, if that is finished.
    pub const fn next_phase(&self) -> PushPhase {
        match (&self.phase, self.mode) {
            (PushPhase::Scanning { began, .. }, _) => PushPhase::Correcting {
                began: *began,
                after: None,
            },
            (PushPhase::Correcting { .. }, _) => PushPhase::CountingMembers { after: None },
            (PushPhase::CountingMembers { .. }, _) => PushPhase::CountingLedger { after: None },
            (PushPhase::CountingLedger { .. } | PushPhase::CountingChanges { .. }, _) => {
                PushPhase::Deciding
            }
            (PushPhase::Deciding, _) => PushPhase::FinishingOpen,
            (PushPhase::FinishingOpen, PushMode::Full) => PushPhase::Members { after: None },
            (PushPhase::FinishingOpen, PushMode::Following) => PushPhase::Changes { after: None },
            (PushPhase::Members { .. }, _) => PushPhase::Ledger { after: None },
            (PushPhase::Ledger { .. } | PushPhase::Changes { .. } | PushPhase::Done, _) => {
                PushPhase::Done
            }
        }
    }

    /// Whether so many more may be changed.
    pub const fn may_change(&self, adds: u64, removes: u64) -> bool {
        self.progress.added + adds <= self.allowed.adds
            && self.progress.removed + removes <= self.allowed.removes
    }

    /// It has done what it was for.
    pub fn succeed(&mut self, now: Timestamp) {
        self.end(SyncStatus::Success, now);
    }

    /// It ends, and no further step of it can help.
    pub fn fail(&mut self, code: FailureCode, message: impl Into<String>, now: Timestamp) {
        self.end(SyncStatus::Failed, now);
        self.error = Some(RunError {
            code,
            message: message.into(),
        });
    }

    fn end(&mut self, status: SyncStatus, now: Timestamp) {
        self.status = status;
        self.phase = PushPhase::Done;
        self.started_at.get_or_insert(now);
        self.finished_at = Some(now);
        self.waiting = None;
    }
}
