//! Which work is next: found by a few rows of the ten thousand that are due.

use serde_json::Value;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::statements::statements;
use crate::support::store;

/// Ten thousand due runs of so many organizations; the first 32 are leased. Twenty thousand other organizations have
/// had work before.
fn due(organizations: u32) -> String {
    format!(
        "TRUNCATE work_queue, last_claims;
         INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
         SELECT 'org_' || n % {organizations}, 'PULL', 'run_' || n, now() - interval '1 hour' + n * interval '1 ms',
            CASE WHEN n < 32 THEN now() + interval '1 hour' END, 1, now() FROM generate_series(0, 9999) n;
         INSERT INTO last_claims SELECT organization_id, now(), min(due_at) FROM work_queue GROUP BY 1;
         INSERT INTO last_claims SELECT 'old_' || n, now() - n * interval '1 s', NULL
         FROM generate_series(1, 20000) n;"
    )
}

/// The rows that the nodes of a plan have met, those included that they passed over.
fn rows(plan: &Value) -> f64 {
    let number = |name: &str| plan[name].as_f64().unwrap_or_default();
    let met = (number("Actual Rows") + number("Rows Removed by Filter")) * number("Actual Loops");
    let inner = plan["Plans"].as_array().into_iter().flatten();
    met + inner.map(rows).sum::<f64>()
}

#[tokio::test]
async fn the_next_of_ten_thousand_due_runs_is_found_by_a_few_rows() {
    let fixture = store().await;
    let superuser = fixture.database.pool();
    let pool = fixture.store.pool(1);
    let mut connection = pool.acquire().await.unwrap();
    let is_next = |text: &str| text.contains("unleased AS MATERIALIZED");
    let all = statements();
    let next = all.iter().find(|statement| is_next(&statement.text));
    let next = next.expect("the statement");
    for organizations in [1, 1_000, 10_000] {
        for analyze in ["", "ANALYZE"] {
            sqlx::raw_sql(AssertSqlSafe(due(organizations) + analyze))
                .execute(&superuser)
                .await
                .unwrap();
            let statements = format!(
                "SET plan_cache_mode = force_generic_plan; DEALLOCATE ALL; {};
                 EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE tried (NULL, ARRAY['PULL'])",
                next.prepare()
            );
            let explained = connection
                .fetch_all(sqlx::raw_sql(AssertSqlSafe(statements)))
                .await
                .unwrap();
            let explained = explained.last().unwrap().get::<Value, _>(0)[0].take();
            let (met, took) = (rows(&explained["Plan"]), &explained["Execution Time"]);
            println!("{organizations} organizations {analyze}: {met} rows, {took} ms");
            assert!(met < 2_500.0, "{met} rows: {explained:#}");
        }
    }
}
