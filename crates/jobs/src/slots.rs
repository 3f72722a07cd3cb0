//! Slots: a limited number of slices at the same time, each in a task of its own.

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

use crate::shares::Shares;

/// The longest pause of work after which this process takes the work up itself; after a longer pause the reaper
/// notifies.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// The slots in which slices are worked on, shared by organization. Clones are the same slots.
///
/// Each slice is a task of its own. So slices share the machine's cores, a panic ends only its own slice, and a
/// slice finishes its page even if the queue has died.
#[derive(Clone)]
pub(crate) struct Slots {
    engine: Engine,
    work_queue: Arc<dyn WorkQueue>,
    integration: Integration,
    free: Arc<Semaphore>,
    shares: Arc<Shares>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Slots {
    /// `size` slots. Cancelling `stop` ends every slice after its current step.
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
            shares: Shares::of(size),
            tasks: TaskTracker::new(),
            stop,
            abort: CancellationToken::new(),
        }
    }

    /// Waits for a free slot, and then works in it until nothing is due: on the work that the job names or on
    /// other work, in the order of the queue. The results are in the work's rows.
    ///
    /// Work of an organization that has its share of the slots needs no slot of its own: the organization's slices
    /// look for its other work when they end. So a thousand jobs of one organization keep none of another waiting.
    pub(crate) async fn work(&self, notified: WorkItem) {
        if self.shares.is_full(&notified.organization) {
            return;
        }
        let slot = tokio::select! {
            slot = Arc::clone(&self.free).acquire_owned() => slot.ok(),
            () = self.stop.cancelled() => None,
        };
        let slots = self.clone();
        self.tasks.spawn(async move {
            let work = async {
                if slot.is_some() {
                    slots.work_while_due(notified).await;
                } else {
                    // The job has been taken from the queue. A slice that has to stop at its start claims the work
                    // and gives it back, which notifies another worker.
                    slots.slice(notified).await;
                }
            };
            tokio::select! {
                () = work => {}
                () = slots.abort.cancelled() => {}
            }
            drop(slot);
        });
    }

    /// The same for the work that is due, if any is.
    pub(crate) async fn work_if_due(&self) {
        if let Some(work) = self.next().await {
            self.work(work).await;
        }
    }

    async fn work_while_due(&self, notified: WorkItem) {
        let mut next = Some(self.next().await.unwrap_or_else(|| notified.clone()));
        let mut has_worked_notified = false;
        while let Some(work) = next {
            let Some(share) = self.shares.take(&work.organization) else {
                break;
            };
            has_worked_notified |= work == notified;
            let end = self.slice(work.clone()).await;
            // Before this slot looks for more: a job that finds the share full relies on that look.
            drop(share);
            match end {
                Some(SliceEnd::Paused(until)) => self.take_up_again(work.clone(), until),
                Some(_) => {}
                // A later notification takes the work up again; this loop would try without a pause.
                None => break,
            }
            // If it is the same work again, another worker has just claimed it.
            next = self.next().await.filter(|next| *next != work);
        }
        if has_worked_notified {
            return;
        }
        // The job's notification must not be lost: if its work is still due, this slice claims it, or
        // gives it back, which notifies another worker.
        if let Some(_share) = self.shares.take(&notified.organization)
            && let Some(SliceEnd::Paused(until)) = self.slice(notified.clone()).await
        {
            self.take_up_again(notified, until);
        }
    }

    /// The work to do next. `None` if nothing is due, if the store does not answer, or after `stop`.
    async fn next(&self) -> Option<WorkItem> {
        if self.stop.is_cancelled() {
            return None;
        }
        let next = self.work_queue.next().await.ok().flatten();
        next.map(|candidate| candidate.work)
    }

    /// Waits until all slices have ended.
    pub(crate) async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Aborts all slices. Their leases run out.
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
                Engine::span(&work).in_scope(|| {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "a slice failed; the work will be taken up again");
                });
                None
            }
            Err(error) => {
                count("lost");
                log_lost(&work, &error);
                None
            }
        }
    }

    /// Takes paused work up again after its pause, during which it uses no slot. If another process is faster, the
    /// claim fails.
    fn take_up_again(&self, work: WorkItem, until: Timestamp) {
        let wait = until.since(self.integration.clock().now());
        if wait > LONGEST_WAIT {
            return;
        }
        let slots = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = slots.stop.cancelled() => {}
                // The timer is accurate to a millisecond, and due times are finer.
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
    // A panic's message could hold personal data; the panic hook has logged where it happened.
    let what = if error.is_panic() {
        "panicked"
    } else {
        "was aborted"
    };
    Engine::span(work).in_scope(|| {
        tracing::error!(
            "a slice {what}; the work will be taken up again when its lease has run out"
        );
    });
}
