//! Every checked statement of the crate, read from its offline data.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::store;
use crate::tables;

pub(crate) struct Statement {
    pub(crate) text: String,
    /// The types of its parameters.
    parameters: Vec<String>,
}

impl Statement {
    /// `PREPARE tried AS …`.
    pub(crate) fn prepare(&self) -> String {
        let types: Vec<&str> = self.parameters.iter().map(|name| sql_type(name)).collect();
        let types = in_brackets(&types.join(", "));
        format!("PREPARE tried{types} AS {}", self.text)
    }

    /// `EXECUTE tried (…)`, of this organization where the statement is of one.
    pub(crate) fn execute(&self, organization: &str) -> String {
        let values = self.parameters.iter().enumerate().map(|(n, name)| {
            if n == 0 && name == "Text" {
                format!("'{organization}'")
            } else {
                value(name).to_owned()
            }
        });
        let values: Vec<String> = values.collect();
        format!("EXECUTE tried{}", in_brackets(&values.join(", ")))
    }

    /// The tables it names as such, once for each time.
    pub(crate) fn tables(&self) -> Vec<&str> {
        tables_of(&self.text)
    }
}

fn in_brackets(list: &str) -> String {
    if list.is_empty() {
        String::new()
    } else {
        format!(" ({list})")
    }
}

/// What the offline data calls a type, as SQL calls it.
fn sql_type(name: &str) -> &'static str {
    match name {
        "Text" => "text",
        "Name" => "name",
        "Bool" => "boolean",
        "Int4" => "int",
        "Int8" => "bigint",
        "Float8" => "double precision",
        "Jsonb" => "jsonb",
        "Bytea" => "bytea",
        "Timestamptz" => "timestamptz",
        "TextArray" => "text[]",
        "Int8Array" => "bigint[]",
        "ByteaArray" => "bytea[]",
        "BoolArray" => "boolean[]",
        "TimestamptzArray" => "timestamptz[]",
        other => panic!("add a case for parameters of type {other}"),
    }
}

/// A value of a type.
fn value(name: &str) -> &'static str {
    match name {
        "Bool" => "true",
        "Int4" | "Int8" | "Float8" => "10",
        "Jsonb" => "'{}'",
        "Timestamptz" => "now()",
        "TextArray" => "ARRAY['c1', 'c2']",
        "Int8Array" => "ARRAY[1, 2]",
        "ByteaArray" => "ARRAY['c1', 'c2']::bytea[]",
        "BoolArray" => "ARRAY[true, false]",
        "TimestamptzArray" => "ARRAY[now(), NULL]",
        _ => "'c1'",
    }
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn statements() -> Vec<Statement> {
    let files = fs::read_dir(crate_folder().join(".sqlx")).unwrap();
    let statements: Vec<Statement> = files
        .map(|file| {
            let data = fs::read(file.unwrap().path()).unwrap();
            let data: Value = serde_json::from_slice(&data).unwrap();
            let parameters = data["describe"]["parameters"]["Left"].as_array().unwrap();
            let name = |name: &Value| name.as_str().unwrap().to_owned();
            Statement {
                text: data["query"].as_str().unwrap().to_owned(),
                parameters: parameters.iter().map(name).collect(),
            }
        })
        .collect();
    assert!(statements.len() > 50, "the offline data is there");
    statements
}

/// The tables a statement names as such, once for each time.
fn tables_of(statement: &str) -> Vec<&str> {
    let words: Vec<&str> = statement
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
        .collect();
    let is_before_table = |word: &str| matches!(word, "FROM" | "JOIN" | "INTO" | "UPDATE");
    let pairs = words.windows(2).filter(|pair| is_before_table(pair[0]));
    pairs.map(|pair| pair[1]).collect()
}

