//! The file of the quota ledger, beside the store's: SQLite has one writer for each file, and a reservation must
//! not wait for a page's transaction.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, SqliteConnection, SqlitePool};

use crate::error::{OpenError, sqlite_error};
use crate::migrate::private_file;
use crate::options::{connect_options, pool};

/// The text that made the table in the store's own file, where versions before this one kept it, and
/// where checked queries are checked.
const SCHEMA: &str = include_str!("../../../migrations/sqlite/20261124000002_quota.sql");

/// What the table has got since. The store's own file has it from a migration.
const BLOCKED_AT: &str = "ALTER TABLE quota_buckets ADD COLUMN blocked_at INTEGER";

/// The version of the ledger's schema. Programs that know a lower one only may use the file, too.
const VERSION: i64 = 2;

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

/// Makes the table in a new ledger, with the buckets that the store's own file has from before, or brings it up to
/// date.
async fn make(ledger: &SqlitePool, old: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut tx = ledger.begin_with("BEGIN IMMEDIATE").await?;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut *tx)
        .await?;
    if version >= VERSION {
        return tx.commit().await;
    }
    if version == 0 {
        sqlx::raw_sql(SCHEMA).execute(&mut *tx).await?;
    }
    sqlx::raw_sql(BLOCKED_AT).execute(&mut *tx).await?;
    if version == 0 {
        carry_over(&mut tx, old).await?;
    }
    let statement = format!("PRAGMA user_version = {VERSION}");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *tx)
        .await?;
    tx.commit().await
}

/// Takes over the buckets that a version before kept in the store's own file.
async fn carry_over(tx: &mut SqliteConnection, old: &SqlitePool) -> Result<(), sqlx::Error> {
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
        carry.execute(&mut *tx).await?;
    }
    Ok(())
}
