//! What keeps a program from starting is one line on standard error, and exit status 1.

use std::fs;
use std::net::TcpListener;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::Place;

const OTHER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Whatever works on the store refuses to for the same reason, in the same way.
#[track_caller]
fn check(place: &Place, explanation: &str) {
    for arguments in [&["up"][..], &["org", "list"], &["org", "list", "--json"]] {
        place.run(arguments).assert_refused(1, explanation);
    }
}

#[test]
fn a_taken_port_is_named_with_the_setting_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["FANFARE_API_ADDR", "FANFARE_WORKER_ADDR"] {
        let place = Place::new().with(setting, &address);
        let ran = place.run(&["up"]);
        ran.assert_refused(1, &format!("the address {address} is in use"));
        assert!(ran.errors.contains(setting), "{ran:?}");
        assert!(!place.store().exists(), "nothing was made");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let place = Place::new();
    fs::write(place.path("file"), "").unwrap();
    let place = place.with("FANFARE_DATABASE_URL", "sqlite://file/fanfare.db");
    check(&place, "the store file/fanfare.db cannot be written");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let place = Place::new();
    let letter = "Dear database, ".repeat(100);
    fs::write(place.path("letter"), &letter).unwrap();
    let place = place.with("FANFARE_DATABASE_URL", "sqlite://letter");
    check(&place, "letter is not a SQLite database");
    assert_eq!(fs::read_to_string(place.path("letter")).unwrap(), letter);
}

#[test]
fn another_master_key_than_the_stores_is_noticed() {
    let place = Place::new();
    place.create_organization();
    let place = place.with("FANFARE_MASTER_KEY", OTHER_KEY);
    check(
        &place,
        "the master key is not the one this store was made with",
    );
}

#[test]
fn a_lost_master_key_is_not_made_anew() {
    let place = Place::new();
    place.create_organization();
    let key = place.path(".fanfare/master.key");
    fs::remove_file(&key).unwrap();
    check(&place, "the master key .fanfare/master.key is gone");
    assert!(!key.exists());
}

/// Tells the store that a migration of the future was applied to these tables.
async fn migrate_further(place: &Place, table: &str) {
    let store = SqliteConnectOptions::new().filename(place.store());
    let mut connection = store.connect().await.unwrap();
    let further = format!(
        "INSERT INTO {table} (version, description, success, checksum, execution_time)
         VALUES (99991231000001, 'of the future', TRUE, x'00', 0)"
    );
    sqlx::query(AssertSqlSafe(further))
        .execute(&mut connection)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() {
    let place = Place::new();
    place.create_organization();

    migrate_further(&place, "fanfare_migrations").await;

    check(&place, "was migrated by a newer version of this program");
}

#[tokio::test]
async fn a_job_queue_of_a_newer_version_is_left_alone() {
    let place = Place::new();
    place.create_organization();

    migrate_further(&place, "_sqlx_migrations").await;

    let explanation = "the job queue in the store cannot be used: its schema is newer";
    check(&place, explanation);
    place
        .run(&["migrate", "--check"])
        .assert_refused(1, explanation);
}

#[tokio::test]
async fn somebody_elses_database_is_left_alone() {
    let place = Place::new().with("FANFARE_DATABASE_URL", "sqlite://other.db");
    let store = SqliteConnectOptions::new()
        .filename(place.path("other.db"))
        .create_if_missing(true);
    let mut connection = store.connect().await.unwrap();
    let made = sqlx::query("CREATE TABLE recipes (name TEXT)");
    made.execute(&mut connection).await.unwrap();
    drop(connection);

    check(&place, "the database other.db was not made by this program");
}

#[test]
fn a_mistaken_setting_is_named() {
    let place = Place::new().with("FANFARE_LEASE_SECONDS", "soon");
    check(&place, "FANFARE_LEASE_SECONDS: it must be a whole number");

    let place = Place::new().with("FANFARE_DATABSE_URL", "sqlite://a.db");
    check(&place, "did you mean FANFARE_DATABASE_URL?");

    // A blank variable leaves the word to the file.
    let place = Place::new().with("FANFARE_API_ADDR", "");
    fs::write(place.path("fanfare.toml"), "api_addr = 'nowhere'").unwrap();
    check(&place, "api_addr in fanfare.toml: it must be HOST:PORT");
}
