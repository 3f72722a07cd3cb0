//! The ledger of quotas. A statement reads a bucket and another writes it, in one transaction that excludes the
//! other writers of the ledger's file, whose transactions take microseconds.

use fanfare_domain::ports::StoreError;
use fanfare_domain::quota::{Bucket, Endpoint};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{BucketRow, one};
use sqlx::SqliteConnection;

use crate::repositories::quota::{Durability, put};
use crate::store::SqliteStore;
use crate::timeout::WithTimeout;

async fn load(
    connection: &mut SqliteConnection,
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
    let row = get.fetch_optional(connection).with_timeout().await?;
    Ok(one(row)?.unwrap_or_else(|| Bucket::new(endpoint, now)))
}

impl SqliteStore {
    /// The bucket, as it is at this moment.
    pub(crate) async fn load_bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError> {
        let mut connection = self.ledger.acquire().with_timeout().await?;
        load(&mut connection, account, endpoint, now).await
    }

    /// Changes the bucket by the domain's rules, with no other change in between. Every commit to the file
    /// is durable.
    pub(crate) async fn change<T>(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
        _durability: Durability,
        change: impl FnOnce(&mut Bucket) -> T + Send,
    ) -> Result<T, StoreError> {
        let begin = self.ledger.begin_with("BEGIN IMMEDIATE");
        let mut tx = begin.with_timeout().await?;
        let before = load(&mut tx, account, endpoint, now).await?;
        let mut bucket = before;
        let answer = change(&mut bucket);
        if bucket != before {
            put(&mut tx, account, endpoint, &bucket).await?;
        }
        tx.commit().with_timeout().await?;
        Ok(answer)
    }
}
