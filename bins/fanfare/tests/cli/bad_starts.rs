//! A program that cannot start prints one line on standard error, and ends with status 1.

use std::fs;
use std::net::TcpListener;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::support::Installation;

const OTHER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Every command that works on the store refuses for the same reason, with the same line.
#[track_caller]
fn check(installation: &Installation, explanation: &str) {
    for arguments in [&["up"][..], &["org", "list"], &["org", "list", "--json"]] {
        installation.run(arguments).assert_refused(1, explanation);
    }
}

#[test]
fn a_taken_port_is_named_with_the_setting_that_chooses_another() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["FANFARE_API_ADDR", "FANFARE_WORKER_ADDR"] {
        let installation = Installation::new().with(setting, &address);
        let result = installation.run(&["up"]);
        result.assert_refused(1, &format!("the address {address} is in use"));
        assert!(result.errors.contains(setting), "{result:?}");
        assert!(!installation.store().exists(), "nothing was made");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let installation = Installation::new();
    fs::write(installation.path("file"), "").unwrap();
    let installation = installation.with("FANFARE_DATABASE_URL", "sqlite://file/fanfare.db");
    check(&installation, "the store file/fanfare.db cannot be written");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let installation = Installation::new();
    let letter = "Dear database, ".repeat(100);
    fs::write(installation.path("letter"), &letter).unwrap();
    let installation = installation.with("FANFARE_DATABASE_URL", "sqlite://letter");
    check(&installation, "letter is not a SQLite database");
    assert_eq!(
        fs::read_to_string(installation.path("letter")).unwrap(),
        letter
    );
}

#[test]
fn a_wrong_master_key_is_refused() {
    let installation = Installation::new();
    installation.create_organization();
    let installation = installation.with("FANFARE_MASTER_KEY", OTHER_KEY);
    check(&installation, "the master key is not the store's");
}

#[test]
fn a_lost_master_key_is_not_replaced() {
    let installation = Installation::new();
    installation.create_organization();
    let key = installation.path(".fanfare/master.key");
    fs::remove_file(&key).unwrap();
    check(&installation, "the master key .fanfare/master.key is gone");
    assert!(!key.exists());
}

/// Records in the store a migration of a later version.
async fn migrate_further(installation: &Installation, table: &str) {
    let store = SqliteConnectOptions::new().filename(installation.store());
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
    let installation = Installation::new();
    installation.create_organization();

    migrate_further(&installation, "fanfare_migrations").await;

    check(
        &installation,
        "was migrated by a newer version of this program",
    );
}

#[tokio::test]
async fn a_job_queue_of_a_newer_version_is_left_alone() {
    let installation = Installation::new();
    installation.create_organization();

    migrate_further(&installation, "_sqlx_migrations").await;

    let explanation = "the job queue in the store cannot be used: its schema is newer";
    check(&installation, explanation);
    installation
        .run(&["migrate", "--check"])
        .assert_refused(1, explanation);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    let installation = Installation::new().with("FANFARE_DATABASE_URL", "sqlite://other.db");
    let store = SqliteConnectOptions::new()
        .filename(installation.path("other.db"))
        .create_if_missing(true);
    let mut connection = store.connect().await.unwrap();
    let made = sqlx::query("CREATE TABLE recipes (name TEXT)");
    made.execute(&mut connection).await.unwrap();
    drop(connection);

    check(
        &installation,
        "the database other.db was not made by this program",
    );
}

#[test]
fn a_mistaken_setting_is_named() {
    let installation = Installation::new().with("FANFARE_LEASE_SECONDS", "soon");
    check(
        &installation,
        "FANFARE_LEASE_SECONDS: it must be a whole number",
    );

    let installation = Installation::new().with("FANFARE_DATABSE_URL", "sqlite://a.db");
    check(&installation, "did you mean FANFARE_DATABASE_URL?");

    // With a blank variable the value of the file counts.
    let installation = Installation::new().with("FANFARE_API_ADDR", "");
    fs::write(installation.path("fanfare.toml"), "api_addr = 'nowhere'").unwrap();
    check(
        &installation,
        "api_addr in fanfare.toml: it must be HOST:PORT",
    );
}
