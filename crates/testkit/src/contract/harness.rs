//! What a store under test has to offer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ports::{Directory, DueRun, DueRuns, QuotaLedger, Store};
use fanfare_domain::time::Timestamp;

/// One process's way to the store: all its ports.
#[derive(Clone)]
pub struct Handle {
    /// Units of work.
    pub store: Arc<dyn Store>,
    /// Organizations and keys.
    pub directory: Arc<dyn Directory>,
    /// The queue of due runs.
    pub queue: Arc<dyn DueRuns>,
    /// Klaviyo's quotas.
    pub quota: Arc<dyn QuotaLedger>,
}

impl Handle {
    /// A handle on an adapter that implements every port.
    pub fn of<S>(store: S) -> Self
    where
        S: Store + Directory + DueRuns + QuotaLedger + 'static,
    {
        let store = Arc::new(store);
        Self {
            store: store.clone(),
            directory: store.clone(),
            queue: store.clone(),
            quota: store,
        }
    }
}

/// A fresh store, which nobody else uses.
#[async_trait]
pub trait StoreHarness: Send + Sync {
    /// Two handles on it, which share no more than two processes would.
    fn handles(&self) -> &[Handle; 2];

    /// What time it is by the clock that the store measures leases by.
    async fn now(&self) -> Timestamp;

    /// Moves that clock forwards, for both handles.
    async fn advance(&self, by: Duration);

    /// What the bell has rung for since it was last asked, through either handle: each run once, in any
    /// order, since a store may ring no second time for what nobody has come for. `None` where nobody
    /// listens: then only what [`DueRuns`] tells of rings is checked.
    async fn on_job(&self) -> Option<Vec<DueRun>> {
        None
    }
}
