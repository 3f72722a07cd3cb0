//! Databases that earlier versions wrote.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fanfare_domain::ports::QuotaLedger;
use fanfare_domain::quota::{Endpoint, Reservation};
use fanfare_domain::time::Timestamp;
use fanfare_postgres::{PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::earlier_versions::assert_readable;
use secrecy::ExposeSecret;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;

use crate::database::{Database, Login};

/// Rows as each version wrote them: a file for each migration from the first version's last one on.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");

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

/// By an owner who is no superuser, whom row security binds too.
#[tokio::test]
async fn what_each_earlier_version_wrote_is_read_after_all_migrations() {
    let login = Login::create().await;
    let (elsewhere, database) = (Database::create().await, Database::create().await);
    // Makes the role, which the owner may not.
    migrate(&elsewhere.address(), None).await.unwrap();
    login.take_role().await;
    login.own(&database).await;
    let owner = login.address(&database);
    let migrator = migrator().await;
    let pool = sqlx::PgPool::connect(owner.expose_secret()).await.unwrap();
    for version in versions_with_data() {
        migrator.run_to(version, &pool).await.unwrap();
        let rows = fs::read_to_string(format!("{DATA}/{version}.sql")).unwrap();
        let superuser = database.pool();
        sqlx::raw_sql(AssertSqlSafe(rows))
            .execute(&superuser)
            .await
            .unwrap();
    }
    pool.close().await;

    migrate(&owner, None).await.unwrap();

    let options = PostgresOptions::at(&database.address()).unwrap();
    let store = PostgresStore::open(options).await.unwrap();
    assert_readable(&store).await;
    let now = Timestamp::parse("2026-11-28T12:00:00Z").unwrap();
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
