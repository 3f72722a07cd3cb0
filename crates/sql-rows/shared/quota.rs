//! Klaviyo's quotas. The rules are the domain's.

use async_trait::async_trait;
use fanfare_domain::ports::{QuotaLedger, StoreError};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;

use crate::store::SqlStore;

/// What a crash of the database may lose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing.
    Durable,
    /// The last moments' changes, on Postgres: a caller that waits for the row waits for no disk. SQLite loses
    /// nothing here either.
    Lax,
}

#[async_trait]
impl QuotaLedger for SqlStore {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        // A reservation that is forgotten is one request too many at worst, and Klaviyo says so.
        let reserve = |bucket: &mut Bucket| bucket.reserve(now);
        self.change(account, endpoint, now, Durability::Lax, reserve)
            .await
    }

    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        // Every answer of Klaviyo announces its limits, and they hardly ever change: look first,
        // so that no page pays for a second write.
        if self.bucket(account, endpoint, now).await?.limits == limits {
            return Ok(());
        }
        let learn = |bucket: &mut Bucket| bucket.limits = limits;
        self.change(account, endpoint, now, Durability::Lax, learn)
            .await
    }

    async fn block(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let block = |bucket: &mut Bucket| bucket.block(until);
        self.change(account, endpoint, now, Durability::Durable, block)
            .await
    }

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        self.load_bucket(account, endpoint, now).await
    }
}
