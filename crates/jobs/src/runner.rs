//! The runner: listens until it is told to stop, then drains.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::WorkQueue;
use fanfare_sync::Integration;
use fanfare_sync::engine::Pace;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::heartbeat::Heartbeat;
use crate::listener::Listener;
use crate::maintenance::{delete_old_jobs, reap};
use crate::queue::{Queue, QueueError};
use crate::slots::Slots;

/// How a runner works.
#[derive(Debug, Clone, Copy)]
pub struct RunnerOptions {
    /// Slices at once.
    pub slots: usize,
    /// How long things may take.
    pub pace: Pace,
    /// How long slices may take to finish their page when the runner is told to stop.
    pub grace: Duration,
    /// A queue without a heartbeat for so long is listened to anew, over other connections: on those it has,
    /// no answer may ever come.
    pub heartbeat_timeout: Duration,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            slots: 16,
            pace: Pace::default(),
            grace: Duration::from_secs(25),
            heartbeat_timeout: Duration::from_secs(45),
        }
    }
}

/// Why a runner ended without having been told to.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The queue failed again and again.
    #[error("the job queue failed {0} times in a row; see the log for why")]
    QueueLost(u32, #[source] QueueError),
}

/// Failures in a row before the process gives up and leaves the rest to whoever restarts it: with the
/// waits between them, a database that is away for about ten minutes.
const MAX_FAILURES: u32 = 20;

const LONGEST_BACKOFF: Duration = Duration::from_secs(32);

/// A queue that has listened for so long has recovered.
const RECOVERED: Duration = Duration::from_mins(1);

/// Works runs until it is told to stop.
pub struct Runner {
    queue: Arc<dyn Queue>,
    work_queue: Arc<dyn WorkQueue>,
    integration: Integration,
    options: RunnerOptions,
    heartbeat: Heartbeat,
}

impl Runner {
    /// A runner of these use cases' runs.
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

    /// Works until `stop`; then takes nothing more, lets every slice finish its page and give its run
    /// back, and returns `Ok`. A slice that takes longer than the grace is ended where it stands,
    /// and its run taken up when its lease has run out.
    ///
    /// Nothing of it goes on after it has returned, but for telling the ledger of a `Retry-After` while the
    /// store is away.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunnerError> {
        let RunnerOptions {
            slots, pace, grace, ..
        } = self.options;
        // Ours, for a lost queue ends the slices too. Whoever drops this future ends them likewise.
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
            never = delete_old_jobs(self.queue.as_ref()) => match never {},
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

    /// Listens again whenever the queue fails, later each time.
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
            failures = if begun.elapsed() > RECOVERED {
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

    /// Listens for as long as the queue is answered.
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
