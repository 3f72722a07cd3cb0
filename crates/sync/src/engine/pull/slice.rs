//! A slice of a claimed run: the worker does one step after the other, until the run has ended or other work
//! is due.

use std::sync::Arc;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::page::{LookUps, SeenIndex, SeenSet};
use fanfare_domain::pass::Phase;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::run::SourceRun;
use fanfare_domain::search_index::SECTION;
use fanfare_domain::waiting::Waiting;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::engine::Engine;
use crate::engine::due_work::LOOK_INTERVAL;
use crate::engine::lease::Lease;
use crate::engine::pace::Pace;
use crate::engine::slice_end::SliceEnd;
use crate::error::Error;
use crate::integration::Integration;
use crate::log::{log_ended, log_paused};
use crate::saving::save_run;

/// A run that this worker has claimed.
pub(super) struct ActiveSlice<'a> {
    pub(super) integration: &'a Integration,
    pub(super) lease: &'a Lease<'a>,
    pub(super) engine: &'a Engine,
    pub(super) pace: Pace,
    pub(super) run: SourceRun,
    pub(super) connection: Arc<OpenConnection>,
    /// Whether a step was committed since the claim.
    has_progress: bool,
    /// In which stored pages it stands whom the run has seen.
    pub(super) seen: SeenIndex,
    /// Which keys of its pages it looks up.
    pub(super) look_ups: LookUps,
    /// All whom the run has seen, once its members are compared with them.
    pub(super) seen_set: Option<Arc<SeenSet>>,
    /// When the current slice began. A slice follows directly on another if no other work is due.
    began: Instant,
    /// When the worker last looked for other work.
    looked_at: Instant,
}

/// How many sections of new consumers the index of searches leaves out while pages wait to be written. To make one takes as long as to
/// write several pages, so it is put off until no page has arrived; meanwhile a search reads the texts of those
/// consumers, of so many in less than a tenth of a second.
const SECTIONS_LEFT_OUT: u32 = 64;

/// How many sections are made at once where the index leaves out more, so that pages wait for a fraction of a second.
const SECTIONS_AT_ONCE: u32 = 8;

/// What follows from a step.
pub(super) enum Step {
    /// The next step.
    Continue,
    /// The next step in another slice, with the key that is stored then.
    Yield,
    /// The run waits without a worker.
    Pause(Waiting),
    /// The run has ended, and was saved.
    Ended,
    /// The worker no longer holds the lease.
    Lost,
}

impl Step {
    /// What follows from two steps that are done at the same time: of two pauses, the longer one.
    pub(super) fn after(self, other: Option<Self>) -> Self {
        match (self, other) {
            (Self::Pause(one), Some(Self::Pause(two))) if one.until < two.until => Self::Pause(two),
            (Self::Yield, Some(other)) => other,
            (this, _) => this,
        }
    }
}

impl<'a> ActiveSlice<'a> {
    pub(super) fn new(
        engine: &'a Engine,
        lease: &'a Lease<'a>,
        run: SourceRun,
        connection: Arc<OpenConnection>,
    ) -> Self {
        Self {
            integration: lease.integration,
            lease,
            engine,
            pace: engine.pace,
            run,
            connection,
            has_progress: false,
            seen: SeenIndex::default(),
            look_ups: LookUps::default(),
            seen_set: None,
            began: Instant::now(),
            looked_at: Instant::now(),
        }
    }

