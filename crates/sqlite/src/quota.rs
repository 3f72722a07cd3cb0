//! Klaviyo's quotas. The rules are the domain's; a statement reads a bucket and another writes it,
//! in one transaction that excludes other writers.

use async_trait::async_trait;
use fanfare_domain::ports::{QuotaLedger, StoreError};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation, Window};
use fanfare_domain::time::Timestamp;
use sqlx::SqliteConnection;

use crate::error::store_error;
use crate::rows::{micros, time, time_opt, to_u32};
use crate::store::SqliteStore;

async fn load(
    connection: &mut SqliteConnection,
    account: &str,
    endpoint: Endpoint,
    now: Timestamp,
) -> Result<Bucket, StoreError> {
    let name = endpoint.as_str();
    let row = sqlx::query!(
        "SELECT burst_limit, steady_limit, burst_since, burst_used, steady_since, steady_used,
                blocked_until
         FROM quota_buckets WHERE account = ?1 AND endpoint = ?2",
        account,
        name
    )
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    let Some(row) = row else {
        return Ok(Bucket::new(endpoint, now));
    };
    Ok(Bucket {
        limits: RateLimits {
            burst: to_u32(row.burst_limit, "quota_buckets.burst_limit")?,
            steady: to_u32(row.steady_limit, "quota_buckets.steady_limit")?,
        },
        burst: Window {
            since: time(row.burst_since, "quota_buckets.burst_since")?,
            used: to_u32(row.burst_used, "quota_buckets.burst_used")?,
        },
        steady: Window {
            since: time(row.steady_since, "quota_buckets.steady_since")?,
            used: to_u32(row.steady_used, "quota_buckets.steady_used")?,
        },
        blocked_until: time_opt(row.blocked_until, "quota_buckets.blocked_until")?,
    })
}

async fn save(
    connection: &mut SqliteConnection,
    account: &str,
    endpoint: Endpoint,
    bucket: &Bucket,
) -> Result<(), StoreError> {
    let name = endpoint.as_str();
    let (burst_since, steady_since) = (
        bucket.burst.since.as_micros(),
        bucket.steady.since.as_micros(),
    );
    let blocked_until = micros(bucket.blocked_until);
    sqlx::query!(
        "INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since,
            burst_used, steady_since, steady_used, blocked_until)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (account, endpoint) DO UPDATE SET
            burst_limit = excluded.burst_limit, steady_limit = excluded.steady_limit,
            burst_since = excluded.burst_since, burst_used = excluded.burst_used,
            steady_since = excluded.steady_since, steady_used = excluded.steady_used,
            blocked_until = excluded.blocked_until",
        account,
        name,
        bucket.limits.burst,
        bucket.limits.steady,
        burst_since,
        bucket.burst.used,
        steady_since,
        bucket.steady.used,
        blocked_until
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

impl SqliteStore {
    async fn change<T>(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
        change: impl FnOnce(&mut Bucket) -> T + Send,
    ) -> Result<T, StoreError> {
        let mut tx = self.begin_writing().await?;
        let before = load(&mut tx, account, endpoint, now).await?;
        let mut bucket = before;
        let answer = change(&mut bucket);
        if bucket != before {
            save(&mut tx, account, endpoint, &bucket).await?;
        }
        tx.commit().await.map_err(store_error)?;
        Ok(answer)
    }
}

#[async_trait]
impl QuotaLedger for SqliteStore {
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Reservation, StoreError> {
        self.change(account, endpoint, now, |bucket| bucket.reserve(now))
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
        self.change(account, endpoint, now, |bucket| bucket.limits = limits)
            .await
    }

    async fn block(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.change(account, endpoint, now, |bucket| bucket.block(until))
            .await
    }

    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        let mut connection = self.reader.acquire().await.map_err(store_error)?;
        load(&mut connection, account, endpoint, now).await
    }
}
