//! Migrating and opening: what is made, what is refused.

use apalis_postgres::PostgresStorage;
use fanfare_domain::profile::Profile;
use fanfare_postgres::{OpenError, PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::build::profile;
use secrecy::SecretString;

use crate::database::{Database, Login};
use crate::support::{org, store};

async fn open(address: &SecretString) -> Result<PostgresStore, OpenError> {
    PostgresStore::open(PostgresOptions::at(address)?).await
}

/// Opens a store that must be refused, in one line and without a password.
async fn refuse(address: &SecretString) -> OpenError {
    let refused = open(address).await.err().expect("the store is refused");
    let line = refused.to_string();
    assert!(!line.contains('\n') && line.len() > 20, "{line}");
    refused
}

#[tokio::test]
async fn migrators_at_once_all_find_a_store_and_again_later() {
    let database = Database::create().await;
    let migrators: Vec<_> = (0..8)
        .map(|_| {
            let address = database.address();
            tokio::spawn(async move { migrate(&address, None).await })
        })
        .collect();
    for migrator in migrators {
        migrator.await.unwrap().unwrap();
    }

    migrate(&database.address(), None).await.unwrap();

    open(&database.address())
        .await
        .unwrap()
        .health()
        .await
        .unwrap();
}

#[tokio::test]
async fn apalis_may_migrate_before_or_after_and_its_tables_are_the_roles() {
    let (before, after) = (Database::create().await, Database::create().await);
    let migrations = PostgresStorage::migrations();
    migrations.run(&before.pool()).await.unwrap();
    migrate(&before.address(), None).await.unwrap();
    migrate(&after.address(), None).await.unwrap();
    migrations.run(&after.pool()).await.unwrap();

    for database in [before, after] {
        migrate(&database.address(), None).await.unwrap();
        let store = open(&database.address()).await.unwrap();
        store.health().await.unwrap();
        for table in ["jobs", "workers"] {
            let may: bool = sqlx::query_scalar(
                "SELECT has_table_privilege('apalis.' || $1, 'SELECT, INSERT, UPDATE, DELETE')",
            )
            .bind(table)
            .fetch_one(&store.pool(1))
            .await
            .unwrap();
            assert!(may, "{table}");
        }
    }
}

#[tokio::test]
async fn a_database_without_a_schema_is_refused() {
    let database = Database::create().await;
    let refused = refuse(&database.address()).await;
    assert!(
        matches!(refused, OpenError::NotMigrated { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("fanfare migrate"));
}

/// The first emoji would end an import.
#[tokio::test]
async fn a_database_that_cannot_hold_every_character_is_refused_and_left_alone() {
    for encoding in ["WIN1252", "LATIN1", "SQL_ASCII"] {
        let database = Database::encoded_in(encoding).await;

        let migrated = migrate(&database.address(), None).await.unwrap_err();
        let opened = refuse(&database.address()).await;

        for refused in [migrated, opened] {
            assert!(matches!(refused, OpenError::Encoding { .. }), "{refused:?}");
            let line = refused.to_string();
            assert!(line.contains(encoding) && line.contains("UTF8"), "{line}");
        }
        let tables: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'",
        )
        .fetch_one(&database.pool())
        .await
        .unwrap();
        assert_eq!(tables, 0, "{encoding}");
    }
}

/// A search must find the same in it as in every other.
#[tokio::test]
async fn a_database_without_a_locale_is_taken() {
    let database = Database::encoded_in("UTF8").await;
    migrate(&database.address(), None).await.unwrap();
    open(&database.address()).await.unwrap();
}

#[tokio::test]
async fn a_database_with_search_texts_of_other_rules_is_refused_until_it_was_migrated() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let page: Vec<Profile> = (0..5)
        .map(|n| {
            let named = profile(&format!("p{n}")).email(&format!("e{n}@example.com"));
            named.first_name("ÅSA").build()
        })
        .collect();
    fixture.take(&run, &page).await;
    let database = &fixture.database;
    database
        .execute("INSERT INTO organizations (id, name, created_at) VALUES ('org_a', 'Shop', now())")
        .await;
    for (spoil, is_newer) in [
        ("DELETE FROM meta WHERE name = 'search_rules'", false),
        (
            "UPDATE meta SET value = '\\x00' WHERE name = 'search_rules'",
            false,
        ),
        (
            "UPDATE meta SET value = '\\xff' WHERE name = 'search_rules'",
            true,
        ),
    ] {
        database
            .execute("UPDATE consumers SET search_text = 'old'")
            .await;
        database.execute(spoil).await;

        let refused = refuse(&database.address()).await;
        let migrated = migrate(&database.address(), None).await;

        if is_newer {
            assert!(matches!(refused, OpenError::Newer { .. }), "{refused:?}");
            assert!(
                matches!(migrated, Err(OpenError::Newer { .. })),
                "{migrated:?}"
            );
            continue;
        }
        assert!(matches!(refused, OpenError::Older { .. }), "{refused:?}");
        migrated.unwrap();
        open(&database.address()).await.unwrap();
        let texts: Vec<String> =
            sqlx::query_scalar("SELECT search_text FROM consumers ORDER BY email")
                .fetch_all(&database.pool())
                .await
                .unwrap();
        let want = (0..5).map(|n| format!("e{n}@example.com\nåsa"));
        assert_eq!(texts, want.collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_database_with_tables_of_our_names_is_refused_and_left_alone() {
    let database = Database::create().await;
    database
        .execute("CREATE TABLE consumers (id integer)")
        .await;

    let refused = migrate(&database.address(), None).await.unwrap_err();

    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
    let columns: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM information_schema.columns WHERE table_name = 'consumers'",
    )
    .fetch_one(&database.pool())
    .await
    .unwrap();
    assert_eq!(columns, 1);
    let refused = refuse(&database.address()).await;
    assert!(
        matches!(refused, OpenError::NotMigrated { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn another_programs_table_of_migrations_is_refused() {
    let fixture = store().await;
    fixture
        .database
        .execute("DROP TABLE fanfare_migrations; CREATE TABLE fanfare_migrations (id integer)")
        .await;
    fixture
        .database
        .execute("GRANT SELECT ON fanfare_migrations TO fanfare_app")
        .await;

    let refused = refuse(&fixture.database.address()).await;

    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_schema_of_a_newer_version_is_refused_and_a_running_store_notices() {
    let fixture = store().await;
    fixture.database.execute("INSERT INTO fanfare_migrations (version, description, success, checksum, execution_time)
         VALUES (99991231000000, 'from the future', TRUE, '', 0)",
    )
    .await;

    let refused = refuse(&fixture.database.address()).await;
    let sick = fixture.store.health().await.unwrap_err();
    let migrated = migrate(&fixture.database.address(), None)
        .await
        .unwrap_err();

    assert!(matches!(refused, OpenError::Newer { .. }), "{refused:?}");
    assert!(matches!(sick, OpenError::Newer { .. }), "{sick:?}");
    assert!(matches!(migrated, OpenError::Newer { .. }), "{migrated:?}");
}

/// What a later version's migration does to the schema, and what that says of itself.
const EXPANSION: &str = "
    ALTER TABLE consumers ADD COLUMN nickname text, ADD COLUMN mood text NOT NULL DEFAULT 'good';
    CREATE TABLE later (organization_id text PRIMARY KEY);
    INSERT INTO fanfare_migrations (version, description, success, checksum, execution_time)
    VALUES (99991231000000, 'from the future', TRUE, '', 0)";

#[tokio::test]
async fn a_newer_schema_is_taken_and_left_as_it_is_while_it_says_that_this_version_runs_on_it() {
    let fixture = store().await;
    let database = &fixture.database;
    database.execute(EXPANSION).await;
    let mark = "UPDATE meta SET value = '99991231000000 20261128104101' WHERE name = 'schema'";
    database.execute(mark).await;

    fixture.store.health().await.unwrap();
    let opened = open(&database.address()).await.unwrap();
    assert!(opened.has_successor_schema().await.unwrap());
    let run = fixture.queue(&org("org_a"), "list1").await;
    fixture
        .take(&run, &[profile("p1").email("a@example.com").build()])
        .await;
    migrate(&database.address(), None).await.unwrap();
    assert!(opened.has_successor_schema().await.unwrap());

    // A contraction says which programs still run on it: not this one.
    let mark = "UPDATE meta SET value = '99991231000000 99991231000000' WHERE name = 'schema'";
    database.execute(mark).await;

    let refused = refuse(&database.address()).await;
    let sick = fixture.store.health().await.unwrap_err();
    let migrated = migrate(&database.address(), None).await.unwrap_err();
    for error in [refused, sick, migrated] {
        assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
    }
    let mark: Vec<u8> = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'schema'")
        .fetch_one(&database.pool())
        .await
        .unwrap();
    assert_eq!(mark, b"99991231000000 99991231000000");
}

#[tokio::test]
async fn two_databases_are_told_apart_and_one_is_known_again() {
    let (here, there) = (store().await, store().await);
    let identity = here.store.identity().await.unwrap();
    assert!(identity.is_some(), "the cluster tells");
    assert_ne!(there.store.identity().await.unwrap(), identity);
    let again = open(&here.database.address()).await.unwrap();
    assert_eq!(again.identity().await.unwrap(), identity);
}

#[tokio::test]
async fn a_schema_of_an_older_version_is_refused() {
    let fixture = store().await;
    fixture
        .database
        .execute(
            "DELETE FROM fanfare_migrations
         WHERE version = (SELECT max(version) FROM fanfare_migrations)",
        )
        .await;

    let refused = refuse(&fixture.database.address()).await;

    assert!(matches!(refused, OpenError::Older { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_migration_that_is_not_as_it_was_is_refused() {
    let fixture = store().await;
    fixture
        .database
        .execute("UPDATE fanfare_migrations SET checksum = ''")
        .await;

    let refused = refuse(&fixture.database.address()).await;
    let migrated = migrate(&fixture.database.address(), None)
        .await
        .unwrap_err();

    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
    assert!(
        matches!(migrated, OpenError::Foreign { .. }),
        "{migrated:?}"
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let address = SecretString::from("postgres://ada:canary@127.0.0.1:1/fanfare");
    let refused = refuse(&address).await;
    assert!(
        matches!(refused, OpenError::Unreachable { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("127.0.0.1:1/fanfare"));
    assert!(!format!("{refused:?}").contains("canary"));
}

#[tokio::test]
async fn the_programs_login_needs_no_right_of_its_own_but_to_take_the_role() {
    let login = Login::create().await;
    let database = Database::create().await;
    let programs = login.address(&database);
    migrate(&database.address(), None).await.unwrap();
    let refused = refuse(&programs).await;
    assert!(matches!(refused, OpenError::Role { .. }), "{refused:?}");
    assert!(refused.to_string().contains(&login.name), "{refused}");

    migrate(&database.address(), Some(&programs)).await.unwrap();

    let store = open(&programs).await.unwrap();
    let mut unit = fanfare_domain::ports::Store::read(&store, &org("org_a"))
        .await
        .unwrap();
    assert_eq!(unit.active_runs().await.unwrap(), []);
    assert_eq!(store.keep_meta("mark", b"one").await.unwrap(), b"one");
    assert_eq!(store.keep_meta("mark", b"two").await.unwrap(), b"one");
}

#[tokio::test]
async fn an_owner_that_is_no_superuser_can_migrate_once_the_role_is_there() {
    let (owner, programs) = (Login::create().await, Login::create().await);
    let database = Database::create().await;
    // Any other migration of the cluster has made the role; this makes sure of it.
    migrate(&Database::create().await.address(), None)
        .await
        .unwrap();
    owner.own(&database).await;
    programs.take_role().await;

    let address = owner.address(&database);
    migrate(&address, Some(&programs.address(&database)))
        .await
        .unwrap();

    open(&programs.address(&database)).await.unwrap();
}

#[tokio::test]
async fn a_login_that_is_not_there_is_named() {
    let database = Database::create().await;
    let nobody = database.address_as("nobody_of_this_name", "x");

    let refused = migrate(&database.address(), Some(&nobody))
        .await
        .unwrap_err();

    assert!(
        refused.to_string().contains("nobody_of_this_name"),
        "{refused}"
    );
}

/// Behind a migrator that waits for a table, all statements on it would wait.
#[tokio::test]
async fn a_table_that_is_read_for_long_is_waited_for_in_short_tries() {
    let fixture = store().await;
    fixture
        .database
        .execute(
            "ALTER TABLE run_seen_profiles RENAME TO run_sightings;
         DELETE FROM fanfare_migrations WHERE version = 20261128000003",
        )
        .await;
    let pool = fixture.database.pool();
    let mut dump = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM run_sightings")
        .execute(&mut *dump)
        .await
        .unwrap();
    let address = fixture.database.address();
    let migrating = tokio::spawn(async move { migrate(&address, None).await });
    for is_waiting in [true, false] {
        while is_table_waited_for(&pool).await != is_waiting {}
    }
    assert!(!migrating.is_finished());

    dump.commit().await.unwrap();

    migrating.await.unwrap().unwrap();
    fixture.store.health().await.unwrap();
}

async fn is_table_waited_for(pool: &sqlx::PgPool) -> bool {
    sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE relation IN (to_regclass('run_seen_profiles'), to_regclass('run_sightings')) AND NOT granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}
