//! Work of kind `KEPT_LIST`: a Klaviyo list is made what the audience is that is kept in it.
//!
//! A slice claims the work and makes steps until nothing is to be done; the work stays in the queue, due at the next reading of
//! all members, for as long as the audience is followed. A step of a push compares some people with the list's ledger in one
//! unit, which writes down whom it is adding and removing, makes the calls, and keeps in another unit what has become of them,
//! with the position behind them. A worker that dies between the two leaves rows that say so: they are written again, and a list
//! takes the same member twice.

mod calls;
mod counting;
mod importing;
mod scanning;
mod step;
mod unlinked;
mod writing;

use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Span, info_span, warn};

use super::Engine;
use super::drain::Drain;
use super::due_work::LOOK_INTERVAL;
use super::lease::Lease;
use super::slice_end::SliceEnd;
use crate::error::Error;
use crate::integration::Integration;

/// How many people are compared in one step, and how many are in one call at most.
const AT_ONCE: u32 = 1_000;

/// A wait that is so short that the worker keeps the lease.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// How long work rests that cannot be continued because of a fault of ours or of the master key.
const REST: Duration = Duration::from_mins(5);

pub(super) fn span(work: &WorkItem) -> Span {
    info_span!(
        "job.keep_list",
        processor = "klaviyo/keep-list",
        organizationId = %work.organization,
        audienceId = %work.key.id.as_audience(),
    )
}

/// Keeps a list for one slice, in its [`span`].
pub(super) async fn work(
    engine: &Engine,
    work: &WorkItem,
    stop: &CancellationToken,
) -> Result<SliceEnd, Error> {
    let integration = &engine.integration;
    let Some(lease) = Lease::claim(integration, work, engine.pace.lease, stop).await? else {
        return Ok(SliceEnd::NotDue);
    };
    let mut slice = Slice {
        engine,
        integration,
        lease: &lease,
        connection: None,
        began: Instant::now(),
        looked_at: Instant::now(),
        drain: Drain::default(),
        is_first_step: true,
    };
    let end = match slice.work_until(stop).await {
        Err(error) if !error.is_transient() => {
            warn!(
                error = &error as &dyn std::error::Error,
                "a list cannot be kept; trying again in some minutes"
            );
            slice.rest(integration.now().plus(REST)).await
        }
        other => other,
    };
    if let Err(error) = &end {
        lease.release_when_possible(error, stop).await;
    }
    end
}

struct Slice<'a> {
    engine: &'a Engine,
    integration: &'a Integration,
    lease: &'a Lease<'a>,
    /// The connection that was opened last, which is opened anew when its key has changed.
    connection: Option<OpenConnection>,
    began: Instant,
    looked_at: Instant,
    drain: Drain,
    /// Whether the push that is under way was not claimed by this slice yet.
    is_first_step: bool,
}

/// What follows from a step.
enum Step {
    /// The next step.
    Continue,
    /// The slice is over.
    End(SliceEnd),
}

impl Step {
    const OVERTAKEN: Self = Self::End(SliceEnd::Overtaken);
    const LEFT: Self = Self::End(SliceEnd::Finished(SyncStatus::Success));
}

impl Slice<'_> {
    async fn work_until(&mut self, stop: &CancellationToken) -> Result<SliceEnd, Error> {
        loop {
            if stop.is_cancelled() || self.is_time_up().await? {
                return Ok(if self.lease.release().await? {
                    SliceEnd::Yielded
                } else {
                    SliceEnd::Overtaken
                });
            }
            if let Step::End(end) = self.step(stop).await? {
                return Ok(end);
            }
        }
    }

    /// Gives the work back until this time.
    async fn rest(&self, until: Timestamp) -> Result<SliceEnd, Error> {
        let mut unit = self.integration.begin(self.lease.organization()).await?;
        if !self.lease.release_in(unit.as_mut(), Some(until)).await? {
            return Ok(SliceEnd::Overtaken);
        }
        unit.commit().await?;
        Ok(SliceEnd::Paused(until))
    }

    /// Whether this worker should leave the work for other work that is due, as for a run.
    async fn is_time_up(&mut self) -> Result<bool, Error> {
        let is_over = self.began.elapsed() >= self.engine.pace.slice;
        if !is_over && self.looked_at.elapsed() < LOOK_INTERVAL {
            return Ok(false);
        }
        self.looked_at = Instant::now();
        let due_work = &self.engine.due_work;
        if !is_over {
            return Ok(due_work.preempts(self.lease.organization()).await?);
        }
        if due_work.is_any().await? {
            return Ok(true);
        }
        self.began = Instant::now();
        Ok(false)
    }
}
