//! Databases that an earlier version wrote.

use std::path::Path;

use fanfare_domain::consumer::Stamp;
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::ports::Store;
use fanfare_domain::time::Timestamp;
use fanfare_postgres::{PostgresOptions, PostgresStore, migrate};
use sqlx::migrate::Migrator;

use crate::database::{Database, Login};
use crate::support::org;

/// The last migration before stamps were one document.
const STAMPS_IN_COLUMNS: i64 = 20_261_128_000_003;

/// By an owner who is no superuser, whom row security binds too.
#[tokio::test]
async fn stamps_in_columns_are_read_from_their_document_after_the_upgrade() {
    let login = Login::create().await;
    let (elsewhere, database) = (Database::create().await, Database::create().await);
    // Makes the role, which the owner may not.
    migrate(&elsewhere.address(), None).await.unwrap();
    login.take_role().await;
    login.own(&database).await;
    let owner = login.address(&database);
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/postgres");
    let mut migrator = Migrator::new(migrations).await.unwrap();
    migrator.dangerous_set_table_name("fanfare_migrations");
    let pool = sqlx::PgPool::connect(secrecy::ExposeSecret::expose_secret(&owner))
        .await
        .unwrap();
    migrator.run_to(STAMPS_IN_COLUMNS, &pool).await.unwrap();
    pool.close().await;
    database
        .execute(
            "INSERT INTO consumers (organization_id, id, phone, phone_updated, phone_profile,
                full_name, full_name_updated, full_name_profile, created_at, created_by)
             VALUES ('org_a', 'c1', '+14155550101', '2023-11-14 22:13:20.000001Z', 'p1', 'Ada', NULL,
                        'p2', now(), 'user'),
                    ('org_a', 'c2', '+14155550102', NULL, NULL, NULL, NULL, NULL, now(), 'user')",
        )
        .await;

    migrate(&owner, None).await.unwrap();

    let options = PostgresOptions::at(&database.address()).unwrap();
    let store = PostgresStore::open(options).await.unwrap();
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
