//! The listener: receives the jobs of a queue.

use crate::heartbeat::Heartbeat;
use crate::payload::work_item;
use crate::slots::Slots;

/// The part of the runner that a queue calls. Clones are the same listener.
#[derive(Clone)]
pub struct Listener {
    slots: Slots,
    heartbeat: Heartbeat,
}

impl Listener {
    pub(crate) const fn new(slots: Slots, heartbeat: Heartbeat) -> Self {
        Self { slots, heartbeat }
    }

    /// Takes a job's payload. It returns when the work has a slot, not when it is done: the job is only a
    /// notification, and everything else is in the work's rows. While no slot is free it waits, so that other
    /// processes get the jobs after this one.
    ///
    /// A payload that this program did not write is logged and dropped.
    pub async fn on_job(&self, payload: &[u8]) {
        let Some(work) = work_item(payload) else {
            tracing::error!(
                bytes = payload.len(),
                "a job in the queue is none of ours and was dropped"
            );
            return;
        };
        self.slots.work(work).await;
    }

    /// Looks for due work and has it worked on, without a job. It returns when the work has a slot.
    pub(crate) async fn on_change(&self) {
        self.slots.work_if_due().await;
    }

    /// Records a heartbeat: the queue's database has answered.
    pub fn beat(&self) {
        self.heartbeat.queue_answered();
    }
}
