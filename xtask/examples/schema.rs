//! Makes a database with a store's schema, for checked queries to be checked against:
//! `schema sqlite://PATH` or `schema postgres://…`, whose database is empty. Without an address,
//! checks that SQLite's migrations apply.
//!
//! An example rather than a part of xtask, so that `cargo xtask` itself is built without a database.

use std::path::Path;

use anyhow::{Context, Result};
use sqlx::migrate::Migrator;
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let address = std::env::args().nth(1);
    let address = address
        .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("schema.db").display()));
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");

    let migrated = if address.starts_with("sqlite:") {
        let options: SqliteConnectOptions = address.parse()?;
        let pool = SqlitePool::connect_with(options.create_if_missing(true)).await?;
        let migrator = Migrator::new(migrations.join("sqlite").as_path()).await?;
        let migrated = migrator.run(&pool).await;
        pool.close().await;
        migrated
    } else {
        let pool = PgPool::connect(&address).await?;
        let migrator = Migrator::new(migrations.join("postgres").as_path()).await?;
        let migrated = migrator.run(&pool).await;
        pool.close().await;
        migrated
    };
    migrated.context("the migrations do not apply to an empty database")
}
