//! The store in memory keeps the contract.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ports::{Clock, DueRun};
use fanfare_domain::time::Timestamp;
use fanfare_testkit::clock::FixedClock;
use fanfare_testkit::contract::{Handle, StoreHarness};
use fanfare_testkit::memory::InMemoryStore;
use fanfare_testkit::store_contract;
use tokio::sync::mpsc::UnboundedReceiver;

struct InMemory {
    clock: FixedClock,
    handles: [Handle; 2],
    bell: Mutex<UnboundedReceiver<DueRun>>,
}

impl InMemory {
    fn new() -> Self {
        let clock = FixedClock::default();
        let store = InMemoryStore::new(Arc::new(clock.clone()));
        Self {
            clock,
            bell: Mutex::new(store.rings()),
            handles: [Handle::of(store.clone()), Handle::of(store)],
        }
    }
}

#[async_trait]
impl StoreHarness for InMemory {
    fn handles(&self) -> &[Handle; 2] {
        &self.handles
    }

    async fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn on_job(&self) -> Option<Vec<DueRun>> {
        let mut bell = self.bell.lock().expect("no panic before");
        let mut heard = Vec::new();
        while let Ok(due) = bell.try_recv() {
            if !heard.contains(&due) {
                heard.push(due);
            }
        }
        Some(heard)
    }
}

store_contract!(InMemory::new());
