//! Leaf ports that do what no honest fake would.

use async_trait::async_trait;
use fanfare_domain::connection::{Credential, SealedKey};
use fanfare_domain::ids::{Cursor, OrganizationId};
use fanfare_domain::ports::{
    Account, Answer, Capability, Collection, CollectionPage, KeySealer, Klaviyo, KlaviyoError,
    MemberPage, MembersFrom, QuotaLedger, SealError, StoreError, WorkQueue,
};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
use fanfare_domain::source::{CollectionKind, CollectionRef};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::SchedulingCandidate;
use fanfare_testkit::build::list;
use fanfare_testkit::memory::InMemoryStore;
use secrecy::SecretString;

use crate::test_organization::members;

mockall::mock! {
    pub(crate) Sealer {}

    impl KeySealer for Sealer {
        fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey;
        fn open(&self, organization: &OrganizationId, sealed: &SealedKey) -> Result<SecretString, SealError>;
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
    }
}

/// A Klaviyo whose pages lead in a circle of so many. A member stands on each.
pub(crate) struct Circle(pub(crate) i64);

impl Circle {
    /// Where a cursor is, and the cursor after it.
    fn step(&self, cursor: Option<&Cursor>) -> (i64, Option<Cursor>) {
        let at = cursor.map_or(0, |cursor| cursor.as_str().parse().unwrap());
        (
            at,
            Some(Cursor::parse(((at + 1) % self.0).to_string()).unwrap()),
        )
    }
}

#[expect(clippy::unnecessary_wraps, reason = "in the shape of the port")]
const fn answer<T>(value: T) -> Result<Answer<T>, KlaviyoError> {
    Ok(Answer {
        value,
        rate_limits: None,
    })
}

fn unnamed(collection: &CollectionRef) -> Collection {
    Collection {
        id: collection.id.clone(),
        name: None,
        created: None,
        updated: None,
        opt_in_process: None,
        is_active: None,
        is_processing: None,
        profile_count: None,
    }
}

#[async_trait]
impl Klaviyo for Circle {
    async fn account(&self, _: &Credential) -> Result<Answer<Account>, KlaviyoError> {
        Err(KlaviyoError::NotPermitted)
    }

    async fn collections(
        &self,
        _: &Credential,
        _: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError> {
        let (at, next) = self.step(cursor);
        let items = vec![unnamed(&list(&format!("L{at}")))];
        answer(CollectionPage { items, next })
    }

    async fn collection(
        &self,
        _: &Credential,
        collection: &CollectionRef,
        _: bool,
    ) -> Result<Answer<Collection>, KlaviyoError> {
        answer(unnamed(collection))
    }

    async fn members(
        &self,
        _: &Credential,
        _: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        let (at, next) = self.step(from.cursor.as_ref());
        answer(MemberPage {
            profiles: members(at..=at),
            next,
        })
    }

    async fn probe(&self, _: &Credential, _: Capability) -> Result<Answer<()>, KlaviyoError> {
        answer(())
    }
}

/// A ledger that takes for ever to note a block.
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

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        self.0.bucket(account, endpoint, now).await
    }
}
