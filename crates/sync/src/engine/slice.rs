//! One slice: claim, step after step, give back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::{DueRun, StoreError, UnitOfWork};
use fanfare_domain::run::SyncRun;
use fanfare_domain::scan::Phase;
use fanfare_domain::source::CollectionSource;
use fanfare_domain::time::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};

use super::lease::Lease;
use super::{Pace, SliceEnd};
use crate::error::Error;
use crate::integration::Integration;
use crate::log::{Pause, log_claimed, log_ended, log_paused};

/// A run that this worker has.
pub(super) struct ActiveSlice<'a> {
    pub(super) integration: &'a Integration,
    pub(super) lease: &'a Lease<'a>,
    pub(super) pace: Pace,
    pub(super) run: SyncRun,
    pub(super) source: CollectionSource,
    pub(super) connection: Arc<OpenConnection>,
    /// Whether a step was committed since the claim.
    pub(super) has_progress: bool,
    /// When this slice, or the one that followed it for want of others, began.
    began: Instant,
    /// When it last looked for others.
    looked: Instant,
}

/// How often a worker looks whether somebody who holds fewer runs waits.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a step led to.
pub(super) enum Step {
    /// On to the next.
    Go,
    /// On to the next in another slice, with the key that is stored then.
    Yield,
    /// The run waits until then.
    Pause(Timestamp, &'static str),
    /// The run ended, and was saved so.
    Ended,
    /// The lease is somebody else's.
    Lost,
}

impl Step {
    /// What two steps that are done beside each other lead to: the longest pause.
    pub(super) fn after(self, other: Option<Self>) -> Self {
        match (self, other) {
            (Self::Pause(one, why), Some(Self::Pause(two, _))) => Self::Pause(one.max(two), why),
            (Self::Yield, Some(other)) => other,
            (this, _) => this,
        }
    }
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
        let Some((run, source, lease)) = claim(integration, pace, due, stop).await? else {
            return Ok(SliceEnd::NotDue);
        };
        tracing::Span::current().record("syncSourceId", source.id.as_str());
        if !run.status.is_active() {
            log_ended(&run);
            return Ok(SliceEnd::Finished(run.status));
        }
        log_claimed(&run, integration.now());
        let end = match work_claimed(&lease, pace, run, source, stop).await {
            Err(error) if !error.is_transient() => give_up(&lease, &error).await,
            other => other,
        };
        if let Err(error) = &end {
            give_back_when_possible(&lease, error, stop).await;
        }
        end
    }
    .instrument(span)
    .await
}

async fn claim<'a>(
    integration: &'a Integration,
    pace: Pace,
    due: &DueRun,
    stop: &CancellationToken,
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
    if run.started_at.is_none() || run.has_lost_its_checkpoint() {
        run.members_at_start = unit.member_count(&run.audience).await?;
    }
    run.claim(claim.abandoned, integration.now())?;
    let source = save(unit.as_mut(), &run, source, integration.now()).await?;
    let lease = Lease {
        integration,
        organization: due.organization.clone(),
        run: run.id.clone(),
        token: claim.token,
        length: pace.lease,
        renewed_at: Mutex::new(Instant::now()),
    };
    if let Err(error) = unit.commit().await.map_err(Error::from) {
        // It may have been committed all the same.
        give_back_when_possible(&lease, &error, stop).await;
        return Err(error);
    }
    Ok(Some((run, source, lease)))
}

