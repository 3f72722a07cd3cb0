//! The same programs on the shared store.

use std::env;
use std::process::Output;

use serde_json::Value;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::runtime::Builder;

use crate::support::{Installation, KLAVIYO_KEY, klaviyo};

/// A superuser's address of a cluster.
const VARIABLE: &str = "FANFARE_TEST_DATABASE_URL";

const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

pub(crate) const PASSWORD: &str = "canary-of-postgres";

/// An empty database with a login for the programs that may do nothing yet; both are dropped with it.
pub(crate) struct Database {
    name: String,
}

#[expect(clippy::disallowed_methods, reason = "where the tests' cluster is")]
fn cluster() -> PgConnectOptions {
    let address = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask test --install`, which provides Postgres")
    });
    address.parse().expect("the address of a cluster")
}

fn run(connect: &PgConnectOptions, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = connect.connect().await.unwrap();
        let result = sqlx::raw_sql(statement).execute(&mut connection).await;
        result.unwrap();
    });
}

impl Database {
    pub(crate) fn create() -> Self {
        Self::create_with("")
    }

    fn create_with(options: &str) -> Self {
        let unique = tempfile::Builder::new().prefix("cli_").tempdir().unwrap();
        let name = unique.path().file_name().unwrap().to_string_lossy();
        let name = format!("fanfare_test_{}", name.to_lowercase());
        run(&cluster(), &format!("CREATE DATABASE {name} {options}"));
        let login = format!("CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'");
        run(&cluster(), &login);
        Self { name }
    }

    /// Its name, which is also that of the login.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn owner(&self) -> PgConnectOptions {
        cluster().database(&self.name)
    }

    /// An installation whose programs use the database with their own login.
    pub(crate) fn installation(&self) -> Installation {
        let login = self.owner().username(&self.name).password(PASSWORD);
        Installation::new()
            .with("FANFARE_DATABASE_URL", login.to_url_lossy())
            .with("FANFARE_MASTER_KEY", MASTER_KEY)
    }

    /// Runs statements as the superuser.
    pub(crate) fn run(&self, statements: &str) {
        run(&self.owner(), statements);
    }

    pub(crate) fn migrate(&self, installation: &Installation) {
        let done = self.try_to_migrate(installation);
        let errors = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(0), "{errors}");
    }

    fn try_to_migrate(&self, installation: &Installation) -> Output {
        let mut migrate = installation.command(&["migrate"]);
        let owner = self.owner().to_url_lossy().to_string();
        let migrate = migrate.env("FANFARE_MIGRATION_DATABASE_URL", owner);
        migrate.output().unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = &self.name;
        run(&cluster(), &format!("DROP DATABASE {name} WITH (FORCE)"));
        run(&cluster(), &format!("DROP ROLE {name}"));
    }
}

#[test]
fn an_import_on_postgres_ends_as_on_the_embedded_store() {
    let simulator = klaviyo();
    let database = Database::create();
    let installation = database
        .installation()
        .with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    database.migrate(&installation);
    installation.create_organization();
    let connected = installation.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);
    assert_eq!(connected.status, 0, "{connected:?}");
    let up = installation.up();
    let worker = up.worker.trim_start_matches("http://").to_owned();

    let import = ["klaviyo", "import", "RtPqXs", "XyZaBc", "--wait", "--json"];
    let outcome = installation.run(&import).json();

    let processed: Vec<&Value> = outcome["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| &run["progress"]["processed"])
        .collect();
    assert_eq!(processed, [230, 30]);
    let doctor = installation
        .with("FANFARE_WORKER_ADDR", worker)
        .run(&["doctor"]);
    assert_eq!(doctor.status, 0, "{doctor:?}");
    assert!(!doctor.output.contains(PASSWORD), "{doctor:?}");
}

#[test]
fn programs_refuse_a_schema_of_another_version_and_change_nothing() {
    let database = Database::create();
    let installation = database.installation();
    let refused = |explanation: &str| {
        for arguments in [&["up"][..], &["org", "list"]] {
            installation.run(arguments).assert_refused(1, explanation);
        }
    };
    refused("run `fanfare migrate`");
    assert_eq!(installation.run(&["migrate", "--check"]).status, 1);

    database.migrate(&installation);
    database.migrate(&installation);
    assert_eq!(installation.run(&["migrate", "--check"]).status, 0);
    assert_eq!(installation.run(&["org", "list"]).status, 0);

    run(
        &database.owner(),
        "INSERT INTO fanfare_migrations (version, description, success, checksum, execution_time)
         VALUES (99991231000001, 'of the future', TRUE, '', 0)",
    );
    refused("was made by a newer version of this program");
}

#[test]
fn a_dump_that_was_restored_elsewhere_is_noticed() {
    let database = Database::create();
    let installation = database.installation();
    database.migrate(&installation);
    let (organization, _) = installation.create_organization();
    assert_eq!(installation.run(&["org", "list"]).errors, "");

    // What a dump would have brought along from another cluster.
    database.run("UPDATE meta SET value = '7/7' WHERE name = 'place'");

    let warned = installation.run(&["org", "list"]);
    assert!(warned.errors.contains("fanfare restored"), "{warned:?}");
    let listed = installation.run(&["restored", "--json"]).json();
    assert_eq!(listed["keys"][0]["organizationId"], *organization);
    assert_eq!(installation.run(&["org", "list"]).errors, "");
}

#[test]
fn a_database_that_cannot_hold_every_character_is_refused_in_one_line() {
    let latin = "TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'";
    let database = Database::create_with(latin);
    let installation = database.installation();
    let explanation = "is encoded in LATIN1, which cannot hold every character";

    for arguments in [&["up"][..], &["org", "list"], &["migrate", "--check"]] {
        installation.run(arguments).assert_refused(1, explanation);
    }
    let refused = database.try_to_migrate(&installation);
    assert_eq!(refused.status.code(), Some(1));
    let line = String::from_utf8(refused.stderr).unwrap();
    assert!(line.contains(explanation), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    let doctor = installation.run(&["doctor", "--json"]);
    assert_eq!(doctor.status, 1, "{doctor:?}");
    let shown: serde_json::Value = serde_json::from_str(&doctor.output).unwrap();
    let store = &shown["checks"][0];
    assert_eq!(store["verdict"], "FAILED");
    assert!(
        store["finding"].as_str().unwrap().contains(explanation),
        "{store}"
    );
}

#[test]
fn a_job_queue_of_a_newer_version_is_refused_too() {
    let database = Database::create();
    let installation = database.installation();
    database.migrate(&installation);
    run(
        &database.owner(),
        "INSERT INTO apalis._sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (99991231000001, 'of the future', TRUE, '', 0)",
    );

    for arguments in [&["up"][..], &["org", "list"], &["migrate", "--check"]] {
        let explanation = "the job queue in the store cannot be used: its schema is newer";
        installation.run(arguments).assert_refused(1, explanation);
    }
    let mut migrate = installation.command(&["migrate"]);
    let owner = database.owner().to_url_lossy().to_string();
    let migrate = migrate.env("FANFARE_MIGRATION_DATABASE_URL", owner);
    let refused = String::from_utf8(migrate.output().unwrap().stderr).unwrap();
    assert!(refused.contains("run the newer version"), "{refused}");
}

#[test]
fn a_migration_that_stopped_before_the_job_queue_can_be_run_again() {
    let database = Database::create();
    let installation = database.installation();
    database.migrate(&installation);
    run(&database.owner(), "DROP SCHEMA apalis CASCADE");

    installation
        .run(&["org", "list"])
        .assert_refused(1, "run `fanfare migrate`");
    assert_eq!(installation.run(&["migrate", "--check"]).status, 1);
    database.migrate(&installation);

    assert_eq!(installation.run(&["migrate", "--check"]).status, 0);
    assert_eq!(installation.run(&["org", "list"]).status, 0);
}

#[test]
fn the_master_key_is_required_and_must_be_the_one_of_the_store() {
    let database = Database::create();
    let installation = database.installation();
    database.migrate(&installation);
    assert_eq!(installation.run(&["org", "list"]).status, 0);

    let other = MASTER_KEY.replace("AA=", "BA=");
    let installation = installation.with("FANFARE_MASTER_KEY", other);
    let explanation = "the master key is not the store's";
    installation
        .run(&["org", "list"])
        .assert_refused(1, explanation);

    let installation = installation.with("FANFARE_MASTER_KEY", "");
    let explanation = "no master key: on Postgres set FANFARE_MASTER_KEY";
    installation
        .run(&["org", "list"])
        .assert_refused(1, explanation);
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let database = Database::create();
    let installation = database.installation();
    let nowhere = database
        .owner()
        .username("nobody")
        .password(PASSWORD)
        .port(1);
    let installation = installation.with("FANFARE_DATABASE_URL", nowhere.to_url_lossy());

    let result = installation.run(&["org", "list"]);

    result.assert_refused(1, "cannot be reached");
    assert!(!result.errors.contains(PASSWORD), "{result:?}");
}
