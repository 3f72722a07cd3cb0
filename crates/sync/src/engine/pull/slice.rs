//! A slice of a claimed run: step after step, until the run has ended or other work is due.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::pass::Phase;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::run::SourceRun;
use fanfare_domain::time::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::engine::lease::Lease;
use crate::engine::{Pace, SliceEnd};
use crate::error::Error;
use crate::integration::Integration;
use crate::log::{Pause, log_ended, log_paused};
use crate::saving::save_run;

/// A run that this worker has claimed.
pub(super) struct ActiveSlice<'a> {
    pub(super) integration: &'a Integration,
    pub(super) lease: &'a Lease<'a>,
    pub(super) pace: Pace,
    pub(super) run: SourceRun,
    pub(super) connection: Arc<OpenConnection>,
    /// Whether a step was committed since the claim.
    has_progress: bool,
    /// When this slice began, or the one that followed it because no other work was due.
    began: Instant,
    /// When the worker last looked for other work.
    looked: Instant,
}

/// How often a worker looks for work of an organization with fewer leases.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What a step led to.
pub(super) enum Step {
    /// On to the next.
    Continue,
    /// On to the next in another slice, with the key that is stored then.
    Yield,
    /// The run waits until then.
    Pause(Timestamp, &'static str),
    /// The run ended, and was saved so.
    Ended,
    /// The lease is another worker's.
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

impl<'a> ActiveSlice<'a> {
    pub(super) fn new(
        lease: &'a Lease<'a>,
        pace: Pace,
        run: SourceRun,
        connection: Arc<OpenConnection>,
    ) -> Self {
        Self {
            integration: lease.integration,
            lease,
            pace,
            run,
            connection,
            has_progress: false,
            began: Instant::now(),
            looked: Instant::now(),
        }
    }

    pub(super) async fn work_until(
        &mut self,
        stop: &'a CancellationToken,
    ) -> Result<SliceEnd, Error> {
        loop {
            if stop.is_cancelled() {
                return self.give_back(None).await;
            }
            match self.step(stop).await? {
                Step::Continue => {}
                Step::Yield => return self.give_back(None).await,
                Step::Pause(until, why) => {
                    let end = self.give_back(Some(until)).await?;
                    let now = self.integration.now();
                    let wait = until.since(now);
                    log_paused(self.run.run(), now, &Pause { why, wait });
                    return Ok(end);
                }
                Step::Ended => {
                    log_ended(self.run.run());
                    self.delete_seen_profiles().await;
                    return Ok(SliceEnd::Finished(self.run.run().status));
                }
                Step::Lost => {
                    // The next claim must not count a crash: this worker lives.
                    if self.lease.release().await? {
                        info!("the lease ran out, and no worker has taken the run; giving it back");
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

    async fn step(&mut self, stop: &'a CancellationToken) -> Result<Step, Error> {
        match self.run.run().pass.phase().clone() {
            Phase::Opening => self.open(stop).await,
            Phase::Reading(_) => self.read(stop).await,
            Phase::AddingMembers { after } => self.add_members(after).await,
            Phase::CheckingRemovals => self.check_removals().await,
            Phase::RemovingMembers { after } => self.remove_members(after).await,
        }
    }

    /// Whether this worker is to leave the run for other work that is due: for any after its slice, and
    /// before for work of an organization with fewer leases.
    pub(super) async fn is_time_up(&mut self) -> Result<bool, Error> {
        let is_over = self.began.elapsed() >= self.pace.slice;
        if !is_over && self.looked.elapsed() < LOOK_INTERVAL {
            return Ok(false);
        }
        self.looked = Instant::now();
        let organization = self.lease.organization();
        let queue = &self.integration.ports.work_queue;
        let next = queue.next().await?;
        if !is_over {
            let Some(next) = next else {
                return Ok(false);
            };
            return Ok(next.should_preempt(queue.leased(organization).await?));
        }
        if next.is_some() {
            return Ok(true);
        }
        // No other work is due: the next slice begins here, with the key that is stored now.
        self.connection = Arc::new(self.integration.open_connection(organization).await?);
        self.began = Instant::now();
        Ok(false)
    }

    /// Saves what a step made of the run, and commits everything that the step wrote.
    pub(super) async fn commit_step(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
    ) -> Result<Step, Error> {
        save_run(unit.as_mut(), &self.run).await?;
        unit.commit().await?;
        if self.run.is_active() {
            Ok(Step::Continue)
        } else {
            Ok(Step::Ended)
        }
    }

    /// Notes that a step was done since the claim.
    pub(super) const fn mark_progress(&mut self) {
        self.has_progress = true;
    }

    /// Gives the run back: due at once, or at `until`.
    async fn give_back(&mut self, until: Option<Timestamp>) -> Result<SliceEnd, Error> {
        let mut unit = self.integration.begin(self.lease.organization()).await?;
        if !self.lease.release_in(unit.as_mut(), until).await? {
            return Ok(SliceEnd::Overtaken);
        }
        self.run.give_back(self.has_progress);
        save_run(unit.as_mut(), &self.run).await?;
        unit.commit().await?;
        Ok(until.map_or(SliceEnd::Yielded, SliceEnd::Paused))
    }

    /// Deletes what ended runs of the organization have seen. Nothing waits for it, and the end of the
    /// organization's next run makes up for a failure.
    async fn delete_seen_profiles(&self) {
        let delete = async {
            loop {
                let mut unit = self.integration.begin(self.lease.organization()).await?;
                let deleted = unit.delete_seen_profiles(self.pace.batch).await?;
                unit.commit().await?;
                if deleted == 0 {
                    return Ok::<(), Error>(());
                }
            }
        };
        if let Err(error) = delete.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "what ended runs have seen could not be deleted"
            );
        }
    }
}
