//! The log lines of a run's life: one when it starts, pauses, is resumed or ends.

use std::time::Duration;

use fanfare_domain::run::{SourceRun, SyncRun};
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::Waiting;
use tracing::{info, info_span};

/// Logs that a worker has taken the run up.
pub(crate) fn log_claimed(run: &SourceRun, now: Timestamp) {
    let has_lost_its_checkpoint = run.has_lost_its_checkpoint();
    let run = run.run();
    let verb = if has_lost_its_checkpoint {
        "begun anew"
    } else if run.progress.pages == 0 && run.attempt <= 1 {
        "started"
    } else {
        "resumed"
    };
    line(run, now, verb, None);
}

/// Logs that the run waits without a worker.
pub(crate) fn log_paused(run: &SyncRun, now: Timestamp, waiting: Waiting) {
    line(run, now, "paused", Some(waiting));
}

/// Logs that the run has ended.
pub(crate) fn log_ended(run: &SyncRun) {
    line(run, run.finished_at.unwrap_or(run.queued_at), "ended", None);
}

/// Logs that the request that is being handled has cancelled runs.
pub(crate) fn log_cancelled<'a>(runs: impl IntoIterator<Item = &'a SyncRun>) {
    for run in runs {
        let span = info_span!(
            "run.cancelled",
            organizationId = %run.organization,
            runId = %run.id,
            syncSourceId = %run.source,
        );
        span.in_scope(|| log_ended(run));
    }
}

fn line(run: &SyncRun, now: Timestamp, verb: &str, waiting: Option<Waiting>) {
    let tally = run.progress.tally;
    info!(
        status = %run.status,
        code = run.error.as_ref().map(|error| error.code.as_str()),
        attempt = run.attempt,
        why = waiting.map(|waiting| waiting.why.as_str()),
        waitMs = waiting.map(|waiting| millis(waiting.until.since(now))),
        total = run.progress.total,
        processed = tally.processed,
        created = tally.created,
        updated = tally.updated,
        unchanged = tally.unchanged,
        skipped = tally.skipped,
        membersAdded = run.progress.members_added,
        membersRemoved = run.progress.members_removed,
        pages = run.progress.pages,
        durationMs = run.started_at.map_or(0, |started| millis(now.since(started))),
        "run {verb}"
    );
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
