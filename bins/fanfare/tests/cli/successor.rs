//! The programs on the schema of a newer version, which comes while they run.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _};
use tokio::runtime::Builder;

use crate::postgres::Database;
use crate::support::{Installation, KLAVIYO_KEY, get, klaviyo};

/// A later version's migration, in words that both databases understand but for the empty checksum.
const EXPANSION: &str = "
    ALTER TABLE consumers ADD COLUMN mood text NOT NULL DEFAULT 'good';
    ALTER TABLE sync_runs ADD COLUMN colour text;
    ALTER TABLE work_queue ADD COLUMN weight integer NOT NULL DEFAULT 1;
    CREATE TABLE later (organization_id text PRIMARY KEY);
    INSERT INTO fanfare_migrations (version, description, success, checksum, execution_time)
    VALUES (99991231000001, 'of the future', TRUE, CHECKSUM, 0);";

/// Says that programs run on it that know the migration of this version.
fn mark(oldest_program: u64) -> String {
    format!(
        "UPDATE meta SET value = BYTES('99991231000001 {oldest_program}') WHERE name = 'schema'"
    )
}

/// A migration that is there already when these programs are released.
const KNOWN: u64 = 20_261_128_104_101;

/// What an operator sees of a deployment: `change` runs statements on the store.
fn deploy(installation: Installation, change: &dyn Fn(&str)) {
    let simulator = klaviyo();
    let old = installation.with("FANFARE_KLAVIYO_BASE_URL", simulator.url());
    old.create_organization();
    old.run_with(&["klaviyo", "connect"], KLAVIYO_KEY);
    let up = old.up();
    let ready = || {
        (
            get(&format!("{}/readyz", up.api), None),
            get(&format!("{}/readyz", up.worker), None),
        )
    };

    change(&mark(KNOWN));
    change(EXPANSION);

    let imported = old.run(&["klaviyo", "import", "RtPqXs", "--wait"]);
    assert_eq!(imported.status, 0, "{imported:?}");
    assert_eq!(ready(), (200, 200));
    let told = old.run(&["migrate", "--check"]);
    assert_eq!(told.status, 0, "{told:?}");
    assert!(
        told.output
            .contains("a newer version's, on which this program runs"),
        "{told:?}"
    );
    let doctor = old.run(&["doctor"]);
    assert!(
        doctor.output.contains("with a newer version's schema"),
        "{doctor:?}"
    );

    change(&mark(99_991_231_000_001));

    assert_eq!(ready(), (503, 503));
    drop(up);
    for arguments in [&["up"][..], &["org", "list"], &["migrate", "--check"]] {
        let refused = old.run(arguments);
        refused.assert_refused(1, "by a newer version of this program: run that version");
    }
}

#[test]
fn the_embedded_store_may_be_migrated_by_a_newer_version_while_programs_run() {
    let installation = Installation::new();
    let store = SqliteConnectOptions::new().filename(installation.store());
    let change = |statements: &str| {
        let statements = statements
            .replace("BYTES", "cast")
            .replace("') WHERE", "' AS blob) WHERE");
        let statements = statements
            .replace("CHECKSUM", "x'00'")
            .replace("text PRIMARY", "text NOT NULL PRIMARY");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = store.connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(statements))
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        });
    };
    deploy(installation, &change);
}

#[test]
fn postgres_may_be_migrated_by_a_newer_version_while_programs_run() {
    let database = Database::create();
    let installation = database.installation();
    database.migrate(&installation);
    let change = |statements: &str| {
        let statements = statements
            .replace("BYTES('", "convert_to('")
            .replace("') WHERE", "', 'UTF8') WHERE");
        // One after the other: who locks several tables at once may come into a deadlock with a program that reads them.
        for statement in statements.replace("CHECKSUM", "''").split(';') {
            database.run(statement);
        }
    };
    deploy(installation, &change);
}
