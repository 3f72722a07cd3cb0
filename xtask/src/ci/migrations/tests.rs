//! Good and bad migrations.

use super::{Dialect, FOLDERS, lint, lint_programs, version};
use crate::workspace;

const PURPOSE: &str = "-- What this migration is for.\n\n";

fn of(dialect: Dialect, statements: &str) -> Vec<String> {
    lint(&format!("{PURPOSE}{statements}"), dialect)
}

#[track_caller]
fn assert_good(dialect: Dialect, statements: &str) {
    let findings = of(dialect, statements);
    assert!(findings.is_empty(), "{statements}: {findings:#?}");
}

#[track_caller]
fn assert_refused(dialect: Dialect, statement: &str, marker: &str) {
    let findings = of(dialect, statement);
    assert_eq!(findings.len(), 1, "{statement}: {findings:#?}");
    assert!(findings[0].starts_with(":3: "), "{findings:?}");
    assert!(
        findings[0].contains(&format!("`-- {marker}: WHY`")),
        "{findings:?}"
    );
    // The marker allows it, and a marker without a reason does not.
    assert_good(dialect, &format!("-- {marker}: the reason\n{statement}"));
    let unexplained = of(dialect, &format!("-- {marker}:\n{statement}"));
    assert_eq!(unexplained.len(), 1, "{statement}: {unexplained:#?}");
}

#[test]
fn additions_are_allowed() {
    for statement in [
        "CREATE TABLE t (id text NOT NULL, CHECK (id <> ''));",
        "CREATE TABLE IF NOT EXISTS t (id text); CREATE INDEX t_id ON t (id);",
        "CREATE TABLE t (a text); UPDATE t SET a = 'x' WHERE a IS NULL;",
        "CREATE TABLE t (a text); ALTER TABLE t ADD COLUMN b text NOT NULL;",
        "ALTER TABLE t ADD COLUMN a text;",
        "ALTER TABLE t ADD COLUMN a boolean NOT NULL DEFAULT false, ADD b text;",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;",
        "ALTER TABLE t DROP CONSTRAINT c;",
        "ALTER TABLE t ALTER COLUMN a DROP NOT NULL;",
        "ALTER TABLE t SET (fillfactor = 90);",
        "UPDATE t SET a = 1 WHERE id = 'x';",
        "GRANT SELECT ON t TO fanfare_app;",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; END $$;",
        "INSERT INTO t VALUES ('DROP TABLE t; UPDATE t');",
    ] {
        assert_good(Dialect::Postgres, statement);
    }
}

#[test]
fn removals_and_renames_need_a_reason() {
    for statement in [
        "DROP TABLE t;",
        "drop table if exists t;",
        "TRUNCATE t;",
        "ALTER TABLE t DROP COLUMN a;",
        "ALTER TABLE IF EXISTS ONLY t ADD b text, DROP a;",
        "ALTER TABLE t RENAME TO u;",
        "ALTER TABLE t RENAME COLUMN a TO b;",
        "ALTER INDEX i RENAME TO j;",
        "ALTER TABLE t ADD COLUMN a text NOT NULL;",
    ] {
        assert_refused(Dialect::Postgres, statement, "contract");
        assert_refused(Dialect::Sqlite, statement, "contract");
    }
}

#[test]
fn long_locks_need_a_reason() {
    for statement in [
        "ALTER TABLE t ALTER COLUMN a TYPE bigint;",
        "ALTER TABLE t ALTER a SET DATA TYPE bigint;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL;",
        "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES u (id);",
        "CREATE INDEX t_a ON t (a);",
        "CREATE UNIQUE INDEX IF NOT EXISTS t_a ON ONLY t (a) WHERE a > 0;",
        "LOCK TABLE t IN SHARE MODE;",
        "UPDATE t SET a = (SELECT max(b) FROM u WHERE u.id = t.id);",
        "DELETE FROM t;",
        "WITH old AS (SELECT id FROM u WHERE a) DELETE FROM t USING old;",
        "DO $body$ BEGIN EXECUTE 'DROP TABLE t'; END $body$;",
    ] {
        assert_refused(Dialect::Postgres, statement, "locks");
    }
}

#[test]
fn an_index_on_sqlite_needs_no_reason() {
    assert_good(Dialect::Sqlite, "CREATE INDEX t_a ON t (a);");
}

#[test]
fn an_index_is_built_concurrently_outside_a_transaction() {
    let build = "CREATE INDEX CONCURRENTLY t_a ON t (a);";
    assert_eq!(of(Dialect::Postgres, build).len(), 1);
    let outside = format!("-- no-transaction\n{PURPOSE}{build}");
    assert_eq!(lint(&outside, Dialect::Postgres), [""; 0]);
}

#[test]
fn the_body_of_a_trigger_is_part_of_its_statement() {
    let trigger = "CREATE TRIGGER g AFTER INSERT ON t BEGIN\n  UPDATE t SET a = CASE WHEN b THEN 1 \
                   ELSE 2 END;\n  DELETE FROM u;\nEND;\nDROP TABLE t;";
    let findings = of(Dialect::Sqlite, trigger);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert!(
        findings[0].starts_with(":7: it removes a table"),
        "{findings:?}"
    );
}

#[test]
fn a_marker_stands_directly_above_its_statement_and_allows_something() {
    let apart = of(Dialect::Postgres, "-- contract: gone\n\nDROP TABLE t;");
    assert_eq!(apart.len(), 1, "{apart:#?}");
    let among = "-- contract: no version reads it\n-- since June.\nDROP TABLE t;";
    assert_good(Dialect::Postgres, among);
    let other = of(Dialect::Postgres, "-- locks: short\nDROP TABLE t;");
    assert_eq!(other.len(), 2, "{other:#?}");
    let needless = of(
        Dialect::Postgres,
        "-- contract: gone\nCREATE TABLE t (a text);",
    );
    assert_eq!(needless.len(), 1, "{needless:#?}");
}

#[test]
fn a_contraction_names_the_programs_that_run_on_its_schema() {
    let lint = |text: &str| lint_programs(text, Dialect::Postgres, &[10, 20]);
    let contraction = "-- contract: nobody reads it\nALTER TABLE t DROP a;";
    for (head, is_good) in [
        (
            "-- What for.\n--\n-- programs: 20 since then nobody reads t.a\n",
            true,
        ),
        ("-- What for.\n", false),
        ("-- programs: 30 it is a later one\n", false),
        ("-- programs: 20\n", false),
        ("-- programs:20 not as programs read it\n", false),
        ("-- programs: soon\n", false),
    ] {
        let found = lint(&format!("{head}\n{contraction}"));
        assert_eq!(found.is_none(), is_good, "{head}: {found:?}");
    }
    assert_eq!(lint("-- What for.\n\nALTER TABLE t ADD b text;"), None);
}

#[test]
fn a_migration_begins_with_its_purpose() {
    for text in [
        "CREATE TABLE t (a text);",
        "--\nCREATE TABLE t (a text);",
        "",
    ] {
        assert_eq!(lint(text, Dialect::Sqlite).len(), 1, "{text}");
    }
}

#[test]
fn the_exempt_migrations_are_there() {
    for folder in FOLDERS {
        let files = std::fs::read_dir(workspace::root().join(folder.path)).unwrap();
        let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        assert!(names.any(|name| version(&name) == Some(folder.last_exempt)));
    }
}
