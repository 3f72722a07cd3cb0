//! Klaviyo's quotas. The rules are the domain's; a statement reads a bucket and locks its row until
//! another has written it.

use async_trait::async_trait;
use fanfare_domain::ports::{QuotaLedger, StoreError};
use fanfare_domain::quota::{Bucket, Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;
use sqlx::PgConnection;

use crate::store::PostgresStore;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{BucketRow, DbTimestamp, to_db};

/// What a crash of the database may lose.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// Nothing.
    Durable,
    /// The last moments' changes. A caller that waits for the row waits for no disk.
    Lax,
}

impl Durability {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Durable => "on",
            Self::Lax => "off",
        }
    }
}

/// The bucket's row, if there is one, locked: the latest version, after every holder before.
async fn lock(
    connection: &mut PgConnection,
    account: &str,
    endpoint: Endpoint,
    durability: Durability,
) -> Result<Option<Bucket>, StoreError> {
    sqlx::query_as!(
        BucketRow,
        "WITH s AS MATERIALIZED (SELECT set_config('synchronous_commit', $3, true))
         SELECT burst_limit, steady_limit, burst_since, burst_used, steady_since, steady_used,
                blocked_until
         FROM s, quota_buckets b WHERE account = $1 AND endpoint = $2 FOR UPDATE OF b",
        account,
        endpoint.as_str(),
        durability.as_str()
    )
    .fetch_optional(connection)
    .with_timeout()
    .await?
    .map(Bucket::try_from)
    .transpose()
}

/// Makes the bucket's row. `false` if another call was quicker.
async fn insert(
    connection: &mut PgConnection,
    account: &str,
    endpoint: Endpoint,
    bucket: &Bucket,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since,
            burst_used, steady_since, steady_used, blocked_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (account, endpoint) DO NOTHING",
        account,
        endpoint.as_str(),
        i64::from(bucket.limits.burst),
        i64::from(bucket.limits.steady),
        DbTimestamp(bucket.burst.since),
        i64::from(bucket.burst.used),
        DbTimestamp(bucket.steady.since),
        i64::from(bucket.steady.used),
        to_db(bucket.blocked_until)
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(done.rows_affected() > 0)
}

async fn update(
    connection: &mut PgConnection,
    account: &str,
    endpoint: Endpoint,
    bucket: &Bucket,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE quota_buckets SET burst_limit = $3, steady_limit = $4, burst_since = $5,
            burst_used = $6, steady_since = $7, steady_used = $8, blocked_until = $9
         WHERE account = $1 AND endpoint = $2",
        account,
        endpoint.as_str(),
        i64::from(bucket.limits.burst),
        i64::from(bucket.limits.steady),
        DbTimestamp(bucket.burst.since),
        i64::from(bucket.burst.used),
        DbTimestamp(bucket.steady.since),
        i64::from(bucket.steady.used),
        to_db(bucket.blocked_until)
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(())
}

impl PostgresStore {
    async fn change<T>(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
        durability: Durability,
        change: impl Fn(&mut Bucket) -> T + Send + Sync,
    ) -> Result<T, StoreError>
    where
        T: Send,
    {
        let (mut tx, _permit) = self.ledger.begin(&account.to_owned(), "BEGIN").await?;
        let mut before = lock(&mut tx, account, endpoint, durability).await?;
        if before.is_none() {
            let mut bucket = Bucket::new(endpoint, now);
            let answer = change(&mut bucket);
            if insert(&mut tx, account, endpoint, &bucket).await? {
                tx.commit().with_timeout().await?;
                return Ok(answer);
            }
            before = lock(&mut tx, account, endpoint, durability).await?;
        }
        // Rows are never deleted: after the insert found one, it is there.
        let before = before.unwrap_or_else(|| Bucket::new(endpoint, now));
        let mut bucket = before;
        let answer = change(&mut bucket);
        if bucket != before {
            update(&mut tx, account, endpoint, &bucket).await?;
        }
        tx.commit().with_timeout().await?;
        Ok(answer)
    }
}

#[async_trait]
impl QuotaLedger for PostgresStore {
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
        let row = sqlx::query_as!(
            BucketRow,
            "SELECT burst_limit, steady_limit, burst_since, burst_used, steady_since, steady_used,
                    blocked_until
             FROM quota_buckets WHERE account = $1 AND endpoint = $2",
            account,
            endpoint.as_str()
        )
        .fetch_optional(&self.control)
        .with_timeout()
        .await?;
        row.map_or_else(|| Ok(Bucket::new(endpoint, now)), Bucket::try_from)
    }
}
