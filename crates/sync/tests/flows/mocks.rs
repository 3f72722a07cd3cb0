//! Ports that misbehave, or answer as a test says, where the stores and the fake Klaviyo do not.

use async_trait::async_trait;
use fanfare_domain::connection::{OpenedKey, SealedKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{KeySealer, QuotaLedger, SealError, StoreError, WorkQueue};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
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

/// A ledger that never ends the call that stores a rate-limit block.
pub(crate) struct SlowLedger(pub(crate) InMemoryStore);

#[async_trait]
impl QuotaLedger for SlowLedger {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        self.0.reserve(account, endpoint, now).await
    }

    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0.learn(account, endpoint, limits, now).await
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
        self.0.delete_unused(before, limit).await
    }

    async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.0.unblock(account, endpoint, now).await
    }

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        self.0.bucket(account, endpoint, now).await
    }
}
