//! The runner: listens, reaps, tidies, and drains when it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::DueRuns;
use fanfare_sync::Integration;
use fanfare_sync::engine::{Engine, Pace};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::pulse::Pulse;
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
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            slots: 16,
            pace: Pace::default(),
            grace: Duration::from_secs(25),
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

/// Runs rung for at once at most. The next look comes soon.
const RINGS: u32 = 200;

/// Rows tidied away at once.
const TIDIED: u32 = 500;

const TIDY_INTERVAL: Duration = Duration::from_mins(1);

/// Failures in a row before the process gives up and leaves the rest to whoever restarts it.
const MAX_FAILURES: u32 = 10;

/// A queue that has listened for so long has recovered.
const RECOVERED: Duration = Duration::from_mins(1);

/// Works runs until it is told to stop.
pub struct Runner {
    queue: Arc<dyn Queue>,
    due_runs: Arc<dyn DueRuns>,
    integration: Integration,
    options: RunnerOptions,
    pulse: Pulse,
}

impl Runner {
    /// A runner of these use cases' runs.
    pub fn new(
        queue: Arc<dyn Queue>,
        due_runs: Arc<dyn DueRuns>,
        integration: Integration,
        options: RunnerOptions,
    ) -> Self {
        Self {
            queue,
            due_runs,
            integration,
            options,
            pulse: Pulse::default(),
        }
    }

    /// Its heartbeat.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Works until `stop`; then takes nothing more, lets every slice finish its page and give its run
    /// back, and returns. A slice that takes longer than the grace is left to its lease.
    pub async fn run(self, stop: CancellationToken) -> Result<(), RunnerError> {
        let Self {
            queue,
            due_runs,
            integration,
            options,
            pulse,
        } = self;
        // Whatever ends the listening ends the rest.
        let stop = stop.child_token();
        let engine = Engine::new(integration.clone(), options.pace);
        let slots = Slots::new(engine, integration, options.slots, stop.clone());
        let listen = async {
            let ended = keep_listening(queue.as_ref(), &slots, &stop).await;
            stop.cancel();
            ended
        };
        let reap = reap(due_runs.as_ref(), queue.reap_interval(), &pulse, &stop);
        let tidy = tidy(queue.as_ref(), &stop);
        let drain = async {
            stop.cancelled().await;
            slots.drain(options.grace).await
        };
        let (ended, (), (), is_drained) = tokio::join!(listen, reap, tidy, drain);
        if !is_drained {
            tracing::warn!("some slices did not finish in time; their leases will run out");
        }
        ended
    }
}

async fn keep_listening(
    queue: &dyn Queue,
    slots: &Slots,
    stop: &CancellationToken,
) -> Result<(), RunnerError> {
    let mut failures = 0;
    loop {
        let begun = Instant::now();
        let Err(error) = queue.listen(slots, stop.clone()).await else {
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
        let wait = Duration::from_secs(1 << failures.min(5));
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Rings for runs that nobody works on although they are due.
async fn reap(due_runs: &dyn DueRuns, interval: Duration, pulse: &Pulse, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match due_runs.ring(RINGS).await {
            Ok(0) => pulse.beat(),
            Ok(rung) => {
                pulse.beat();
                metrics::counter!("fanfare_rings_total").increment(rung);
                tracing::debug!(rung, "rang for due runs");
            }
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "due runs could not be looked for"
            ),
        }
        if let Ok(backlog) = due_runs.backlog().await {
            #[expect(clippy::cast_precision_loss, reason = "a gauge of runs")]
            metrics::gauge!("fanfare_backlog_runs").set(backlog as f64);
        }
    }
}

async fn tidy(queue: &dyn Queue, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(TIDY_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        // A second batch at once if the first was full.
        while !stop.is_cancelled() {
            match queue.tidy(TIDIED).await {
                Ok(gone) if gone >= u64::from(TIDIED) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "old jobs could not be deleted"
                    );
                    break;
                }
            }
        }
    }
}
