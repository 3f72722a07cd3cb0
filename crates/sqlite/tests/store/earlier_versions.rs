//! Stores that earlier versions wrote.

use std::path::Path;

use fanfare_sqlite::SqliteStore;
use fanfare_testkit::earlier_versions::{RowsOfVersions, assert_readable};
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::support::clock;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");

fn rows() -> RowsOfVersions {
    RowsOfVersions::of_crate(env!("CARGO_MANIFEST_DIR"))
}

async fn migrator() -> Migrator {
    let mut migrator = Migrator::new(Path::new(MIGRATIONS)).await.unwrap();
    migrator.dangerous_set_table_name("fanfare_migrations");
    migrator
}

#[tokio::test]
async fn what_each_earlier_version_wrote_is_read_after_all_migrations() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let connect = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let old = SqlitePool::connect_with(connect).await.unwrap();
    let migrator = migrator().await;
    for version in rows().versions() {
        migrator.run_to(version, &old).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(rows().of(version)))
            .execute(&old)
            .await
            .unwrap();
    }
    old.close().await;

    let clock = clock();
    let store = SqliteStore::open(path.as_path(), clock.clone())
        .await
        .unwrap();

    assert_readable(&store).await;
}

#[tokio::test]
async fn each_migration_since_the_first_version_has_data() {
    let migrator = migrator().await;
    rows().assert_complete(migrator.iter().map(|migration| migration.version));
}
