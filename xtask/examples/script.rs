//! Writes the rows of a store into an empty one by a hand-made SQL script, and prints the seconds it
//! took: what no import can beat. `script STORE`; without a store, copies an empty one.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlitePool};

/// What an import leaves behind, in the order of the foreign keys.
const TABLES: [&str; 7] = [
    "sync_sources",
    "audiences",
    "consumers",
    "profile_links",
    "audience_list_memberships",
    "sync_runs",
    "sync_issues",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let source = if let Some(store) = std::env::args_os().nth(1) {
        PathBuf::from(store)
    } else {
        let empty = folder.path().join("empty.db");
        open(&empty).await?.close().await;
        empty
    };
    let pool = open(&folder.path().join("copy.db")).await?;
    sqlx::query("ATTACH DATABASE ?1 AS source")
        .bind(source.to_str().context("the store's path is not UTF-8")?)
        .execute(&pool)
        .await?;

    let begun = Instant::now();
    let mut transaction = pool.begin().await?;
    for table in TABLES {
        let insert = format!("INSERT INTO main.{table} SELECT * FROM source.{table}");
        sqlx::query(AssertSqlSafe(insert))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    println!("{:.6}", begun.elapsed().as_secs_f64());
    pool.close().await;
    Ok(())
}

/// Opens a store as the programs do, and migrates it. One connection: what it attaches stays.
async fn open(path: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .connect_with(options)
        .await?;
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    Migrator::new(migrations.as_path())
        .await?
        .run(&pool)
        .await?;
    Ok(pool)
}
