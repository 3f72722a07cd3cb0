//! Sync runs and their issues.

use std::sync::Arc;

use fanfare_domain::push::PushRun;
use fanfare_domain::run::SyncRun;
use fanfare_domain::time::Timestamp;
use fanfare_sync::AnyRun;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use super::words::{RunMode, RunTrigger, SyncStatus, WaitReason};

/// One pass over one list or segment, or one push of an audience into its Klaviyo list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncRun)]
pub(crate) struct Run {
    #[schema(example = "run_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    organization_id: String,
    /// Null for a push.
    sync_source_id: Option<String>,
    audience_id: String,
    /// `PULL` reads Klaviyo, `PUSH` writes the list that the audience is kept in.
    kind: RunKind,
    mode: RunMode,
    trigger: RunTrigger,
    status: SyncStatus,
    /// Claims since the last committed page.
    attempt: u32,
    queued_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
    progress: Progress,
    /// What it waits for; null while a worker has it, and after its end.
    waiting_until: Option<Waiting>,
    /// Whether it removed nobody, because Klaviyo was still computing the segment. A continuous audience tries again after
    /// five minutes.
    removals_deferred: bool,
    /// Why it failed.
    error: Option<RunError>,
}

/// In which direction a run goes.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = SyncRunKind)]
enum RunKind {
    /// From Klaviyo.
    Pull,
    /// To Klaviyo.
    Push,
}

/// Until when a run waits, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncRunWaiting)]
struct Waiting {
    /// When it is due. For `turn` this has passed: it is taken up as soon as a worker is free.
    until: Time,
    why: WaitReason,
}

/// How far a run is: `processed` is the sum of `created`, `updated`, `unchanged` and `skipped`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncProgress)]
struct Progress {
    /// Klaviyo's count, where known.
    total: Option<u64>,
    processed: u64,
    created: u64,
    updated: u64,
    unchanged: u64,
    skipped: u64,
    members_added: u64,
    members_removed: u64,
    pages: u64,
    profiles_per_second: Option<f64>,
    eta_seconds: Option<u64>,
}

/// Why a run failed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SyncRunError)]
struct RunError {
    #[schema(example = "key_invalid")]
    code: &'static str,
    /// What happened, and what to do.
    message: String,
}

impl Run {
    pub(crate) fn of(run: AnyRun, now: Timestamp) -> Self {
        match run {
            AnyRun::Pull(run) => Self::of_pull(Arc::unwrap_or_clone(run), now),
            AnyRun::Push(run) => Self::of_push(Arc::unwrap_or_clone(run), now),
        }
    }

    fn of_push(run: PushRun, now: Timestamp) -> Self {
        let waiting = run.waiting.filter(|_| run.status.is_active());
        Self {
            progress: Progress::of_push(&run, now),
            mode: run.run_mode().into(),
            id: run.id.to_string(),
            organization_id: run.organization.to_string(),
            sync_source_id: None,
            audience_id: run.audience.to_string(),
            kind: RunKind::Push,
            trigger: run.trigger.into(),
            status: run.status.into(),
            attempt: run.attempt,
            queued_at: Time(run.queued_at),
            started_at: Time::maybe(run.started_at),
            finished_at: Time::maybe(run.finished_at),
            waiting_until: waiting
                .map(|waiting| waiting.at(now))
                .map(|waiting| Waiting {
                    until: Time(waiting.until),
                    why: waiting.why.into(),
                }),
            removals_deferred: false,
            error: run.error.map(|error| RunError {
                code: error.code.as_str(),
                message: error.message,
            }),
        }
    }

    fn of_pull(run: SyncRun, now: Timestamp) -> Self {
        Self {
            progress: Progress::of(&run, now),
            id: run.id.to_string(),
            organization_id: run.organization.to_string(),
            sync_source_id: Some(run.source.to_string()),
            kind: RunKind::Pull,
            audience_id: run.audience.to_string(),
            mode: run.pass.mode().into(),
            trigger: run.trigger.into(),
            status: run.status.into(),
            attempt: run.attempt,
            queued_at: Time(run.queued_at),
            started_at: Time::maybe(run.started_at),
            finished_at: Time::maybe(run.finished_at),
            waiting_until: run.waiting_at(now).map(|waiting| Waiting {
                until: Time(waiting.until),
                why: waiting.why.into(),
            }),
            removals_deferred: run.removals_deferred,
            error: run.error.map(|error| RunError {
                code: error.code.as_str(),
                message: error.message,
            }),
        }
    }
}

impl Progress {
    /// Whoever was added, removed or could not be added is counted by that, and everybody else is unchanged.
    #[expect(clippy::cast_precision_loss, reason = "a rate to be shown")]
    fn of_push(run: &PushRun, now: Timestamp) -> Self {
        let progress = run.progress;
        let changed = progress.added + progress.removed;
        let seconds = run.started_at.map(|started| {
            let until = run.finished_at.unwrap_or(now);
            until.since(started).as_secs_f64()
        });
        let rate = seconds.filter(|seconds| *seconds > 0.0);
        let rate = rate.map(|seconds| progress.processed as f64 / seconds);
        Self {
            total: progress.total,
            processed: progress.processed.max(changed + progress.skipped),
            created: 0,
            updated: changed,
            unchanged: progress
                .processed
                .saturating_sub(changed + progress.skipped),
            skipped: progress.skipped,
            members_added: progress.added,
            members_removed: progress.removed,
            pages: progress.pages,
            profiles_per_second: rate.map(|rate| (rate * 10.0).round() / 10.0),
            eta_seconds: None,
        }
    }

    fn of(run: &SyncRun, now: Timestamp) -> Self {
        let progress = run.progress;
        Self {
            total: progress.total,
            processed: progress.tally.processed,
            created: progress.tally.created,
            updated: progress.tally.updated,
            unchanged: progress.tally.unchanged,
            skipped: progress.tally.skipped,
            members_added: progress.members_added,
            members_removed: progress.members_removed,
            pages: progress.pages,
            profiles_per_second: run
                .profiles_per_second(now)
                .map(|rate| (rate * 10.0).round() / 10.0),
            eta_seconds: run.eta_seconds(now),
        }
    }
}

/// A record that was not taken as it was. It holds nothing of the record itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncIssue)]
pub(crate) struct Issue {
    /// Klaviyo's id of the profile.
    profile_id: String,
    #[schema(example = "invalid_phone")]
    code: &'static str,
    /// The attribute that it is about, by Klaviyo's name, if it is one alone.
    #[schema(example = "phone_number")]
    field: Option<&'static str>,
    message: &'static str,
    at: Time,
}

impl From<fanfare_domain::issue::Issue> for Issue {
    fn from(issue: fanfare_domain::issue::Issue) -> Self {
        Self {
            profile_id: issue.profile.to_string(),
            code: issue.kind.code.as_str(),
            field: issue.kind.field.map(fanfare_domain::issue::Field::as_str),
            message: issue.kind.code.message(),
            at: Time(issue.at),
        }
    }
}