#[tokio::test]
async fn every_statement_on_an_organizations_rows_names_the_organization() {
    let fixture = store().await;
    let tenant = tables::of_organizations(&fixture.database.pool()).await;
    let mut met = BTreeSet::new();
    for statement in statements() {
        let text = &statement.text;
        let named = statement.tables();
        let named: Vec<&str> = named.into_iter().filter(|t| tenant.contains(*t)).collect();
        // Bound to a value or inserted, once for each time that such a table is named.
        let bound =
            text.matches("organization_id =").count() + text.matches("(organization_id,").count();
        assert!(bound >= named.len(), "{bound} of {}: {text}", named.len());
        met.extend(named.into_iter().map(str::to_owned));
    }
    assert_eq!(met, tenant, "each has been checked");
}

/// The one statement that is not used there (`door.rs`).
const OF_ONE_SERVER: &str = include_str!("../../sql/audience_list_memberships/at_door.sql");

/// What Citus cannot do, where the tables of organizations are distributed and the control tables are not
/// (`docs/SCALING.md`). It is tried on a cluster in `citus.rs`; this test runs everywhere.
#[tokio::test]
async fn every_statement_can_run_where_organizations_rows_are_distributed() {
    let fixture = store().await;
    let tenant = tables::of_organizations(&fixture.database.pool()).await;
    for statement in statements() {
        let text = &statement.text;
        if text == OF_ONE_SERVER {
            continue;
        }
        let (distributed, control): (Vec<&str>, Vec<&str>) = statement
            .tables()
            .into_iter()
            .filter(|table| tenant.contains(*table) || tables::CONTROL.contains(table))
            .partition(|table| tenant.contains(*table));
        assert!(
            distributed.is_empty() || control.is_empty(),
            "a join of distributed and control tables leaves its node: {text}"
        );
        let sets_organization = text.contains("set_config('fanfare");
        assert!(!sets_organization, "it would not reach the nodes: {text}");
        let moves = text.contains("SET organization_id");
        assert!(!moves, "a row cannot move to another shard: {text}");
        if distributed.is_empty() {
            continue;
        }
        let Some((_, selected)) = text
            .strip_prefix("INSERT")
            .and_then(|insert| insert.split_once("SELECT "))
        else {
            continue;
        };
        // `FROM` of the select list's own: no statement has a subquery in it.
        let (selected, _) = selected.split_once("FROM").expect("rows to insert");
        let first = selected.trim_start_matches("DISTINCT ").split(',').next();
        assert!(
            first.is_some_and(|first| first.ends_with(".organization_id")),
            "the organization has to come from a row beside those that are inserted: {text}"
        );
        for parameter in selected.split('$').skip(1) {
            let after = parameter.trim_start_matches(|c: char| c.is_ascii_digit());
            assert!(
                after.starts_with("::"),
                "a parameter that is inserted needs its type: {text}"
            );
        }
    }
}

/// The names of the source files that hold one of these texts.
fn files_with(texts: &[&str]) -> BTreeSet<String> {
    fn visit(folder: &Path, texts: &[&str], found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, texts, found);
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            if texts.iter().any(|text| source.contains(text)) {
                let name = path.file_name().unwrap();
                found.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    let mut found = BTreeSet::new();
    for sources in ["src", "../sql-rows/repositories"] {
        visit(&crate_folder().join(sources), texts, &mut found);
    }
    found
}

#[test]
fn unchecked_statements_stand_in_these_files_alone() {
    let found = files_with(&[
        "sqlx::query(",
        "sqlx::query_scalar(",
        "sqlx::query_as(",
        "raw_sql(",
    ]);

    let allowed = [
        "job_notifier.rs",
        "migrate.rs",
        "schema.rs",
        "search_texts.rs",
        "session.rs",
        "transaction.rs",
        "unit.rs",
    ];
    assert_eq!(found, allowed.map(str::to_owned).into());
}

#[test]
fn no_port_waits_for_the_server_without_a_limit() {
    // `timeout` has the limit, and is the one way from an error of sqlx's to one of the ports'.
    let found = files_with(&["store_error"]);

    assert_eq!(found, ["error.rs", "timeout.rs"].map(str::to_owned).into());
}
