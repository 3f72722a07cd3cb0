//! Klaviyo's quotas. The rules are the domain's.

use async_trait::async_trait;
use fanfare_domain::ports::{QuotaLedger, StoreError};
use fanfare_domain::quota::{Bucket, Demand, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, to_db};

use crate::store::SqlStore;
use crate::timeout::WithTimeout;
use crate::unit::Connection;

/// What a crash of the database may lose.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing.
    Durable,
    /// The last moments' changes, on Postgres: a caller that waits for the row waits for no disk. SQLite loses
    /// nothing here either.
    Lax,
}

/// Overwrites the bucket, which the caller has locked.
pub(crate) async fn put(
    connection: &mut Connection,
    account: &str,
    endpoint: Endpoint,
    bucket: &Bucket,
) -> Result<(), StoreError> {
    let put = sqlx::query_file!(
        "sql/quota_buckets/put.sql",
        account,
        endpoint.as_str(),
        i64::from(bucket.limits.burst),
        i64::from(bucket.limits.steady),
        DbTimestamp(bucket.burst.since),
        i64::from(bucket.burst.used),
        DbTimestamp(bucket.steady.since),
        i64::from(bucket.steady.used),
        to_db(bucket.blocked_until),
        to_db(bucket.blocked_at)
    );
    put.execute(connection).with_timeout().await?;
    Ok(())
}

#[async_trait]
impl QuotaLedger for SqlStore {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        demand: &Demand,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        // A reservation that is forgotten is a few requests too many at worst, and Klaviyo says so.
        let reserve = |bucket: &mut Bucket| bucket.reserve(demand, now);
        self.change(account, endpoint, now, Durability::Lax, reserve)
            .await
    }

    async fn delete_unused(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete = sqlx::query_file!(
            "../sql-rows/sql/quota_buckets/delete_unused.sql",
            DbTimestamp(before),
            i64::from(limit)
        );
        let deleted = delete.execute(self.ledger_connections());
        Ok(deleted.with_timeout().await?.rows_affected())
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
        let block = |bucket: &mut Bucket| bucket.block(until, now);
        self.change(account, endpoint, now, Durability::Durable, block)
            .await
    }

    async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let unblock = |bucket: &mut Bucket| bucket.unblock();
        self.change(account, endpoint, now, Durability::Durable, unblock)
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
