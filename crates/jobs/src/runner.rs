//! The runner: listens until it has to stop, then drains.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::WorkQueue;
use fanfare_sync::Integration;
use fanfare_sync::engine::Pace;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::heartbeat::Heartbeat;
use crate::listener::Listener;
use crate::maintenance::{
    delete_expired, delete_old_jobs, mend_queues, read_back, reap, start_due_syncs,
};
use crate::queue::{Queue, QueueError};
use crate::slots::Slots;

/// The limits and durations of a runner.
#[derive(Debug, Clone, Copy)]
pub struct RunnerOptions {
    /// The most slices that are worked on at the same time.
    pub slots: usize,
    /// The durations and sizes of slices.
    pub pace: Pace,
    /// How long slices may take to finish their page after the runner has to stop.
    pub grace: Duration,
    /// How long a queue may be without a heartbeat. After that the runner listens to it again, over other
    /// connections, because on the present ones an answer may never arrive.
    pub heartbeat_timeout: Duration,
    /// How long ended runs are kept, and what else is kept for a time only.
    pub retention: Duration,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            slots: 32,
            pace: Pace::default(),
            grace: Duration::from_secs(25),
            heartbeat_timeout: Duration::from_secs(45),
            retention: Duration::from_hours(90 * 24),
        }
    }
}

/// Why a runner ended before it was stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The queue failed again and again.
    #[error("the job queue failed {0} times in a row; see the log for why")]
    QueueLost(u32, #[source] QueueError),
}

/// How many failures of the queue in a row end the runner, so that the process ends and its supervisor restarts
/// it. With the waits between them, this is a database that is not available for about ten minutes.
const MAX_FAILURES: u32 = 20;

/// The longest wait between two failures of the queue.
const LONGEST_BACKOFF: Duration = Duration::from_secs(32);

/// How long a queue has to listen until its next failure counts as the first.
const RECOVERY_TIME: Duration = Duration::from_mins(1);

/// Works on runs until it has to stop.
pub struct Runner {
    queue: Arc<dyn Queue>,
    work_queue: Arc<dyn WorkQueue>,
    integration: Integration,
    options: RunnerOptions,
    heartbeat: Heartbeat,
}

impl Runner {
    /// A runner that works on the runs of these use cases.
    pub fn new(
        queue: Arc<dyn Queue>,
        work_queue: Arc<dyn WorkQueue>,
        integration: Integration,
        options: RunnerOptions,
    ) -> Self {
        Self {
            queue,
            work_queue,
            integration,
            options,
            heartbeat: Heartbeat::default(),
        }
    }

    /// Its heartbeat.
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Works until `stop`. Then it takes no more jobs, lets every slice finish its page and give its run back,
    /// and returns `Ok`. A slice that takes longer than the grace period is aborted, and another worker takes
    /// its run up after the lease has run out.
    ///
    /// After it has returned, only one thing may continue: writing a `Retry-After` to the ledger while the store
    /// is not available.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunnerError> {
        let RunnerOptions {
            slots,
            pace,
            grace,
            retention,
            ..
        } = self.options;
        // A token of its own, because a lost queue ends the slices too, as does dropping this future.
        let stop = stop.child_token();
        let _ends_slices = stop.clone().drop_guard();
        let slots = Slots::new(
            self.integration.clone(),
            self.work_queue.clone(),
            pace,
            slots,
            stop.clone(),
        );
        let listener = Listener::new(slots.clone(), self.heartbeat.clone());
        let mut overdue = std::pin::pin!(async {
            stop.cancelled().await;
            tokio::time::sleep(grace).await;
        });

        let ended = tokio::select! {
            ended = self.keep_listening(&listener, &stop) => ended,
            never = reap(self.work_queue.as_ref(), self.queue.reap_interval(), &self.heartbeat) => match never {},
            never = start_due_syncs(&self.integration, self.queue.reap_interval()) => match never {},
            never = mend_queues(&self.integration) => match never {},
            never = delete_expired(&self.integration, retention) => match never {},
            never = delete_old_jobs(self.queue.as_ref()) => match never {},
            never = read_back(&self.integration) => match never {},
            () = &mut overdue => {
                end_all(&slots).await;
                return Ok(());
            }
        };
        stop.cancel();
        tokio::select! {
            () = slots.drained() => {}
            () = &mut overdue => end_all(&slots).await,
        }
        ended
    }

    /// Listens again whenever the queue fails, after a longer wait each time.
    async fn keep_listening(
        &self,
        listener: &Listener,
        stop: &CancellationToken,
    ) -> Result<(), RunnerError> {
        let mut failures = 0;
        loop {
            let begun = Instant::now();
            let Err(error) = self.listen(listener, stop).await else {
                return Ok(());
            };
            if stop.is_cancelled() {
                return Ok(());
            }
            failures = if begun.elapsed() > RECOVERY_TIME {
                1
            } else {
                failures + 1
            };
            tracing::warn!(
                failures,
                error = &error as &dyn std::error::Error,
                "the job queue failed; listening again soon"
            );
            if failures >= MAX_FAILURES {
                return Err(RunnerError::QueueLost(failures, error));
            }
            let wait = Duration::from_secs(1 << failures.min(6)).min(LONGEST_BACKOFF);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Listens until the queue fails or has no heartbeat for too long.
    async fn listen(
        &self,
        listener: &Listener,
        stop: &CancellationToken,
    ) -> Result<(), QueueError> {
        let limit = self.options.heartbeat_timeout;
        tokio::select! {
            ended = self.queue.listen(listener, stop.clone()) => ended,
            () = self.heartbeat.queue_stopped(limit) => Err(QueueError::Timeout(limit)),
        }
    }
}

async fn end_all(slots: &Slots) {
    tracing::warn!("some slices did not finish in time; their leases will run out");
    slots.abort().await;
}
