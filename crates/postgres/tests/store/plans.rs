//! The plans of every checked statement: whatever Postgres knows of the tables, and whatever it wrongly believes,
//! rows are reached by keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Row};

use crate::statements::{Statement, statements};
use crate::support::store;
use crate::tables;

/// Of these tables an organization has few rows, and lists show them.
const FEW_ROWS: &[&str] = &["sync_sources", "audiences"];

/// An index of an organization's active runs alone.
const ACTIVE_RUNS: &str = "sync_runs_one_active_per_source";

/// The statement that leaps from run to run, one row at a time.
const LEAPS: &str = "WITH RECURSIVE seen_runs";

/// The columns of each index of organizations' tables, in their order.
type Indexes = BTreeMap<String, Vec<String>>;

async fn indexes(pool: &PgPool, tenant: &BTreeSet<String>) -> Indexes {
    let tables: Vec<&str> = tenant.iter().map(String::as_str).collect();
    let indexes: Vec<(String, Vec<String>)> = sqlx::query_as(
        "SELECT i.indexrelid::regclass::text, array_agg(a.attname::text ORDER BY k.place)
         FROM pg_index i
         CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (column_number, place)
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.column_number
         WHERE i.indrelid::regclass::text = ANY($1)
         GROUP BY 1",
    )
    .bind(tables)
    .fetch_all(pool)
    .await
    .unwrap();
    indexes.into_iter().collect()
}

/// What the planner is asked for.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// One that holds for all parameters.
    Generic,
    /// One for a row of this organization.
    Of(&'static str),
}

async fn explain(connection: &mut PgConnection, statement: &Statement, plan: Plan) -> Value {
    let (mode, organization) = match plan {
        Plan::Generic => ("force_generic_plan", "org_a"),
        Plan::Of(organization) => ("force_custom_plan", organization),
    };
    let statements = format!(
        "SET plan_cache_mode = {mode}; SET fanfare.organization_id = '{organization}';
         DEALLOCATE ALL; {}; EXPLAIN (FORMAT JSON) {}",
        statement.prepare(),
        statement.execute(organization)
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

struct Check<'a> {
    tenant: &'a BTreeSet<String>,
    indexes: &'a Indexes,
    statement: &'a str,
    /// What the planner believes, and what it was asked for.
    when: String,
}

impl Check<'_> {
    fn node(&self, node: &Value) {
        // A row is looked up in the other side by comparing it with all of them.
        let compares_all = !node["Join Filter"].is_null() && self.reads(node);
        self.must(!compares_all, "rows compared with all others", node);
        if self.is_of_organizations(node) {
            self.must(node["Node Type"] != "Seq Scan", "a sequential scan", node);
        }
        if let Some(columns) = node["Index Name"]
            .as_str()
            .and_then(|n| self.indexes.get(n))
        {
            let condition = node["Index Cond"].as_str().unwrap_or_default();
            let is_bound = |column: &String| {
                let mut words = condition.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                words.any(|word| word == column)
            };
            let goes_by_key = columns.iter().take(2).all(is_bound);
            self.must(
                goes_by_key || self.may_scan(node),
                "a scan of an organization",
                node,
            );
        }
        for node in inner(node) {
            self.node(node);
        }
    }

    fn may_scan(&self, node: &Value) -> bool {
        node["Index Name"] == ACTIVE_RUNS
            || self.statement.starts_with(LEAPS)
            || FEW_ROWS.iter().any(|table| self.statement.contains(table))
    }

    fn is_of_organizations(&self, node: &Value) -> bool {
        let table = node["Relation Name"].as_str();
        table.is_some_and(|table| self.tenant.contains(table))
    }

    /// Whether an organization's rows are read here or below.
    fn reads(&self, node: &Value) -> bool {
        self.is_of_organizations(node) || inner(node).any(|node| self.reads(node))
    }

    fn must(&self, holds: bool, what: &str, node: &Value) {
        assert!(
            holds,
            "{what}, {}: {node:#}\nof {}",
            self.when, self.statement
        );
    }
}

