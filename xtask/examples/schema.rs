//! Makes a SQLite database with the embedded store's schema, for checked queries to be checked
//! against: `schema PATH`. Without a path, checks that the migrations apply.
//!
//! An example rather than a part of xtask, so that `cargo xtask` itself is built without a database.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = std::env::args_os().nth(1).map(PathBuf::from);
    let path = path.unwrap_or_else(|| folder.path().join("schema.db"));
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");

    let options = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await?;
    let migrator = Migrator::new(migrations.as_path()).await?;
    migrator
        .run(&pool)
        .await
        .context("the migrations do not apply to an empty database")?;
    pool.close().await;
    Ok(())
}
