//! The engine: does due work, in slices.
//!
//! Work is identified by its organization, kind and id; the engine passes it to the module of its kind. What
//! every kind needs is here: a lease that the worker keeps while it waits for Klaviyo (`lease`), and a limit
//! to waiting when the worker has to stop (`drain`). If a worker dies, stalls or loses its lease between any
//! two statements, the worker with the next claim continues from the checkpoint.

mod drain;
mod due_work;
mod keep;
mod lease;
mod making;
mod pace;
mod page_memory;
mod pull;
mod push;
mod search_backlog;
mod slice_end;

use std::sync::Arc;

use fanfare_domain::work::{WorkItem, WorkKind};
use tokio::sync::RwLock;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

use crate::error::Error;
use crate::integration::Integration;

use due_work::DueWork;
use page_memory::PageMemory;
use search_backlog::SearchBacklog;

pub use pace::Pace;
pub use slice_end::SliceEnd;

/// Works on runs. Clones share their memory for pages, and what they know of other work.
#[derive(Clone)]
pub struct Engine {
    integration: Integration,
    pace: Pace,
    due_work: Arc<DueWork>,
    page_memory: Arc<PageMemory>,
    search_backlog: Arc<SearchBacklog>,
    /// Held by each suspected run of the process that is worked on; by the one that is on its last try, alone.
    suspected: Arc<RwLock<()>>,
}

impl Engine {
    /// An engine that uses the ports of these use cases.
    pub fn new(integration: Integration, pace: Pace) -> Self {
        let queue = Arc::clone(&integration.ports.work_queue);
        Self {
            integration,
            pace,
            due_work: Arc::new(DueWork::new(queue)),
            page_memory: PageMemory::of(pace.page_memory, pace.largest_page),
            search_backlog: Arc::default(),
            suspected: Arc::default(),
        }
    }

    /// The span in which work of its kind is logged: the processor, the organization and the work's id.
    pub fn span(work: &WorkItem) -> Span {
        match work.key.kind {
            WorkKind::Pull => pull::span(work),
            WorkKind::Push => push::span(work),
            WorkKind::KeptList => keep::span(work),
        }
    }

    /// Works on a run, on deliveries or on a kept list, for one slice, if that is due. `stop` ends the slice after the current step.
    ///
    /// After an error the run was given back if the store could be reached. If not, its lease runs out, and
    /// another worker takes the run up.
    pub async fn work(&self, work: &WorkItem, stop: &CancellationToken) -> Result<SliceEnd, Error> {
        let span = Self::span(work);
        match work.key.kind {
            WorkKind::Pull => pull::work(self, work, stop).instrument(span).await,
            WorkKind::Push => push::work(self, work, stop).instrument(span).await,
            WorkKind::KeptList => keep::work(self, work, stop).instrument(span).await,
        }
    }
}