/// So many consumers of an organization with all that belongs to them.
fn rows(organization: &str, consumers: u32) -> String {
    format!(
        "INSERT INTO sync_sources SELECT '{organization}', 's' || n, 'klaviyo:list', 'L' || n,
            'a' || n, 'SUCCESS', now(), '{{}}', now(), 'x', NULL, false FROM generate_series(1, 20) n;
         INSERT INTO audiences (organization_id, id, source_id, name, named_by_hand, created_at,
            created_by, archived)
         SELECT '{organization}', 'a' || n, 's' || n, 'n' || n, false, now(), 'x', false
         FROM generate_series(1, 20) n;
         INSERT INTO sync_runs (organization_id, id, source_id, audience_id, mode, trigger, status,
            attempt, crashes, failures, confirm_removals, queued_at, members_at_start, processed,
            created, updated, unchanged, skipped, members_added, members_removed, pages, checkpoint)
         SELECT '{organization}', 'r' || n, 's' || n % 20 + 1, 'a' || n % 20 + 1, 'FULL', 'IMPORT',
            'SUCCESS', 1, 0, 0, false, now(), 0, 0, 0, 0, 0, 0, 0, 0, 0, '{{}}'
         FROM generate_series(1, 400) n;
         INSERT INTO consumers (organization_id, id, email, phone, created_at, created_by)
         SELECT '{organization}', 'c' || n, 'an.address.longer.than.ids.' || n || '@example.com',
            '+1555' || n, now(), 'x' FROM generate_series(1, {consumers}) n;
         INSERT INTO profile_links SELECT '{organization}', 'p' || n, 'a-source-of-a-profile-' || n,
            'c' || n, now(), now(), now(), NULL FROM generate_series(1, {consumers}) n;
         INSERT INTO audience_list_memberships SELECT '{organization}', 'a' || n % 3 + 1, 'c' || n,
            'r1', now() FROM generate_series(1, {consumers}) n;
         INSERT INTO ended_memberships SELECT '{organization}', 'a' || n % 3 + 1, 'c' || n, now(),
            now() - interval '1 day', 'r1', 'r2' FROM generate_series(1, {consumers} / 10) n;
         INSERT INTO snapshots SELECT '{organization}', 'a' || n % 3 + 1, 's' || n, 'n', now(), 1
         FROM generate_series(1, 100) n;
         INSERT INTO run_seen_profiles SELECT '{organization}', 'r' || n % 3 + 1, 'p' || n, true, now()
         FROM generate_series(1, {consumers}) n;
         INSERT INTO run_seen_pages SELECT '{organization}', 'r' || n % 3 + 1, n, ARRAY['p' || n], '{{true}}', '{{NULL}}'
         FROM generate_series(1, {consumers} / 100) n;
         INSERT INTO search_sections SELECT '{organization}', 'c' || n
         FROM generate_series(1, {consumers} / 100) n;
         INSERT INTO search_blocks SELECT '{organization}', 'c' || n % 40, n, '\\x00'
         FROM generate_series(1, {consumers}) n;
         INSERT INTO search_places SELECT '{organization}', 'c' || n % 40, n, '[]'
         FROM generate_series(1, {consumers}) n;
         INSERT INTO search_pending SELECT '{organization}', 'c' || n
         FROM generate_series(1, {consumers} / 100) n;
         INSERT INTO outboxes SELECT '{organization}', 0;
         INSERT INTO deliveries SELECT '{organization}', 'd' || n, n, 'EVENT', 't', 'c' || n % 40, 'm',
            CASE WHEN n % 9 = 0 THEN 'PENDING' ELSE 'SENT' END, 1, now(), now(),
            CASE WHEN n % 9 = 0 THEN now() END, now(), 'p' || n, '{{}}' FROM generate_series(1, {consumers}) n;
         INSERT INTO delivery_counts SELECT '{organization}', 'EVENT', 's' || n, 1 FROM generate_series(1, 4) n;
         INSERT INTO kept_lists SELECT '{organization}', 'a' || n, 'L' || n, '{{}}' FROM generate_series(1, 20) n;
         INSERT INTO list_ledger SELECT '{organization}', 'L' || n % 3 + 1, 'p' || n, 'c' || n,
            CASE WHEN n % 9 = 0 THEN 'ADDING' ELSE 'ADDED' END, now(), now(), CASE WHEN n % 9 = 0 THEN now() END
         FROM generate_series(1, {consumers}) n;
         INSERT INTO push_runs SELECT '{organization}', 'u' || n, 'a' || n % 20 + 1, 'SUCCESS', '{{}}'
         FROM generate_series(1, 400) n;
         INSERT INTO push_settings SELECT '{organization}', 1000;
         INSERT INTO inbound_events SELECT '{organization}', 'k' || n, now() FROM generate_series(1, {consumers}) n;
         INSERT INTO sync_issues SELECT '{organization}', 'r' || n % 3 + 1, 'p' || n, 'code', '', now()
         FROM generate_series(1, {consumers} / 10) n;"
    )
}

