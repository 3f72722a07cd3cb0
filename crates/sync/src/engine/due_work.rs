//! Due work: what the slices of a process know of work that waits for them.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{StoreError, WorkQueue};
use fanfare_domain::work::SchedulingCandidate;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How old the answer of one look at the queue may be that all slices of the process use.
pub(super) const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Looks for other work, at most once a second for all slices of a process.
pub(super) struct DueWork {
    queue: Arc<dyn WorkQueue>,
    last: Mutex<Option<Look>>,
}

struct Look {
    at: Instant,
    next: Option<SchedulingCandidate>,
}

impl DueWork {
    pub(super) fn new(queue: Arc<dyn WorkQueue>) -> Self {
        Self {
            queue,
            last: Mutex::default(),
        }
    }

    /// Whether any work was due within the last second.
    pub(super) async fn is_any(&self) -> Result<bool, StoreError> {
        let mut last = self.last.lock().await;
        Ok(self.look(&mut last).await?.next.is_some())
    }

    /// Whether a slice of the organization should leave its slot to work of another one. Only one slice leaves for
    /// one look.
    pub(super) async fn preempts(&self, organization: &OrganizationId) -> Result<bool, StoreError> {
        let mut last = self.last.lock().await;
        let look = self.look(&mut last).await?;
        let Some(next) = &look.next else {
            return Ok(false);
        };
        let preempts = next.should_preempt(self.queue.leased(organization).await?);
        if preempts {
            look.next = None;
        }
        Ok(preempts)
    }

    async fn look<'a>(&self, last: &'a mut Option<Look>) -> Result<&'a mut Look, StoreError> {
        let look = match last.take() {
            Some(look) if look.at.elapsed() < LOOK_INTERVAL => look,
            _ => Look {
                at: Instant::now(),
                next: self.queue.next().await?,
            },
        };
        Ok(last.insert(look))
    }
}
