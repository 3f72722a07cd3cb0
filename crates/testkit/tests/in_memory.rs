//! The store in memory keeps the contract.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ports::Clock;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_testkit::clock::FixedClock;
use fanfare_testkit::contract::{Handle, StoreHarness};
use fanfare_testkit::memory::InMemoryStore;
use fanfare_testkit::store_contract;
use tokio::sync::mpsc::UnboundedReceiver;

struct InMemory {
    clock: FixedClock,
    handles: [Handle; 2],
    notifications: Mutex<UnboundedReceiver<WorkItem>>,
}

impl InMemory {
    fn new() -> Self {
        let clock = FixedClock::default();
        let store = InMemoryStore::new(Arc::new(clock.clone()));
        Self {
            clock,
            notifications: Mutex::new(store.notifications()),
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

    async fn set_back(&self, by: Duration) {
        self.clock.set_back(by);
    }

    async fn notifications(&self) -> Option<Vec<WorkItem>> {
        let mut notifications = self.notifications.lock().expect("no panic before");
        let mut notified = Vec::new();
        while let Ok(work) = notifications.try_recv() {
            if !notified.contains(&work) {
                notified.push(work);
            }
        }
        Some(notified)
    }
}

store_contract!(InMemory::new());
