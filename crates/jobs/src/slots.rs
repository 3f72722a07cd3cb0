//! Slots: a bounded number of slices at once, each a task of its own.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ports::WorkQueue;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_sync::Integration;
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use tokio::sync::Semaphore;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

/// Pauses up to this long are waited for in this process; after longer ones the reaper notifies.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// Where slices are worked. Clones are the same slots.
///
/// A slice is a task of its own, so that slices share the machine's cores, one that panics takes
/// nobody along, and one goes on to the end of its page when the queue behind it has died.
#[derive(Clone)]
pub(crate) struct Slots {
    engine: Engine,
    work_queue: Arc<dyn WorkQueue>,
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
        work_queue: Arc<dyn WorkQueue>,
        pace: Pace,
        size: usize,
        stop: CancellationToken,
    ) -> Self {
        Self {
            engine: Engine::new(integration.clone(), pace),
            work_queue,
            integration,
            free: Arc::new(Semaphore::new(size)),
            tasks: TaskTracker::new(),
            stop,
            abort: CancellationToken::new(),
        }
    }

    /// Works, as soon as a slot is free, what is to be done next: the work that the job named or other work,
    /// until nothing is due. What comes of it the work's rows tell.
    pub(crate) async fn work(&self, notified: WorkItem) {
        let slot = tokio::select! {
            slot = Arc::clone(&self.free).acquire_owned() => slot.ok(),
            // The job has been taken from the queue. A slice that is told to stop as it begins claims
            // the work and gives it back, and that notifies another worker.
            () = self.stop.cancelled() => None,
        };
        let slots = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = slots.work_while_due(notified) => {}
                () = slots.abort.cancelled() => {}
            }
            drop(slot);
        });
    }

    async fn work_while_due(&self, notified: WorkItem) {
        let mut work = self.next().await.unwrap_or_else(|| notified.clone());
        let mut has_worked_notified = false;
        loop {
            has_worked_notified |= work == notified;
            match self.slice(work.clone()).await {
                Some(SliceEnd::Paused(until)) => self.take_up_again(work.clone(), until),
                Some(_) => {}
                // It will be taken up again, and not by a loop that goes round as fast as it can.
                None => break,
            }
            if self.stop.is_cancelled() {
                break;
            }
            match self.next().await {
                // If it is the same again, another worker was quicker and is at it.
                Some(next) if next != work => work = next,
                _ => break,
            }
        }
        if !has_worked_notified {
            // Its notification must not be lost: if the work is still due, it is claimed, or given back and
            // another worker notified.
            if let Some(SliceEnd::Paused(until)) = self.slice(notified.clone()).await {
                self.take_up_again(notified, until);
            }
        }
    }

    /// What is to be done next. `None` if nothing is due, or if the store does not tell.
    async fn next(&self) -> Option<WorkItem> {
        if self.stop.is_cancelled() {
            return None;
        }
        let next = self.work_queue.next().await.ok().flatten();
        next.map(|candidate| candidate.work)
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

    async fn slice(&self, work: WorkItem) -> Option<SliceEnd> {
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        let item = work.clone();
        let slice = tokio::spawn(async move { engine.work(&item, &stop).await });
        match AbortOnDropHandle::new(slice).await {
            Ok(Ok(end)) => {
                count(name(end));
                Some(end)
            }
            Ok(Err(error)) => {
                count("error");
                tracing::error!(
                    processor = "klaviyo/sync-list",
                    organizationId = %work.organization,
                    runId = %work.key.id,
                    error = &error as &dyn std::error::Error,
                    "a slice failed; the run will be taken up again"
                );
                None
            }
            Err(error) => {
                count("lost");
                log_lost(&work, &error);
                None
            }
        }
    }

    /// Takes paused work up again when its time has come, without a slot meanwhile. Another process
    /// may be faster; the claim tells.
    fn take_up_again(&self, work: WorkItem, until: Timestamp) {
        let wait = until.since(self.integration.clock().now());
        if wait > LONGEST_WAIT {
            return;
        }
        let slots = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = slots.stop.cancelled() => {}
                // Whole milliseconds are slept, and due times are finer.
                () = tokio::time::sleep(wait + Duration::from_millis(1)) => slots.work(work).await,
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

fn log_lost(work: &WorkItem, error: &JoinError) {
    // A panic's message could quote anything; the panic hook has logged where it happened.
    let what = if error.is_panic() {
        "panicked"
    } else {
        "was aborted"
    };
    tracing::error!(
        processor = "klaviyo/sync-list",
        organizationId = %work.organization,
        runId = %work.key.id,
        "a slice {what}; the run will be taken up again when its lease has run out"
    );
}
