//! Stores that earlier versions wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fanfare_domain::ports::QuotaLedger;
use fanfare_domain::quota::{Endpoint, Reservation};
use fanfare_sqlite::SqliteStore;
use fanfare_testkit::earlier_versions::assert_readable;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::support::clock;

/// Rows as each version wrote them: a file for each migration from the first version's last one on.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");

/// The versions of which there is data, in order.
fn versions_with_data() -> BTreeSet<i64> {
    let files = fs::read_dir(DATA).unwrap();
    let version = |file: fs::DirEntry| {
        let name = file.file_name().into_string().unwrap();
        name.strip_suffix(".sql").unwrap().parse().unwrap()
    };
    files.map(|file| version(file.unwrap())).collect()
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
    for version in versions_with_data() {
        migrator.run_to(version, &old).await.unwrap();
        let rows = fs::read_to_string(format!("{DATA}/{version}.sql")).unwrap();
        sqlx::raw_sql(AssertSqlSafe(rows))
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
    let now = fanfare_domain::ports::Clock::now(clock.as_ref());
    let reserved = store.reserve("account:AbC123", Endpoint::Lists, now).await;
    assert!(
        matches!(reserved.unwrap(), Reservation::NotBefore(_)),
        "blocked until 2100"
    );
}

#[tokio::test]
async fn each_migration_since_the_first_version_has_data() {
    let with_data = versions_with_data();
    let first = with_data.first().copied().unwrap();
    let migrator = migrator().await;
    let versions: BTreeSet<i64> = migrator.iter().map(|migration| migration.version).collect();

    let newer: BTreeSet<i64> = versions.range(first..).copied().collect();
    assert_eq!(
        with_data, newer,
        "add tests/data/VERSION.sql for each migration"
    );
}
