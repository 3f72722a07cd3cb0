//! Every checked statement of the crate, read from its offline data.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use crate::support::store;
use crate::tables;

struct Statement {
    text: String,
    parameters: usize,
}

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn statements() -> Vec<Statement> {
    let files = fs::read_dir(crate_folder().join(".sqlx")).unwrap();
    let statements: Vec<Statement> = files
        .map(|file| {
            let data = fs::read(file.unwrap().path()).unwrap();
            let data: Value = serde_json::from_slice(&data).unwrap();
            let parameters = &data["describe"]["parameters"]["Left"];
            Statement {
                text: data["query"].as_str().unwrap().to_owned(),
                parameters: parameters.as_array().unwrap().len(),
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
    for Statement { text, .. } in statements() {
        let named = tables_of(&text);
        let named: Vec<&str> = named.into_iter().filter(|t| tenant.contains(*t)).collect();
        // Bound to a value or inserted, once for each time that such a table is named.
        let bound =
            text.matches("organization_id =").count() + text.matches("(organization_id,").count();
        assert!(bound >= named.len(), "{bound} of {}: {text}", named.len());
        met.extend(named.into_iter().map(str::to_owned));
    }
    assert_eq!(met, tenant, "each has been checked");
}

/// The plan that Postgres makes of a statement when it knows no parameter.
async fn plan(connection: &mut PgConnection, statement: &Statement) -> Value {
    let Statement { text, parameters } = statement;
    let nulls = vec!["NULL"; *parameters].join(", ");
    let nulls = if nulls.is_empty() {
        nulls
    } else {
        format!("({nulls})")
    };
    let statements = format!(
        "SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL; PREPARE tried AS {text};
         EXPLAIN (FORMAT JSON) EXECUTE tried{nulls}"
    );
    let explained = connection
        .fetch_all(sqlx::raw_sql(AssertSqlSafe(statements)))
        .await
        .unwrap();
    explained.last().unwrap().get::<Value, _>(0)[0]["Plan"].take()
}

fn inner(node: &Value) -> impl Iterator<Item = &Value> {
    node["Plans"].as_array().into_iter().flatten()
}

/// Whether an organization's rows are read here or below.
fn reads(node: &Value, tenant: &BTreeSet<String>) -> bool {
    let table = node["Relation Name"].as_str();
    table.is_some_and(|table| tenant.contains(table)) || inner(node).any(|node| reads(node, tenant))
}

fn check(node: &Value, tenant: &BTreeSet<String>, statement: &str) {
    let finding = |what: &str| format!("{what} in {node:#}\nof {statement}");
    // A row is looked up in the other side by comparing it with all of them.
    let compares_all = !node["Join Filter"].is_null() && reads(node, tenant);
    assert!(!compares_all, "{}", finding("join filter"));
    if node["Relation Name"]
        .as_str()
        .is_some_and(|table| tenant.contains(table))
    {
        let kind = node["Node Type"].as_str().unwrap();
        let is_scan = kind.ends_with("Scan");
        assert_ne!(kind, "Seq Scan", "{}", finding("sequential scan"));
        let condition = node["Index Cond"].as_str();
        let is_narrowed = condition.is_some_and(|cond| cond.contains("organization_id"));
        let is_heap = kind == "Bitmap Heap Scan";
        assert!(!is_scan || is_heap || is_narrowed, "{}", finding("scan"));
    }
    for node in inner(node) {
        check(node, tenant, statement);
    }
}

#[tokio::test]
async fn no_statement_scans_a_table_whatever_the_planner_believes() {
    let fixture = store().await;
    let superuser = fixture.database.pool();
    let tenant = tables::of_organizations(&superuser).await;
    let pool = fixture.store.pool(1);
    // New tables, of which nothing is known; then the planner is told that all of them are empty.
    for analyzed in [false, true] {
        if analyzed {
            superuser.execute("ANALYZE").await.unwrap();
        }
        let mut connection = pool.acquire().await.unwrap();
        for statement in statements() {
            let plan = plan(&mut connection, &statement).await;
            check(&plan, &tenant, &statement.text);
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
    for sources in ["src", "../sql-rows/shared"] {
        visit(&crate_folder().join(sources), texts, &mut found);
    }
    found
}

#[test]
fn unchecked_statements_stand_in_five_files() {
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
        "session.rs",
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
