//! One slice: claim, step after step, give back.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::{DueRun, StoreError, UnitOfWork};
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use fanfare_domain::walk::Phase;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info, info_span, warn};

use super::lease::Lease;
use super::{Pace, SliceEnd};
use crate::error::Error;
use crate::integration::{Integration, OpenConnection};

/// A run that this worker has.
pub(super) struct Held<'a> {
    pub(super) integration: &'a Integration,
    pub(super) lease: Lease<'a>,
    pub(super) pace: Pace,
    pub(super) run: SyncRun,
    pub(super) source: CollectionSource,
    pub(super) connection: OpenConnection,
}

/// What a step led to.
pub(super) enum Step {
    /// On to the next.
    Go,
    /// The run waits until then.
    Pause(Timestamp, &'static str),
    /// The run ended, and was saved so.
    Ended,
    /// The lease is somebody else's.
    Lost,
}

pub(super) async fn work(
    integration: &Integration,
    pace: Pace,
    due: &DueRun,
    stop: &CancellationToken,
) -> Result<SliceEnd, Error> {
    let span = info_span!(
        "job.sync_list",
        processor = "klaviyo/sync-list",
        organizationId = %due.organization,
        runId = %due.run,
        syncSourceId = tracing::field::Empty,
    );
    async {
        let Some((run, source, lease)) = claim(integration, pace, due).await? else {
            return Ok(SliceEnd::NotDue);
        };
        tracing::Span::current().record("syncSourceId", source.id.as_str());
        if !run.status.is_active() {
            log_end(&run);
            return Ok(SliceEnd::Finished(run.status));
        }
        log_claim(&run);
        let connection = match integration.open_connection(&due.organization).await {
            Ok(connection) => connection,
            Err(Error::Store(error)) => {
                give_back_when_possible(&lease, &error).await;
                return Err(error.into());
            }
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "the Klaviyo key cannot be used"
                );
                return give_up(&lease, run, source).await;
            }
        };
        let mut held = Held {
            integration,
            lease,
            pace,
            run,
            source,
            connection,
        };
        match held.work_until(stop).await {
            Err(Error::Store(error)) => {
                give_back_when_possible(&held.lease, &error).await;
                Err(error.into())
            }
            other => other,
        }
    }
    .instrument(span)
    .await
}

async fn claim<'a>(
    integration: &'a Integration,
    pace: Pace,
    due: &DueRun,
) -> Result<Option<(SyncRun, CollectionSource, Lease<'a>)>, Error> {
    let mut unit = integration.begin(&due.organization).await?;
    let Some(mut run) = unit
        .run(&due.run)
        .await?
        .filter(|run| run.status.is_active())
    else {
        return Ok(None);
    };
    let Some(claim) = unit.claim(&run.id, pace.lease).await? else {
        return Ok(None);
    };
    let Some(source) = unit.source(&run.source).await? else {
        return Ok(None);
    };
    if run.started_at.is_none() {
        run.members_at_start = unit.member_count(&run.audience).await?;
    }
    run.claim(claim.abandoned, integration.now())?;
    let source = save(unit.as_mut(), &run, source, integration.now()).await?;
    unit.commit().await?;
    let lease = Lease {
        integration,
        organization: due.organization.clone(),
        run: run.id.clone(),
        token: claim.token,
        length: pace.lease,
    };
    Ok(Some((run, source, lease)))
}

/// Writes a run and lets its source follow: the statuses never disagree.
pub(super) async fn save(
    unit: &mut dyn UnitOfWork,
    run: &SyncRun,
    mut source: CollectionSource,
    now: Timestamp,
) -> Result<CollectionSource, Error> {
    source.follow(run, now);
    unit.save_run(run).await?;
    unit.put_source(&source).await?;
    Ok(source)
}

/// Fails a run whose key is gone or does not open.
async fn give_up(
    lease: &Lease<'_>,
    mut run: SyncRun,
    source: CollectionSource,
) -> Result<SliceEnd, Error> {
    let now = lease.integration.now();
    let Some(mut unit) = lease.begin().await? else {
        return Ok(SliceEnd::Overtaken);
    };
    let message = "The stored Klaviyo API key cannot be read. Connect Klaviyo again, then sync.";
    run.fail(FailureCode::KeyInvalid, message, now)?;
    save(unit.as_mut(), &run, source, now).await?;
    unit.commit().await?;
    log_end(&run);
    Ok(SliceEnd::Finished(run.status))
}

