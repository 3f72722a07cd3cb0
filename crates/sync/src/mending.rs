//! The queue of due work compared with the runs: what has come apart is put right.
//!
//! A run and its place in the queue are written together, so in one database they cannot differ. They can where
//! the two tables lie on different servers and one of them crashes between the two commits of a unit
//! (`docs/SCALING.md`), and after a backup was restored in parts: an active run without a place would wait for
//! ever, and a place without an active run would be offered to workers for ever.

use std::collections::BTreeSet;

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::work::{WorkKey, WorkKind};

use crate::error::Error;
use crate::integration::Integration;
use crate::saving::{can_keep_lists, has_sendable};

/// What was put right in an organization's queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueueMended {
    /// How many active runs, outboxes with pending deliveries and lists that are kept had no place.
    pub queued: u64,
    /// How many places had no active run.
    pub dequeued: u64,
}

/// In what an organization's queue and its runs differ.
struct Difference {
    missing: Vec<WorkKey>,
    left_over: Vec<WorkKey>,
}

impl Difference {
    async fn find(unit: &mut dyn UnitOfWork) -> Result<Self, StoreError> {
        let queued: BTreeSet<WorkKey> = unit.queued(WorkKind::Pull).await?.into_iter().collect();
        let active = unit.active_runs().await?;
        let active: BTreeSet<WorkKey> = active.iter().map(WorkKey::pull).collect();
        let has_pending = unit.next_delivery_due().await?.is_some();
        let is_push_missing = has_pending
            && unit.queued(WorkKind::Push).await?.is_empty()
            && match unit.connection().await? {
                Some(stored) => has_sendable(unit, &stored).await?,
                None => false,
            };
        let push = is_push_missing.then(WorkKey::push);
        let mut missing: Vec<WorkKey> = active.difference(&queued).cloned().chain(push).collect();
        let kept = unit.kept_lists().await?;
        if !kept.is_empty() && can_keep_lists(unit.connection().await?.as_ref()) {
            let queued = unit.queued(WorkKind::KeptList).await?;
            for kept in kept {
                let work = WorkKey::kept_list(&kept.audience);
                let is_needed =
                    kept.is_followed() || unit.active_push(&kept.audience).await?.is_some();
                if is_needed && !queued.contains(&work) {
                    missing.push(work);
                }
            }
        }
        Ok(Self {
            missing,
            left_over: queued.difference(&active).cloned().collect(),
        })
    }

    const fn is_none(&self) -> bool {
        self.missing.is_empty() && self.left_over.is_empty()
    }
}

impl Integration {
    /// Gives every active run of the organization a place in the queue, and takes away every place whose run is
    /// not active. Work that is as it should be is not touched, nor is work of a kind that only another version
    /// knows.
    pub async fn mend_queue(&self, organization: &OrganizationId) -> Result<QueueMended, Error> {
        // Nearly always there is nothing to do: look before keeping writers waiting.
        let mut unit = self.read(organization).await?;
        if Difference::find(unit.as_mut()).await?.is_none() {
            return Ok(QueueMended::default());
        }
        drop(unit);
        // No other unit is being written now: what differs still has come apart.
        let mut unit = self.begin(organization).await?;
        let difference = Difference::find(unit.as_mut()).await?;
        for work in &difference.missing {
            unit.enqueue(work).await?;
        }
        for work in &difference.left_over {
            unit.dequeue(work).await?;
        }
        unit.commit().await?;
        Ok(QueueMended {
            queued: difference.missing.len() as u64,
            dequeued: difference.left_over.len() as u64,
        })
    }
}
