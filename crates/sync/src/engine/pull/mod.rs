//! Work of kind `PULL`: a sync run reads a Klaviyo list or segment.
//!
//! A slice claims the run, does steps until its time is up, and gives the run back. Each step calls Klaviyo
//! first; then one unit of work renews the lease, writes the result of the step and saves the run with its
//! checkpoint. While pages are written, the next ones are requested.

mod beside;
mod changes;
mod comparing;
mod failed_calls;
mod fetching;
mod opening;
mod reading;
mod reconciling;
mod seen;
mod slice;
mod unreadable;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::StoreError;
use fanfare_domain::run::SourceRun;
use fanfare_domain::waiting::{WaitReason, Waiting};
use fanfare_domain::work::WorkItem;
use tokio_util::sync::CancellationToken;
use tracing::{Span, error, info_span};

use super::Engine;
use super::lease::Lease;
use super::slice_end::SliceEnd;
use crate::error::Error;
use crate::log::{log_claimed, log_ended};
use crate::saving::{load_run, save_run};

use beside::Beside;
use slice::ActiveSlice;

/// How long a run waits for its turn that may not be worked on beside another one.
const TURN: Duration = Duration::from_secs(3);

pub(super) fn span(work: &WorkItem) -> Span {
    info_span!(
        "job.sync_list",
        processor = "klaviyo/sync-list",
        organizationId = %work.organization,
        runId = %work.key.id,
        syncSourceId = tracing::field::Empty,
    )
}

/// Works on a run for one slice, in its [`span`].
pub(super) async fn work(
    engine: &Engine,
    work: &WorkItem,
    stop: &CancellationToken,
) -> Result<SliceEnd, Error> {
    let integration = &engine.integration;
    let (run, lease, _beside) = match claim(engine, work, stop).await? {
        Claimed::Run(run, lease, beside) => (*run, lease, beside),
        Claimed::Nothing(end) => return Ok(end),
    };
    Span::current().record("syncSourceId", run.source().id.as_str());
    if !run.is_active() {
        log_ended(run.run());
        return Ok(SliceEnd::Finished(run.run().status));
    }
    log_claimed(&run, integration.now());
    let end = match work_claimed(engine, &lease, run, stop).await {
        Err(error) if !error.is_transient() => fail_run(&lease, &error).await,
        other => other,
    };
    if let Err(error) = &end {
        lease.release_when_possible(error, stop).await;
    }
    end
}

/// What a claim has brought.
enum Claimed<'a> {
    /// The run, its lease, and what it is worked on beside.
    Run(Box<SourceRun>, Lease<'a>, Beside<'a>),
    /// No run to work on: it is not due, has ended, is leased to another worker, has to wait for its turn beside a suspected
    /// one, or cannot be read.
    Nothing(SliceEnd),
}

/// Takes the run's lease.
async fn claim<'a>(
    engine: &'a Engine,
    work: &WorkItem,
    stop: &CancellationToken,
) -> Result<Claimed<'a>, Error> {
    let (integration, pace) = (&engine.integration, engine.pace);
    let mut unit = integration.begin(&work.organization).await?;
    let mut run = match load_run(unit.as_mut(), &work.key.id.as_run()).await {
        Ok(Some(run)) if run.is_active() && !run.run().is_newer => run,
        Ok(Some(run)) if run.is_active() => {
            let newer = StoreError::Newer("the run".to_owned());
            return unreadable::leave_or_end(integration, pace, unit, work, &newer).await;
        }
        Ok(_) => return Ok(Claimed::Nothing(SliceEnd::NotDue)),
        Err(Error::Store(error)) if error.is_unreadable() => {
            return unreadable::leave_or_end(integration, pace, unit, work, &error).await;
        }
        Err(error) => return Err(error),
    };
    let Some(claim) = unit.claim(&work.key, pace.lease).await? else {
        return Ok(Claimed::Nothing(SliceEnd::NotDue));
    };
    run.claim(claim.abandoned, integration.now())?;
    let Ok(beside) = Beside::enter(&engine.suspected, &run) else {
        // In this unit, so that it has no lease if the process dies while it waits: it would count a crash.
        let until = integration.now().plus(TURN);
        let why = WaitReason::Turn;
        unit.release(&work.key, claim.token, Some(until)).await?;
        run.give_back(false, Waiting { until, why });
        save_run(unit.as_mut(), &run).await?;
        unit.commit().await?;
        return Ok(Claimed::Nothing(SliceEnd::Paused(until)));
    };
    save_run(unit.as_mut(), &run).await?;
    let lease = Lease::new(integration, work.clone(), claim.token, pace.lease);
    if let Err(error) = unit.commit().await.map_err(Error::from) {
        // The unit may have been committed nevertheless.
        lease.release_when_possible(&error, stop).await;
        return Err(error);
    }
    Ok(Claimed::Run(Box::new(run), lease, beside))
}

async fn work_claimed<'a>(
    engine: &'a Engine,
    lease: &'a Lease<'a>,
    run: SourceRun,
    stop: &'a CancellationToken,
) -> Result<SliceEnd, Error> {
    let integration = lease.integration;
    let connection = integration.open_connection(lease.organization()).await?;
    let mut slice = ActiveSlice::new(engine, lease, run, Arc::new(connection));
    slice.work_until(stop).await
}

/// Fails a run that no worker can continue: the Klaviyo key is missing or cannot be decrypted, or this program
/// has a defect.
async fn fail_run(lease: &Lease<'_>, why: &Error) -> Result<SliceEnd, Error> {
    error!(
        error = why as &dyn std::error::Error,
        "the run cannot be continued"
    );
    let (code, message) = match why {
        Error::KeyNotFound | Error::Seal(_) => (
            FailureCode::KeyInvalid,
            "The stored Klaviyo API key cannot be read. Connect Klaviyo again, then sync.",
        ),
        // Erased people would come back if they could not be recognized.
        Error::ErasureKey(_) => (
            FailureCode::Internal,
            "The key by which erased people are recognized does not open with this service's master key, so nothing \
             is read. Tell support.",
        ),
        _ => (
            FailureCode::Internal,
            "A fault of ours stopped the sync. What was read so far was kept; tell support, then sync again.",
        ),
    };
    let Some(mut unit) = lease.begin().await? else {
        return Ok(SliceEnd::Overtaken);
    };
    // The run as it was last committed: changes since then are dropped.
    let id = lease.work.key.id.as_run();
    let mut run = match load_run(unit.as_mut(), &id).await {
        Ok(Some(run)) => run,
        Ok(None) => return Ok(SliceEnd::Overtaken),
        Err(Error::Store(error)) if error.is_unreadable() => {
            return unreadable::end(lease.integration, unit, &id).await;
        }
        Err(error) => return Err(error),
    };
    run.fail(code, message, lease.integration.now())?;
    save_run(unit.as_mut(), &run).await?;
    unit.commit().await?;
    log_ended(run.run());
    Ok(SliceEnd::Finished(run.run().status))
}
