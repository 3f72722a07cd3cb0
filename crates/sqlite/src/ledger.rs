//! Klaviyo's quotas, in a file of their own beside the store: SQLite has one writer for each file, and a
//! reservation must not wait for a page's transaction.
//!
//! The rules are the domain's; a statement reads a bucket and another writes it, in one transaction that
//! excludes the other writers of the ledger, whose transactions take microseconds.

use std::path::{Path, PathBuf};

use fanfare_domain::ports::StoreError;
use fanfare_domain::quota::{Bucket, Endpoint};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{BucketRow, one};
use sqlx::{SqliteConnection, SqlitePool};

use crate::error::OpenError;
use crate::migrate::{private_file, sqlite_error};
use crate::options::connect_options;
use crate::repositories::quota::{Durability, put};
use crate::store::{SqliteStore, pool};
use crate::timeout::WithTimeout;

/// The text that made the table in the store's own file, where versions before this one kept it, and
/// where checked queries are checked.
const SCHEMA: &str = include_str!("../../../migrations/sqlite/20261124000002_quota.sql");

/// The ledger's file: `fanfare-quota.db` beside `fanfare.db`.
pub(crate) fn path_beside(store: &Path) -> PathBuf {
    let mut name = store.file_stem().unwrap_or_default().to_owned();
    name.push("-quota.db");
    store.with_file_name(name)
}

/// Opens the ledger of a store, making it where there is none. The caller holds the store's schema lock.
pub(crate) async fn open(store: &Path, old: &SqlitePool) -> Result<SqlitePool, OpenError> {
    let path = path_beside(store);
    private_file()
        .open(&path)
        .map_err(|source| OpenError::NotWritable {
            path: path.clone(),
            source,
        })?;
    // With the store's own `synchronous = FULL`: a block must survive a power cut.
    let ledger = pool(1).connect_lazy_with(connect_options(&path));
    match make(&ledger, old).await {
        Ok(()) => Ok(ledger),
        Err(source) => Err(sqlite_error(&path, source)),
    }
}

/// Makes the table in a new ledger, with the buckets that the store's own file has from before.
async fn make(ledger: &SqlitePool, old: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut tx = ledger.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *tx)
        .await?;
    if version > 0 {
        return tx.commit().await;
    }
    sqlx::raw_sql(SCHEMA).execute(&mut *tx).await?;
    for row in sqlx::query_file!("sql/quota_buckets/all.sql")
        .fetch_all(old)
        .await?
    {
        let carry = sqlx::query_file!(
            "sql/quota_buckets/put.sql",
            row.account,
            row.endpoint,
            row.burst_limit,
            row.steady_limit,
            row.burst_since,
            row.burst_used,
            row.steady_since,
            row.steady_used,
            row.blocked_until
        );
        carry.execute(&mut *tx).await?;
    }
    sqlx::raw_sql("PRAGMA user_version = 1")
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

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
