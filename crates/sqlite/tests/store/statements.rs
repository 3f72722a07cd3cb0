//! Every checked statement of the crate, read from its offline data.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sqlx::{AssertSqlSafe, Row};

use crate::support::store;

/// Tables that belong to no organization's unit of work.
const CONTROL: &[&str] = &[
    "api_keys",
    "meta",
    "organizations",
    "quota_buckets",
    "request_counts",
    "check_counts",
    "last_claims",
    "schedules",
    "work_queue",
];

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn statements() -> Vec<String> {
    let files = fs::read_dir(crate_folder().join(".sqlx")).unwrap();
    let statements: Vec<String> = files
        .map(|file| {
            let data = fs::read(file.unwrap().path()).unwrap();
            let data: serde_json::Value = serde_json::from_slice(&data).unwrap();
            data["query"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(statements.len() > 50, "the offline data is there");
    statements
}

/// The tables a statement names as such, once for each time.
fn tables(statement: &str) -> Vec<&str> {
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
    let pool = sqlx::SqlitePool::connect_with(fixture.store.connect_options())
        .await
        .unwrap();
    let all: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table'
         AND name NOT LIKE 'sqlite_%' AND name <> 'fanfare_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let tenant: BTreeSet<&str> = all
        .iter()
        .map(String::as_str)
        .filter(|table| !CONTROL.contains(table))
        .collect();
    assert_eq!(all.len(), tenant.len() + CONTROL.len());

    for table in &tenant {
        let first: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT name FROM pragma_table_info('{table}') WHERE pk = 1"
        )))
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(first, "organization_id", "{table}");
    }
    let mut met = BTreeSet::new();
    for statement in statements() {
        let named = tables(&statement);
        let rows = named.iter().filter(|table| tenant.contains(*table)).count();
        // Bound to a value or inserted, once for each time that such a table is named.
        let bound = statement.matches("organization_id =").count()
            + statement.matches("(organization_id,").count();
        assert!(bound >= rows, "{bound} of {rows}: {statement}");
        met.extend(named.into_iter().filter_map(|table| tenant.get(table)));
    }
    assert_eq!(met, tenant.iter().collect(), "each has been checked");
}

#[test]
fn unchecked_statements_stand_in_five_files_and_a_test() {
    fn visit(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                visit(&path, found);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let unchecked = [
                "sqlx::query(",
                "sqlx::query_scalar(",
                "sqlx::query_as(",
                "raw_sql(",
            ];
            if unchecked.iter().any(|call| text.contains(call)) {
                let name = path.file_name().unwrap();
                found.insert(name.to_string_lossy().into_owned());
            }
        }
    }
    let mut found = BTreeSet::new();

    for sources in ["src", "../sql-rows/repositories"] {
        visit(&crate_folder().join(sources), &mut found);
    }

    let allowed = [
        "checkpoints.rs",
        "interrupted.rs",
        "job_notifier.rs",
        "ledger_file.rs",
        "migrate.rs",
        "unit.rs",
    ];
    let allowed = allowed.map(str::to_owned);
    assert_eq!(found, BTreeSet::from(allowed));
}

/// Index prefixes that hold one organization's rows and nothing to narrow them by, where that is
/// meant: rows are few, or only the first is taken.
const WHOLE_ORGANIZATION: &[&str] = &[
    "SEARCH klaviyo_connections USING PRIMARY KEY (organization_id=?)",
    "SEARCH api_keys USING INDEX api_keys_by_organization (organization_id=?)",
    "SEARCH sync_runs USING INDEX sync_runs_one_active_per_source (organization_id=?)",
    "SEARCH work_queue USING PRIMARY KEY (organization_id=?)",
    "SEARCH work_queue USING INDEX work_queue_by_turn (organization_id=?)",
    "SEARCH work_queue USING INDEX work_queue_leased (organization_id=?)",
    "SEARCH last_claims USING PRIMARY KEY (organization_id=?)",
    "SEARCH erasure_keys USING PRIMARY KEY (organization_id=?)",
    "SEARCH webhook_secrets USING PRIMARY KEY (organization_id=?)",
    "SEARCH event_settings USING PRIMARY KEY (organization_id=?)",
    "SEARCH contact_settings USING PRIMARY KEY (organization_id=?)",
    "SEARCH outboxes USING PRIMARY KEY (organization_id=?)",
    "SEARCH push_settings USING PRIMARY KEY (organization_id=?)",
    "SEARCH link_moves USING PRIMARY KEY (organization_id=?)",
    "SEARCH run_seen_pages USING PRIMARY KEY (organization_id=?)",
];

/// Tables that are meant to be read as a whole: the ledger of versions before, once; the queue and the last claims,
/// a row of a few words for each piece of work and each organization, to see whether the clock was set back; the
/// organizations in the order of their turns, up to the first that has work; and the leases, which are as many as all
/// workers have slots.
const WHOLE_TABLE: &[&str] = &[
    "quota_buckets",
    "work_queue",
    "last_claims",
    "last_claims USING COVERING INDEX last_claims_by_turn",
    "work_queue USING INDEX work_queue_leased",
];

#[tokio::test]
async fn no_statement_scans_a_table() {
    let fixture = store().await;
    // Without foreign keys: their own look-ups of children are listed too, though they only run after
    // a violation in the same statement.
    let connect = fixture.store.connect_options().foreign_keys(false);
    let pool = sqlx::SqlitePool::connect_with(connect).await.unwrap();
    for statement in statements() {
        let plan = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")))
            .fetch_all(&pool)
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();

        let made: BTreeSet<&str> = steps
            .iter()
            .filter_map(|step| {
                step.strip_prefix("CO-ROUTINE ")
                    .or_else(|| step.strip_prefix("MATERIALIZE "))
            })
            .collect();
        for step in &steps {
            let scanned = step.strip_prefix("SCAN ");
            let is_fine = scanned.is_none_or(|of| {
                of.contains("VIRTUAL TABLE")
                    || of == "CONSTANT ROW"
                    || made.contains(of)
                    || WHOLE_TABLE.contains(&of)
            });
            assert!(is_fine, "{step}\nof {steps:#?}\nof {statement}");
            let is_whole = step.ends_with("(organization_id=?)");
            let is_meant = WHOLE_ORGANIZATION.contains(&step.as_str());
            assert!(!is_whole || is_meant, "{step}\nof {statement}");
        }
    }
}
