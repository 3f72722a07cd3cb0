//! Slots: a bounded number of slices at once, each a task of its own.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::DueRun;
use fanfare_domain::time::Timestamp;
use fanfare_sync::Integration;
use fanfare_sync::engine::{Engine, SliceEnd};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Pauses up to this long are waited for in this process; the reaper rings after longer ones.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Where slices are worked. Clones are the same slots.
///
/// A slice is a task of its own, so that slices share the machine's cores, one that panics takes
/// nobody along, and one goes on to the end of its page when the queue behind it has died.
#[derive(Clone)]
pub struct Slots {
    engine: Engine,
    integration: Integration,
    free: Arc<Semaphore>,
    size: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Slots {
    pub(crate) fn new(
        engine: Engine,
        integration: Integration,
        size: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            engine,
            integration,
            free: Arc::new(Semaphore::new(size)),
            size,
            tasks: TaskTracker::new(),
            stop,
        }
    }

    /// How many slices may be worked at once.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Works a slice of the run in the next free slot, and returns when it is over, whatever came of
    /// it: the run's rows tell. Dropping the future does not end the slice.
    pub async fn work(&self, due: DueRun) {
        let slots = self.clone();
        let run = due.run.clone();
        let slice = self.tasks.spawn(async move { slots.slice(due).await });
        if let Err(error) = slice.await {
            log_lost(&run, &error);
        }
    }

    /// Waits until no slice is worked any more; at most for `grace`. Tells whether it came to that.
    pub(crate) async fn drain(&self, grace: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(grace, self.tasks.wait()).await.is_ok()
    }

    async fn slice(self, due: DueRun) {
        let Ok(_slot) = Arc::clone(&self.free).acquire_owned().await else {
            return;
        };
        if self.stop.is_cancelled() {
            return;
        }
        match self.engine.work(&due, &self.stop).await {
            Ok(end) => {
                metrics::counter!("fanfare_slices_total", "end" => name(end)).increment(1);
                if let SliceEnd::Paused(until) = end {
                    self.wait_for(due, until);
                }
            }
            Err(error) => {
                metrics::counter!("fanfare_slices_total", "end" => "error").increment(1);
                tracing::error!(
                    processor = "klaviyo/sync-list",
                    organizationId = %due.organization,
                    runId = %due.run,
                    error = &error as &dyn std::error::Error,
                    "a slice failed; the run will be taken up again"
                );
            }
        }
    }

    /// Takes a paused run up again when its time has come, without a slot meanwhile. Another process
    /// may be faster; the claim tells.
    fn wait_for(&self, due: DueRun, until: Timestamp) {
        let wait = until.since(self.integration.clock().now());
        if wait > LONGEST_WAIT {
            return;
        }
        let slots = self.clone();
        // Not tracked: a pause holds up no shutdown.
        tokio::spawn(async move {
            tokio::select! {
                () = slots.stop.cancelled() => {}
                // Whole milliseconds are slept, and due times are finer.
                () = tokio::time::sleep(wait + Duration::from_millis(1)) => slots.work(due).await,
            }
        });
    }
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

fn log_lost(run: &fanfare_domain::ids::RunId, error: &JoinError) {
    // A panic's message could quote anything: where it happened is on standard error.
    let what = if error.is_panic() {
        "panicked"
    } else {
        "was aborted"
    };
    tracing::error!(
        processor = "klaviyo/sync-list",
        runId = %run,
        "a slice {what}; the run will be taken up again when its lease has run out"
    );
}