/// States of the tables, one made of another, and what the planner believes in each.
fn states(tenant: &BTreeSet<String>) -> Vec<(&'static str, String)> {
    let tables: Vec<&str> = tenant.iter().map(String::as_str).collect();
    let by_hand = tables.iter().map(|table| {
        // Statistics come when the test says so.
        format!("ALTER TABLE {table} SET (autovacuum_enabled = false);")
    });
    vec![
        ("empty, without statistics", by_hand.collect()),
        ("filled, without statistics", rows("org_a", 3_000)),
        ("filled, with fresh statistics", "ANALYZE".to_owned()),
        (
            "an organization that no statistics know",
            rows("org_b", 20_000),
        ),
        (
            "empty, with statistics that say so",
            format!("TRUNCATE {}; ANALYZE", tables.join(", ")),
        ),
        (
            "filled, with statistics of empty tables",
            rows("org_a", 20_000) + &rows("org_b", 3_000),
        ),
    ]
}

#[tokio::test]
async fn no_statistics_and_no_lack_of_them_make_a_statement_scan_an_organization() {
    let fixture = store().await;
    let superuser = fixture.database.pool();
    let tenant = tables::of_organizations(&superuser).await;
    let indexes = indexes(&superuser, &tenant).await;
    let pool = fixture.store.pool(1);
    let mut connection = pool.acquire().await.unwrap();
    for (state, statements_of_state) in states(&tenant) {
        sqlx::raw_sql(AssertSqlSafe(statements_of_state))
            .execute(&superuser)
            .await
            .unwrap();
        for statement in statements() {
            for plan in [Plan::Generic, Plan::Of("org_a"), Plan::Of("org_b")] {
                let explained = explain(&mut connection, &statement, plan).await;
                let check = Check {
                    tenant: &tenant,
                    indexes: &indexes,
                    statement: &statement.text,
                    when: format!("{state}, {plan:?}"),
                };
                check.node(&explained);
            }
        }
    }
}

/// A look-up by the primary key has no other index to choose.
#[tokio::test]
async fn every_index_beside_a_primary_key_is_partial() {
    let fixture = store().await;
    let pool = fixture.database.pool();
    let whole: Vec<(String, String)> = sqlx::query_as(
        "SELECT indrelid::regclass::text, indexrelid::regclass::text FROM pg_index
         WHERE NOT indisprimary AND indpred IS NULL",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let tenant = tables::of_organizations(&pool).await;
    let whole: Vec<_> = whole
        .iter()
        .filter(|(table, _)| tenant.contains(table))
        .collect();
    assert!(whole.is_empty(), "{whole:?}");
}
