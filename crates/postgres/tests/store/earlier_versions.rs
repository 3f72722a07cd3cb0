//! Databases that earlier versions wrote.

use std::path::Path;

use fanfare_postgres::{PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::earlier_versions::{RowsOfVersions, assert_readable};
use secrecy::ExposeSecret;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;

use crate::database::{Database, Login};

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/postgres");

fn rows() -> RowsOfVersions {
    RowsOfVersions::of_crate(env!("CARGO_MANIFEST_DIR"))
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
    for version in rows().versions() {
        migrator.run_to(version, &pool).await.unwrap();
        let superuser = database.pool();
        sqlx::raw_sql(AssertSqlSafe(rows().of(version)))
            .execute(&superuser)
            .await
            .unwrap();
    }
    pool.close().await;

    migrate(&owner, None).await.unwrap();

    let options = PostgresOptions::at(&database.address()).unwrap();
    let store = PostgresStore::open(options).await.unwrap();
    assert_readable(&store).await;
}

#[tokio::test]
async fn each_migration_since_the_first_version_has_data() {
    let migrator = migrator().await;
    rows().assert_complete(migrator.iter().map(|migration| migration.version));
}
