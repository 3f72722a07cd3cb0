//! The ledger of quotas. A statement reads a bucket and locks its row until another has written it.

use fanfare_domain::ports::StoreError;
use fanfare_domain::quota::{Bucket, Endpoint};
use fanfare_domain::time::Timestamp;
use sqlx::PgConnection;

use crate::repositories::quota::{Durability, put};
use crate::store::PostgresStore;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{BucketRow, DbTimestamp, one, to_db};

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
                blocked_until, blocked_at
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
    let put = sqlx::query!(
        "INSERT INTO quota_buckets (account, endpoint, burst_limit, steady_limit, burst_since,
            burst_used, steady_since, steady_used, blocked_until, blocked_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account, endpoint) DO NOTHING",
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
    let done = put.execute(connection).with_timeout().await?;
    Ok(done.rows_affected() > 0)
}

impl PostgresStore {
    /// The bucket, as it is at this moment.
    pub(crate) async fn load_bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        let get = sqlx::query_file_as!(
            BucketRow,
            "../sql-rows/sql/quota_buckets/get.sql",
            account,
            endpoint.as_str()
        );
        let row = get.fetch_optional(&self.control).with_timeout().await?;
        Ok(one(row)?.unwrap_or_else(|| Bucket::new(endpoint, now)))
    }

    /// Changes the bucket by the domain's rules, with no other change in between.
    pub(crate) async fn change<T>(
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
        let (mut tx, _permit) = self.ledger.begin(&account.to_owned()).await?;
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
            put(&mut tx, account, endpoint, &bucket).await?;
        }
        tx.commit().with_timeout().await?;
        Ok(answer)
    }
}
