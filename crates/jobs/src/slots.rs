//! Slots: a bounded number of slices at once, each a task of its own.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::{DueRun, DueRuns};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Integration;
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Pauses up to this long are waited for in this process; the reaper rings after longer ones.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Where slices are worked. Clones are the same slots.
///
/// A slice is a task of its own, so that slices share the machine's cores, one that panics takes
/// nobody along, and one goes on to the end of its page when the queue behind it has died.
#[derive(Clone)]
pub(crate) struct Slots {
    engine: Engine,
    due_runs: Arc<dyn DueRuns>,
    integration: Integration,
    free: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Slots {
    /// So many slots. A cancelled `stop` ends every slice after its step.
    pub(crate) fn new(
        integration: Integration,
        due_runs: Arc<dyn DueRuns>,
        pace: Pace,
        size: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            engine: Engine::new(integration.clone(), pace),
            due_runs,
            integration,
            free: Arc::new(Semaphore::new(size)),
            tasks: TaskTracker::new(),
            stop,
            abort: CancellationToken::new(),
        }
    }

    /// Has a bell heard as soon as a slot is free: the slot works whatever has its turn, the run that the
    /// bell rang for or another, until nothing is due. What comes of it the runs' rows tell.
    pub(crate) async fn work(&self, rung: DueRun) {
        let slot = tokio::select! {
            slot = Arc::clone(&self.free).acquire_owned() => slot.ok(),
            // The ring has been taken from the queue. A slice that is told to stop as it begins claims
            // the run and gives it back, and that rings for somebody else.
            () = self.stop.cancelled() => None,
        };
        let slots = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = slots.work_turns(rung) => {}
                () = slots.abort.cancelled() => {}
            }
            drop(slot);
        });
    }

    async fn work_turns(&self, rung: DueRun) {
        let mut due = self.next().await.unwrap_or_else(|| rung.clone());
        let mut has_worked_rung = false;
        loop {
            has_worked_rung |= due == rung;
            match self.slice(due.clone()).await {
                Some(SliceEnd::Paused(until)) => self.take_up_again(due.clone(), until),
                Some(_) => {}
                // It will be taken up again, and not by a loop that goes round as fast as it can.
                None => break,
            }
            if self.stop.is_cancelled() {
                break;
            }
            match self.next().await {
                // Somebody else was quicker, and is at it: whoever is behind has its turn.
                Some(next) if next != due => due = next,
                _ => break,
            }
        }
        if !has_worked_rung {
            // Its ring must not be lost: if it is still due, it is claimed, or given back and rung for.
            if let Some(SliceEnd::Paused(until)) = self.slice(rung.clone()).await {
                self.take_up_again(rung, until);
            }
        }
    }

    /// The run whose turn it is. None if none is due, or if the store does not tell.
    async fn next(&self) -> Option<DueRun> {
        if self.stop.is_cancelled() {
            return None;
        }
        let turn = self.due_runs.next().await.ok().flatten();
        turn.map(|turn| turn.due)
    }

    /// Waits until no slice is worked any more.
    pub(crate) async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Ends all slices where they stand. Their leases run out.
    pub(crate) async fn abort(&self) {
        self.abort.cancel();
        self.drained().await;
    }

    async fn slice(&self, due: DueRun) -> Option<SliceEnd> {
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        let worked = due.clone();
        let slice = tokio::spawn(async move { engine.work(&worked, &stop).await });
        match AbortOnDropHandle::new(slice).await {
            Ok(Ok(end)) => {
                count(name(end));
                Some(end)
            }
            Ok(Err(error)) => {
                count("error");
                tracing::error!(
                    processor = "klaviyo/sync-list",
                    organizationId = %due.organization,
                    runId = %due.run,
                    error = &error as &dyn std::error::Error,
                    "a slice failed; the run will be taken up again"
                );
                None
            }
            Err(error) => {
                count("lost");
                log_lost(&due, &error);
                None
            }
        }
    }

    /// Takes a paused run up again when its time has come, without a slot meanwhile. Another process
    /// may be faster; the claim tells.
    fn take_up_again(&self, due: DueRun, until: Timestamp) {
        let wait = until.since(self.integration.clock().now());
        if wait > LONGEST_WAIT {
            return;
        }
        let slots = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = slots.stop.cancelled() => {}
                // Whole milliseconds are slept, and due times are finer.
                () = tokio::time::sleep(wait + Duration::from_millis(1)) => slots.work(due).await,
            }
        });
    }
}

fn count(end: &'static str) {
    metrics::counter!("fanfare_slices_total", "end" => end).increment(1);
}

const fn name(end: SliceEnd) -> &'static str {
    match end {
        SliceEnd::NotDue => "not_due",
        SliceEnd::Yielded => "yielded",
        SliceEnd::Paused(_) => "paused",
        SliceEnd::Finished(_) => "finished",
        SliceEnd::Overtaken => "overtaken",
    }
}

fn log_lost(due: &DueRun, error: &JoinError) {
    // A panic's message could quote anything; the panic hook has logged where it happened.
    let what = if error.is_panic() {
        "panicked"
    } else {
        "was aborted"
    };
    tracing::error!(
        processor = "klaviyo/sync-list",
        organizationId = %due.organization,
        runId = %due.run,
        "a slice {what}; the run will be taken up again when its lease has run out"
    );
}
