//! Writes the rows of a store into an empty one by a hand-made SQL script, and prints the seconds it
//! took: what no import can beat. `script STORE TABLE…` writes the rows of these tables, one table after the other.
//!
//! The script is text: inserts of rows as literals, in the order of the primary key and in one transaction. Writing it down
//! is not measured. It does what an import has to do as well: SQLite builds every tree of the tables and their indexes row by
//! row. (`INSERT … SELECT * FROM` an attached store does not: where both tables are alike, SQLite copies finished trees.)

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlitePool};

/// How many rows a statement inserts: as many as a few pages have.
const ROWS: usize = 500;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let Some(store) = arguments.next().map(PathBuf::from) else {
        println!("skipped: `cargo xtask bench` tells it STORE TABLE…");
        return Ok(());
    };
    let tables = arguments
        .map(|table| {
            table
                .into_string()
                .ok()
                .context("a table's name is no text")
        })
        .collect::<Result<Vec<String>>>()?;
    let mut script = Vec::new();
    let source = connect(&store).await?;
    for table in &tables {
        script.extend(inserts(&source, table).await?);
    }
    source.close().await;

    let folder = tempfile::tempdir()?;
    let pool = connect(&folder.path().join("written.db")).await?;
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let migrations = Migrator::new(migrations.as_path()).await?;
    migrations.run(&pool).await?;
    let begun = Instant::now();
    let mut transaction = pool.begin().await?;
    for insert in script {
        sqlx::raw_sql(AssertSqlSafe(insert))
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    println!("{:.6}", begun.elapsed().as_secs_f64());
    pool.close().await;
    Ok(())
}

/// The statements that insert a table's rows.
async fn inserts(store: &SqlitePool, table: &str) -> Result<Vec<String>> {
    let columns = "SELECT group_concat('quote(\"' || name || '\")', ' || '','' || ') FROM pragma_table_info(?1)";
    let columns: Option<String> = sqlx::query_scalar(columns)
        .bind(table)
        .fetch_one(store)
        .await?;
    let columns = columns.with_context(|| format!("there is no table {table}"))?;
    // A table without row ids is read in the order of its primary key.
    let rows = format!("SELECT '(' || {columns} || ')' FROM {table}");
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(rows))
        .fetch_all(store)
        .await?;
    let inserts = rows.chunks(ROWS);
    let inserts = inserts.map(|rows| format!("INSERT INTO {table} VALUES {}", rows.join(",\n")));
    Ok(inserts.collect())
}

/// Connects to a store as the connection of the programs does that writes. What a crash of the machine would lose is left to
/// the system, unlike theirs.
async fn connect(path: &Path) -> Result<SqlitePool> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .pragma("secure_delete", "ON")
        .pragma("cache_size", "-16384")
        .pragma("temp_store", "MEMORY")
        .pragma("wal_autocheckpoint", "8000");
    let pool = SqlitePoolOptions::new().max_connections(1);
    Ok(pool.connect_with(options).await?)
}
