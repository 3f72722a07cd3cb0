//! Stores that an earlier version wrote.

use std::path::Path;

use fanfare_domain::consumer::Stamp;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::Store;
use fanfare_domain::time::Timestamp;
use fanfare_sqlite::SqliteStore;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::support::{clock, org};

/// The last migration before stamps were one document.
const STAMPS_IN_COLUMNS: i64 = 20_261_128_000_003;

#[tokio::test]
async fn stamps_in_columns_are_read_from_their_document_after_the_upgrade() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let connect = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true);
    let old = SqlitePool::connect_with(connect).await.unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite");
    let mut migrator = Migrator::new(migrations).await.unwrap();
    migrator.dangerous_set_table_name("fanfare_migrations");
    migrator.run_to(STAMPS_IN_COLUMNS, &old).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO consumers (organization_id, id, phone, phone_updated, phone_profile, full_name,
            full_name_updated, full_name_profile, created_at, created_by)
         VALUES ('org_a', 'c1', '+14155550101', 1700000000000001, 'p1', 'Ada', NULL, 'p2', 1, 'user'),
                ('org_a', 'c2', '+14155550102', NULL, NULL, NULL, NULL, NULL, 1, 'user')",
    )
    .execute(&old)
    .await
    .unwrap();
    old.close().await;

    let store = SqliteStore::open(path.as_path(), clock()).await.unwrap();

    let mut unit = store.read(&org("org_a")).await.unwrap();
    let (first, second) = (
        ConsumerId::parse("c1").unwrap(),
        ConsumerId::parse("c2").unwrap(),
    );
    let first = unit.consumer(&first).await.unwrap().unwrap().consumer;
    let second = unit.consumer(&second).await.unwrap().unwrap().consumer;
    let stamp = |updated, profile: &str| Stamp {
        updated,
        profile: ProfileId::parse(profile).unwrap(),
    };
    let updated = Timestamp::from_micros(1_700_000_000_000_001);
    assert_eq!(first.phone.unwrap().by, Some(stamp(updated, "p1")));
    assert_eq!(first.full_name.unwrap().by, Some(stamp(None, "p2")));
    assert_eq!(second.phone.unwrap().by, None);
}