async fn work_claimed<'a>(
    lease: &'a Lease<'a>,
    pace: Pace,
    run: SyncRun,
    source: CollectionSource,
    stop: &'a CancellationToken,
) -> Result<SliceEnd, Error> {
    let integration = lease.integration;
    let mut held = ActiveSlice {
        integration,
        lease,
        pace,
        run,
        source,
        connection: Arc::new(integration.open_connection(&lease.organization).await?),
        has_progress: false,
        began: Instant::now(),
        looked: Instant::now(),
    };
    held.work_until(stop).await
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

/// Fails a run that nobody can work: its key is gone or does not open, or something of ours is
/// broken.
async fn give_up(lease: &Lease<'_>, why: &Error) -> Result<SliceEnd, Error> {
    error!(
        error = why as &dyn std::error::Error,
        "the run cannot be worked"
    );
    let (code, message) = match why {
        Error::KeyNotFound | Error::Seal(_) => (
            FailureCode::KeyInvalid,
            "The stored Klaviyo API key cannot be read. Connect Klaviyo again, then sync.",
        ),
        _ => (
            FailureCode::Internal,
            "A fault of ours stopped the sync. What was read so far was kept; tell support, then sync again.",
        ),
    };
    let Some(mut unit) = lease.begin().await? else {
        return Ok(SliceEnd::Overtaken);
    };
    // As it was last committed, whatever was intended since.
    let Some(mut run) = unit.run(&lease.run).await? else {
        return Ok(SliceEnd::Overtaken);
    };
    let Some(source) = unit.source(&run.source).await? else {
        return Ok(SliceEnd::Overtaken);
    };
    let now = lease.integration.now();
    run.fail(code, message, now)?;
    save(unit.as_mut(), &run, source, now).await?;
    unit.commit().await?;
    log_ended(&run);
    Ok(SliceEnd::Finished(run.status))
}

impl<'a> ActiveSlice<'a> {
    async fn work_until(&mut self, stop: &'a CancellationToken) -> Result<SliceEnd, Error> {
        loop {
            if stop.is_cancelled() {
                return self.give_back(None).await;
            }
            match self.step(stop).await? {
                Step::Go => {}
                Step::Yield => return self.give_back(None).await,
                Step::Pause(until, why) => {
                    let end = self.give_back(Some(until)).await?;
                    let now = self.integration.now();
                    let wait = until.since(now);
                    log_paused(&self.run, now, &Pause { why, wait });
                    return Ok(end);
                }
                Step::Ended => {
                    log_ended(&self.run);
                    self.delete_seen_profiles().await;
                    return Ok(SliceEnd::Finished(self.run.status));
                }
                Step::Lost => {
                    // Whoever takes the run up next must not count a crash: this worker lives.
                    if release(self.lease).await? {
                        info!("the lease ran out, and nobody has taken the run; giving it back");
                    } else {
                        info!("the run was cancelled or is another worker's by now");
                    }
                    return Ok(SliceEnd::Overtaken);
                }
            }
            if self.is_time_up().await? {
                return self.give_back(None).await;
            }
        }
    }

    /// Whether this worker is to leave the run to others that wait: to anybody after its slice, and before
    /// to one of an organization that holds fewer.
    pub(super) async fn is_time_up(&mut self) -> Result<bool, Error> {
        let is_over = self.began.elapsed() >= self.pace.slice;
        if !is_over && self.looked.elapsed() < LOOK_INTERVAL {
            return Ok(false);
        }
        self.looked = Instant::now();
        let organization = &self.lease.organization;
        let due_runs = &self.integration.ports.due_runs;
        let next = due_runs.next().await?;
        if !is_over {
            let Some(next) = next else {
                return Ok(false);
            };
            return Ok(next.should_preempt(due_runs.held(organization).await?));
        }
        if next.is_some() {
            return Ok(true);
        }
        // Nobody waits: the next slice begins here, with the key that is stored now.
        self.connection = Arc::new(self.integration.open_connection(organization).await?);
        self.began = Instant::now();
        Ok(false)
    }

    /// A step was done, so that what went wrong before is forgiven once it is committed.
    pub(super) fn mark_progress(&mut self) {
        self.run.reset_failures();
        self.has_progress = true;
    }

    async fn step(&mut self, stop: &'a CancellationToken) -> Result<Step, Error> {
        match self.run.checkpoint.phase.clone() {
            Phase::Opening => self.open(stop).await,
            Phase::Reading => self.read(stop).await,
            Phase::Adding(after) => self.add_members(after).await,
            Phase::CheckingRemovals => self.check_removals().await,
            Phase::Removing(after) => self.remove_members(after).await,
        }
    }

    /// Gives the run back: due at once, or at `until`.
    async fn give_back(&mut self, until: Option<Timestamp>) -> Result<SliceEnd, Error> {
        let mut unit = self.integration.begin(&self.lease.organization).await?;
        if !unit.release(&self.run.id, self.lease.token, until).await? {
            return Ok(SliceEnd::Overtaken);
        }
        if self.has_progress {
            self.run.yielded();
        }
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
    async fn delete_seen_profiles(&self) {
        let forget = async {
            loop {
                let mut unit = self.integration.begin(&self.lease.organization).await?;
                let forgotten = unit.delete_seen_profiles(self.pace.batch).await?;
                unit.commit().await?;
                if forgotten == 0 {
                    return Ok::<(), Error>(());
                }
            }
        };
        if let Err(error) = forget.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "old seen_profiles could not be deleted"
            );
        }
    }
}

/// Releases the lease as soon as the database is back, so that its absence is not taken for this
/// worker's death. A worker that is to stop tries once more.
async fn give_back_when_possible(lease: &Lease<'_>, error: &Error, stop: &CancellationToken) {
    if !error.is_transient() {
        return;
    }
    warn!(
        error = error as &dyn std::error::Error,
        "the database is away; giving the run back"
    );
    loop {
        let is_last = stop.is_cancelled();
        let pause = tokio::time::sleep(Duration::from_secs(1));
        let _ = stop.run_until_cancelled(pause).await;
        match release(lease).await {
            Err(error) if error.is_transient() && !is_last => {}
            _ => return,
        }
    }
}

/// Gives the run back. `false` if it is no longer ours.
async fn release(lease: &Lease<'_>) -> Result<bool, StoreError> {
    let mut unit = lease.integration.begin(&lease.organization).await?;
    let was_ours = unit.release(&lease.run, lease.token, None).await?;
    unit.commit().await?;
    Ok(was_ours)
}