impl Held<'_> {
    async fn work_until(&mut self, stop: &CancellationToken) -> Result<SliceEnd, Error> {
        let mut began = Instant::now();
        loop {
            if stop.is_cancelled() {
                return self.give_back(None).await;
            }
            if began.elapsed() >= self.pace.slice {
                if self
                    .integration
                    .ports
                    .due_runs
                    .is_any_waiting(&self.run.id)
                    .await?
                {
                    return self.give_back(None).await;
                }
                // Nobody waits: the next slice begins here, with the key that is stored now.
                let organization = &self.lease.organization;
                self.connection = self.integration.open_connection(organization).await?;
                began = Instant::now();
            }
            match self.step().await? {
                Step::Go => {}
                Step::Pause(until, why) => {
                    let end = self.give_back(Some(until)).await?;
                    log_pause(&self.run, until.since(self.integration.now()), why);
                    return Ok(end);
                }
                Step::Ended => {
                    log_end(&self.run);
                    self.forget_sightings().await;
                    return Ok(SliceEnd::Finished(self.run.status));
                }
                Step::Lost => {
                    info!("the run was cancelled or is another worker's by now");
                    return Ok(SliceEnd::Overtaken);
                }
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Error> {
        match self.run.checkpoint.phase.clone() {
            Phase::Opening => self.open().await,
            Phase::Reading => self.read_page().await,
            Phase::Adding(after) => self.add_members(after).await,
            Phase::Removing(after) => self.remove_members(after).await,
        }
    }

    /// Gives the run back: due at once, or at `until`.
    async fn give_back(&mut self, until: Option<Timestamp>) -> Result<SliceEnd, Error> {
        let now = self.integration.now();
        let mut unit = self.integration.begin(&self.lease.organization).await?;
        let due = until.unwrap_or(now);
        if !unit.release(&self.run.id, self.lease.token, due).await? {
            return Ok(SliceEnd::Overtaken);
        }
        self.run.yielded();
        unit.save_run(&self.run).await?;
        unit.commit().await?;
        Ok(until.map_or(SliceEnd::Yielded, SliceEnd::Paused))
    }

    /// Ends the run in `FAILED`.
    pub(super) async fn fail(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        code: FailureCode,
        message: String,
    ) -> Result<Step, Error> {
        let now = self.integration.now();
        self.run.fail(code, message, now)?;
        save(unit.as_mut(), &self.run, self.source.clone(), now).await?;
        unit.commit().await?;
        Ok(Step::Ended)
    }

    /// Housekeeping after the end: nobody waits for it, and a failure is made up for by the next
    /// run of the organization.
    async fn forget_sightings(&self) {
        let forget = async {
            loop {
                let mut unit = self.integration.begin(&self.lease.organization).await?;
                let forgotten = unit.forget_sightings(self.pace.window).await?;
                unit.commit().await?;
                if forgotten == 0 {
                    return Ok::<(), Error>(());
                }
            }
        };
        if let Err(error) = forget.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "old sightings could not be deleted"
            );
        }
    }
}

/// Tries to release the lease while the database comes back, so that its absence is not taken for
/// this worker's death.
async fn give_back_when_possible(lease: &Lease<'_>, error: &StoreError) {
    if !error.is_transient() {
        return;
    }
    warn!(
        error = error as &dyn std::error::Error,
        "the database is away; giving the run back"
    );
    let integration = lease.integration;
    for _ in 0..60 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let released = async {
            let mut unit = integration.begin(&lease.organization).await?;
            unit.release(&lease.run, lease.token, integration.now())
                .await?;
            unit.commit().await
        };
        if released.await.is_ok() {
            return;
        }
    }
}

fn log_claim(run: &SyncRun) {
    let tally = run.progress.tally;
    let verb = if run.progress.pages == 0 && run.attempt <= 1 {
        "started"
    } else {
        "resumed"
    };
    info!(
        attempt = run.attempt,
        processed = tally.processed,
        pages = run.progress.pages,
        "run {verb}"
    );
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a pause of half a billion years fits"
)]
fn log_pause(run: &SyncRun, wait: Duration, why: &str) {
    info!(
        why,
        waitMs = wait.as_millis() as u64,
        processed = run.progress.tally.processed,
        pages = run.progress.pages,
        "run paused"
    );
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a run of half a billion years fits"
)]
fn log_end(run: &SyncRun) {
    let tally = run.progress.tally;
    let duration = match (run.started_at, run.finished_at) {
        (Some(started), Some(finished)) => finished.since(started),
        _ => Duration::ZERO,
    };
    info!(
        status = %run.status,
        code = run.error.as_ref().map(|error| error.code.as_str()),
        processed = tally.processed,
        created = tally.created,
        updated = tally.updated,
        unchanged = tally.unchanged,
        skipped = tally.skipped,
        membersAdded = run.progress.members_added,
        membersRemoved = run.progress.members_removed,
        pages = run.progress.pages,
        durationMs = duration.as_millis() as u64,
        "run ended"
    );
    debug_assert!(matches!(
        run.status,
        SyncStatus::Success | SyncStatus::Failed
    ));
}
