//! What an adapter has to offer so that the contract can test it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ports::{Directory, QuotaLedger, RequestLimits, Store, WorkQueue};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;

/// All ports of the store, as one process has them.
#[derive(Clone)]
pub struct Handle {
    /// Units of work.
    pub store: Arc<dyn Store>,
    /// Organizations and keys.
    pub directory: Arc<dyn Directory>,
    /// The queue of due work.
    pub queue: Arc<dyn WorkQueue>,
    /// Klaviyo's quotas.
    pub quota: Arc<dyn QuotaLedger>,
    /// The rate limits of organizations.
    pub request_limits: Arc<dyn RequestLimits>,
}

impl Handle {
    /// A handle on an adapter that implements every port.
    pub fn of<S>(store: S) -> Self
    where
        S: Store + Directory + WorkQueue + QuotaLedger + RequestLimits + 'static,
    {
        let store = Arc::new(store);
        Self {
            store: store.clone(),
            directory: store.clone(),
            queue: store.clone(),
            quota: store.clone(),
            request_limits: store,
        }
    }
}

/// An empty store, which no other test uses.
#[async_trait]
pub trait StoreHarness: Send + Sync {
    /// Two handles on the store, which share no more than two processes would.
    fn handles(&self) -> &[Handle; 2];

    /// The time of the clock that the store measures leases by.
    async fn now(&self) -> Timestamp;

    /// Moves that clock forwards, for both handles. Nothing but this and [`Self::set_back`] moves it.
    async fn advance(&self, by: Duration);

    /// Sets that clock back, for both handles.
    async fn set_back(&self, by: Duration);

    /// The work that workers were notified of since the last call, through either handle: each piece once, in
    /// any order, since a store need not notify twice of work that no worker has claimed. `None` where a store
    /// sends no notifications: then only what [`WorkQueue`] returns is checked.
    async fn notifications(&self) -> Option<Vec<WorkItem>> {
        None
    }
}
