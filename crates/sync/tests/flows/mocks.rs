//! Ports that misbehave, or answer as a test says, where the stores and the fake Klaviyo do not.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use fanfare_domain::connection::{OpenedKey, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{KeySealer, QuotaLedger, SealError, StoreError, WorkQueue};
use fanfare_domain::quota::{Bucket, Demand, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::SchedulingCandidate;
use fanfare_testkit::memory::InMemoryStore;
use secrecy::SecretString;

mockall::mock! {
    pub(crate) Sealer {}

    impl KeySealer for Sealer {
        fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey;
        fn open(&self, organization: &OrganizationId, sealed: &SealedKey) -> Result<OpenedKey, SealError>;
    }
}

mockall::mock! {
    pub(crate) Queue {}

    #[async_trait]
    impl WorkQueue for Queue {
        async fn notify(&self, limit: u32) -> Result<u64, StoreError>;
        async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError>;
        async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError>;
        async fn backlog(&self) -> Result<u64, StoreError>;
        async fn organizations_with_due_schedules(&self, now: Timestamp, limit: u32) -> Result<Vec<OrganizationId>, StoreError>;
    }
}

/// A ledger that never ends the call that stores a rate-limit block, and counts the calls that take requests.
pub(crate) struct SlowLedger {
    store: InMemoryStore,
    reserved: Arc<AtomicUsize>,
}

impl SlowLedger {
    pub(crate) fn new(store: &InMemoryStore) -> Self {
        Self {
            store: store.clone(),
            reserved: Arc::default(),
        }
    }

    /// Counts the calls that take requests.
    pub(crate) fn reserved(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.reserved)
    }
}

#[async_trait]
impl QuotaLedger for SlowLedger {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        demand: &Demand,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        self.reserved.fetch_add(1, Ordering::Relaxed);
        self.store.reserve(account, endpoint, demand, now).await
    }

    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.learn(account, endpoint, limits, now).await
    }

    async fn block(
        &self,
        _: &str,
        _: Endpoint,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<(), StoreError> {
        std::future::pending().await
    }

    async fn delete_unused(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.store.delete_unused(before, limit).await
    }

    async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.unblock(account, endpoint, now).await
    }

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        self.store.bucket(account, endpoint, now).await
    }
}
