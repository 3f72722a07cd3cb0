//! The listener: what a job queue notifies of jobs.

use crate::heartbeat::Heartbeat;
use crate::payload::work_item;
use crate::slots::Slots;

/// The runner, as a queue knows it. Clones are the same listener.
#[derive(Clone)]
pub struct Listener {
    slots: Slots,
    heartbeat: Heartbeat,
}

impl Listener {
    pub(crate) const fn new(slots: Slots, heartbeat: Heartbeat) -> Self {
        Self { slots, heartbeat }
    }

    /// Takes a job's payload. Returns when the work is in a slot, not when it is done: the job has said all it
    /// had to say then, and the work's rows tell the rest. While no slot is free it waits, so that other
    /// processes get the jobs behind this one.
    ///
    /// A payload that is not ours is logged and forgotten.
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

    /// The queue's database has answered.
    pub fn beat(&self) {
        self.heartbeat.queue_answered();
    }
}