    pub(super) async fn work_until(
        &mut self,
        stop: &'a CancellationToken,
    ) -> Result<SliceEnd, Error> {
        let mut next = self.gather_seen_profiles().await?;
        loop {
            if stop.is_cancelled() {
                return self.give_back(None).await;
            }
            if let Step::Continue = next {
                next = self.step(stop).await?;
            }
            match std::mem::replace(&mut next, Step::Continue) {
                Step::Continue => {}
                Step::Yield => return self.give_back(None).await,
                Step::Pause(waiting) => {
                    self.count_in_pause(waiting, stop).await;
                    let end = self.give_back(Some(waiting)).await?;
                    log_paused(self.run.run(), self.integration.now(), waiting);
                    self.finish_index().await;
                    return Ok(end);
                }
                Step::Ended => {
                    log_ended(self.run.run());
                    self.delete_seen_pages().await;
                    self.delete_runs_that_found_nothing().await;
                    self.finish_index().await;
                    return Ok(SliceEnd::Finished(self.run.run().status));
                }
                Step::Lost => {
                    // The next claim must not count a crash, because this worker is alive.
                    if self.lease.release().await? {
                        info!(
                            "the lease ran out, and no other worker has claimed the run; giving it back"
                        );
                    } else {
                        info!("the run was cancelled, or another worker has claimed it");
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
            Phase::ReadingChanges(None) => self.decide_on_changes().await,
            Phase::ReadingChanges(Some(scan)) => self.read_changes(&scan, stop).await,
            Phase::ComparingCounts => self.compare_counts(stop).await,
            Phase::AddingMembers { after_page } => self.add_members(after_page, stop).await,
            Phase::CheckingRemovals => self.check_removals().await,
            Phase::RemovingMembers { after } => self.remove_members(after).await,
        }
    }

    /// Whether this worker should leave the run for other work that is due: after its slice for any other work,
    /// before that only for work of an organization with fewer leases.
    pub(super) async fn is_time_up(&mut self) -> Result<bool, Error> {
        let is_over = self.began.elapsed() >= self.pace.slice;
        if !is_over && self.looked_at.elapsed() < LOOK_INTERVAL {
            return Ok(false);
        }
        self.looked_at = Instant::now();
        let organization = self.lease.organization();
        let due_work = &self.engine.due_work;
        if !is_over {
            return Ok(due_work.preempts(organization).await?);
        }
        if due_work.is_any().await? {
            return Ok(true);
        }
        // No other work is due: the next slice begins here, with the key that is stored now.
        self.connection = Arc::new(self.integration.open_connection(organization).await?);
        self.began = Instant::now();
        Ok(false)
    }

    /// Saves the run as a step has changed it, and commits everything that the step wrote.
    pub(super) async fn commit_step(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
    ) -> Result<Step, Error> {
        save_run(unit.as_mut(), &self.run).await?;
        self.integration
            .follow_schedule(unit.as_mut(), &self.run)
            .await?;
        unit.commit().await?;
        if self.run.is_active() {
            Ok(Step::Continue)
        } else {
            Ok(Step::Ended)
        }
    }

    /// Begins the slice's time anew.
    pub(super) fn restart_time(&mut self) {
        self.began = Instant::now();
    }

    /// Records that a step was done since the claim.
    pub(super) const fn mark_progress(&mut self) {
        self.has_progress = true;
    }

    /// Gives the run back, due at once or after a wait.
    async fn give_back(&mut self, waiting: Option<Waiting>) -> Result<SliceEnd, Error> {
        let mut unit = self.integration.begin(self.lease.organization()).await?;
        let until = waiting.map(|waiting| waiting.until);
        if !self.lease.release_in(unit.as_mut(), until).await? {
            return Ok(SliceEnd::Overtaken);
        }
        let waiting = waiting.unwrap_or_else(|| Waiting::for_turn(self.integration.now()));
        self.run.give_back(self.has_progress, waiting);
        save_run(unit.as_mut(), &self.run).await?;
        unit.commit().await?;
        Ok(until.map_or(SliceEnd::Yielded, SliceEnd::Paused))
    }

    /// Counts consumers that pages have written, and brings the index of searches on when it leaves out too many.
    pub(super) async fn index_search(&self, written: usize) {
        let left_out = self.count_unindexed(written);
        if left_out >= (SECTION * SECTIONS_LEFT_OUT) as usize {
            self.bring_index_on(SECTIONS_AT_ONCE).await;
        }
    }

    /// Brings the index of searches on by a section, if one is missing: no page has arrived yet.
    pub(super) async fn index_meanwhile(&self) {
        if self.count_unindexed(0) >= SECTION as usize {
            self.bring_index_on(1).await;
        }
    }

    /// Brings the index of searches up to date while nothing else is to be done.
    async fn finish_index(&self) {
        if self.count_unindexed(0) >= SECTION as usize {
            self.bring_index_on(u32::MAX).await;
        }
    }

    fn count_unindexed(&self, written: usize) -> usize {
        let organization = self.lease.organization();
        self.engine.search_backlog.add(organization, written)
    }

    /// Nothing but the speed of searches depends on it; after a failure, the worker's maintenance does it.
    async fn bring_index_on(&self, sections: u32) {
        let organization = self.lease.organization();
        let indexed = sections.saturating_mul(SECTION) as usize;
        self.engine.search_backlog.take(organization, indexed);
        let indexed = self.integration.index_search(organization, sections);
        if let Err(error) = indexed.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "the index of searches could not be brought on"
            );
        }
    }

    /// Deletes the seen profiles of the organization's runs that have ended. Nothing depends on it; after a
    /// failure, the end of the organization's next run deletes them.
    async fn delete_seen_pages(&self) {
        let delete = async {
            loop {
                let mut unit = self.integration.begin(self.lease.organization()).await?;
                let deleted = unit.delete_seen_pages(self.pace.batch).await?;
                unit.commit().await?;
                if deleted == 0 {
                    return Ok::<(), Error>(());
                }
            }
        };
        if let Err(error) = delete.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "the seen profiles of ended runs could not be deleted"
            );
        }
    }

    /// Of the audience's scheduled runs that found nothing only the latest is kept. Nothing depends on it; after a
    /// failure, the end of the next such run deletes the others.
    async fn delete_runs_that_found_nothing(&self) {
        let run = self.run.run();
        if !run.found_nothing() {
            return;
        }
        let (organization, audience) = (self.lease.organization(), &run.audience);
        let delete = self
            .integration
            .delete_runs_that_found_nothing(organization, audience);
        if let Err(error) = delete.await {
            warn!(
                error = &error as &dyn std::error::Error,
                "scheduled runs that found nothing could not be deleted"
            );
        }
    }
}
