//! The file beside the store's, which many callers write at once: Klaviyo's quotas and the rate limits of
//! organizations. SQLite has one writer for each file, and neither a request to Klaviyo nor one to the API must wait
//! for a page's transaction.
//!
//! Nothing in it is worth a backup. That helps to tell a backup that was restored: the file's number is drawn when it
//! is made, and the store knows it.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Sqlite, SqlitePool, Transaction};

use crate::error::{OpenError, sqlite_error};
use crate::migrate::private_file;
use crate::options::{connect_options, pool};

/// The texts that make the tables in the store's own file: versions before this one kept quotas there, and checked
/// queries are checked there.
const QUOTAS: &str = include_str!("../../../migrations/sqlite/20261124000002_quota.sql");
const REQUEST_COUNTS: &str =
    include_str!("../../../migrations/sqlite/20261128104101_request_counts.sql");
const CHECK_COUNTS: &str =
    include_str!("../../../migrations/sqlite/20261128110101_check_counts.sql");

/// What the table has got since. The store's own file has it from a migration.
const BLOCKED_AT: &str = "ALTER TABLE quota_buckets ADD COLUMN blocked_at INTEGER";

/// The version of the ledger's schema. Programs that know a lower one only may use the file, too.
const VERSION: i64 = 4;

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

/// The number that was drawn when the file was made.
pub(crate) async fn number(ledger: &SqlitePool) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(ledger)
        .await
}

/// Makes what is missing in the file. Its `user_version` says what is there: 1 has quotas, 2 the beginnings of blocks
/// too, 3 request counts and a number, 4 counts of checks.
async fn make(ledger: &SqlitePool, old: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut tx = ledger.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *tx)
        .await?;
    if version >= VERSION {
        return tx.commit().await;
    }
    if version < 1 {
        sqlx::raw_sql(QUOTAS).execute(&mut *tx).await?;
    }
    if version < 2 {
        sqlx::raw_sql(BLOCKED_AT).execute(&mut *tx).await?;
    }
    if version < 1 {
        carry_over(&mut tx, old).await?;
    }
    if version < 3 {
        sqlx::raw_sql(REQUEST_COUNTS).execute(&mut *tx).await?;
        let number: i64 = sqlx::query_scalar("SELECT 1 + abs(random() % 2147483646)")
            .fetch_one(&mut *tx)
            .await?;
        let mark = format!("PRAGMA application_id = {number}");
        sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(CHECK_COUNTS).execute(&mut *tx).await?;
    let mark = format!("PRAGMA user_version = {VERSION}");
    sqlx::raw_sql(AssertSqlSafe(mark)).execute(&mut *tx).await?;
    tx.commit().await
}

/// Takes over the quotas that the store's own file has from before.
async fn carry_over(tx: &mut Transaction<'_, Sqlite>, old: &SqlitePool) -> Result<(), sqlx::Error> {
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
            row.blocked_until,
            row.blocked_at
        );
        carry.execute(&mut **tx).await?;
    }
    Ok(())
}
