//! Slots: a bounded number of slices at once, each a task of its own.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::DueRun;
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
        pace: Pace,
        size: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            engine: Engine::new(integration.clone(), pace),
            integration,
            free: Arc::new(Semaphore::new(size)),
            tasks: TaskTracker::new(),
            stop,
            abort: CancellationToken::new(),
        }
    }

    /// Begins a slice of the run as soon as a slot is free. What comes of it the run's rows tell.
    pub(crate) async fn work(&self, due: DueRun) {
        let slot = tokio::select! {
            slot = Arc::clone(&self.free).acquire_owned() => slot.ok(),
            // The ring has been taken from the queue. A slice that is told to stop as it begins claims
            // the run and gives it back, and that rings for somebody else.
            () = self.stop.cancelled() => None,
        };
        let slots = self.clone();
        self.tasks.spawn(async move {
            let ended = tokio::select! {
                ended = slots.slice(due.clone()) => ended,
                () = slots.abort.cancelled() => return,
            };
            drop(slot);
            if let Some(SliceEnd::Paused(until)) = ended {
                slots.take_up_again(due, until);
            }
        });
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
