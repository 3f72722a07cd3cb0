//! Opening a store: what is made, what is migrated, what is refused.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Barrier};

use apalis_sqlite::SqliteStorage;
use fanfare_sqlite::{OpenError, Schema, SqliteStore, schema};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool};

use crate::support::{clock, store};

async fn open(path: &Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(path, clock()).await
}

async fn plain(path: &Path) -> SqlitePool {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    SqlitePool::connect_with(connect).await.unwrap()
}

/// Opens a store that must be refused, and checks that the file is as it was.
async fn refuse(path: &Path) -> OpenError {
    let before = fs::read(path).ok();

    let refused = open(path).await.err().expect("the store is refused");

    assert_eq!(fs::read(path).ok(), before);
    refused
}

#[tokio::test]
async fn a_new_store_is_made_with_its_folder_and_for_no_other_user_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/yet/there/store.db");

    let store = open(&path).await.unwrap();

    store.health().await.unwrap();
    #[cfg(unix)]
    for file in fs::read_dir(path.parent().unwrap()).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.file_name());
    }
}

#[test]
fn starters_at_once_all_find_a_store_however_often_it_is_tried() {
    const STARTERS: usize = 6;
    for round in 0..30 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let start = Barrier::new(STARTERS);

        let opened: Vec<Result<(), String>> = std::thread::scope(|scope| {
            let starter = || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                start.wait();
                runtime.block_on(async {
                    let store = open(&path).await.map_err(|error| format!("{error:?}"))?;
                    store.health().await.map_err(|error| format!("{error:?}"))
                })
            };
            let starters: Vec<_> = (0..STARTERS).map(|_| scope.spawn(starter)).collect();
            starters
                .into_iter()
                .map(|starter| starter.join().unwrap())
                .collect()
        });

        assert_eq!(opened, vec![Ok(()); STARTERS], "round {round}");
    }
}

#[tokio::test]
async fn apalis_may_have_its_tables_in_the_file_before_or_after() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (
        folder.path().join("before.db"),
        folder.path().join("after.db"),
    );
    let queue = plain(&before).await;
    SqliteStorage::<()>::migrations().run(&queue).await.unwrap();
    queue.close().await;

    let store = open(&before).await.unwrap();
    open(&after).await.unwrap();
    let queue = plain(&after).await;
    SqliteStorage::<()>::migrations().run(&queue).await.unwrap();

    store.health().await.unwrap();
    open(&before).await.unwrap();
    open(&after).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    fs::write(&path, "Dear diary, this is no database.\n".repeat(100)).unwrap();

    let refused = refuse(&path).await;

    assert!(
        matches!(refused, OpenError::NotADatabase { .. }),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_database_with_tables_of_others_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let pool = plain(&path).await;
    sqlx::query("CREATE TABLE invoices (id INTEGER)")
        .execute(&pool)
        .await
        .unwrap();
    pool.close().await;

    let refused = refuse(&path).await;

    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_and_a_running_one_notices() {
    let fixture = store().await;
    let pool = plain(fixture.store.path()).await;
    sqlx::query(
        "INSERT INTO fanfare_migrations (version, description, success, checksum, execution_time)
         VALUES (99991231000000, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();

    let refused = open(fixture.store.path()).await.err().unwrap();
    let sick = fixture.store.health().await.unwrap_err();

    assert!(matches!(refused, OpenError::Newer { .. }), "{refused:?}");
    assert!(matches!(sick, OpenError::Newer { .. }), "{sick:?}");
}

/// What a later version's migration does to the schema.
const EXPANSION: &str = "
    ALTER TABLE consumers ADD COLUMN nickname TEXT;
    ALTER TABLE consumers ADD COLUMN mood TEXT NOT NULL DEFAULT 'good';
    CREATE TABLE later (organization_id TEXT NOT NULL PRIMARY KEY);
    INSERT INTO fanfare_migrations (version, description, success, checksum, execution_time)
    VALUES (99991231000000, 'from the future', TRUE, x'00', 0)";

#[tokio::test]
async fn a_newer_schema_is_taken_and_left_as_it_is_while_it_says_that_this_version_runs_on_it() {
    let fixture = store().await;
    let path = fixture.store.path();
    let pool = plain(path).await;
    sqlx::raw_sql(EXPANSION).execute(&pool).await.unwrap();
    let mark = async |text: &str| {
        let mark = sqlx::query("UPDATE meta SET value = $1 WHERE name = 'schema'");
        mark.bind(text.as_bytes()).execute(&pool).await.unwrap();
    };

    mark("99991231000000 20261128104101").await;

    fixture.store.health().await.unwrap();
    let opened = open(path).await.unwrap();
    opened.health().await.unwrap();
    assert_eq!(schema(path).await.unwrap(), Schema::Successor);
    let organization = crate::support::org("org_a");
    fixture.begin(&organization).await.commit().await.unwrap();

    // A contraction says which programs still run on it: not this one.
    mark("99991231000000 99991231000000").await;

    let refused = open(path).await.err().unwrap();
    let sick = fixture.store.health().await.unwrap_err();
    for error in [refused, sick] {
        assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
    }
    let mark: Vec<u8> = sqlx::query_scalar("SELECT value FROM meta WHERE name = 'schema'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(mark, b"99991231000000 99991231000000");
}

#[tokio::test]
async fn a_migration_that_is_not_as_it_was_is_refused() {
    let fixture = store().await;
    let pool = plain(fixture.store.path()).await;
    sqlx::query("UPDATE fanfare_migrations SET checksum = x'00'")
        .execute(&pool)
        .await
        .unwrap();

    let refused = open(fixture.store.path()).await.err().unwrap();

    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    for place in [
        folder.path().join("file/store.db"),
        folder.path().to_owned(),
    ] {
        let refused = refuse(&place).await;

        assert!(
            matches!(refused, OpenError::NotWritable { .. }),
            "{refused:?}"
        );
        assert!(
            refused.to_string().contains(place.to_str().unwrap()),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_store_whose_file_was_taken_away_is_not_healthy() {
    let fixture = store().await;
    fs::remove_file(fixture.store.path()).unwrap();

    let sick = fixture.store.health().await.unwrap_err();

    assert!(matches!(sick, OpenError::Replaced { .. }), "{sick:?}");
}

#[tokio::test]
async fn a_mark_is_kept_as_it_was_first_given() {
    let fixture = store().await;
    assert_eq!(
        fixture.store.keep_meta("mark", b"one").await.unwrap(),
        b"one"
    );

    let again = open(fixture.store.path()).await.unwrap();

    assert_eq!(again.keep_meta("mark", b"two").await.unwrap(), b"one");
}

#[tokio::test]
async fn a_process_may_open_a_store_that_another_is_writing() {
    let fixture = Arc::new(store().await);
    let organization = crate::support::org("org_a");
    let unit = fixture.begin(&organization).await;

    let other = open(fixture.store.path()).await;

    unit.commit().await.unwrap();
    other.unwrap();
}
