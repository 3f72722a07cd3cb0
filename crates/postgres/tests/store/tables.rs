//! The store's tables, read from the catalog.

use std::collections::BTreeSet;

use sqlx::PgPool;

/// Tables that belong to no organization's unit of work.
pub(crate) const CONTROL: &[&str] = &[
    "api_keys",
    "fanfare_migrations",
    "meta",
    "organizations",
    "quota_buckets",
    "request_counts",
    "check_counts",
    "last_claims",
    "schedules",
    "work_queue",
];

/// The tables with an organization's rows.
pub(crate) async fn of_organizations(pool: &PgPool) -> BTreeSet<String> {
    let all: Vec<String> =
        sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
            .fetch_all(pool)
            .await
            .unwrap();
    let is_control = |table: &String| CONTROL.contains(&table.as_str());
    assert_eq!(
        all.iter().filter(|table| is_control(table)).count(),
        CONTROL.len()
    );
    all.into_iter().filter(|table| !is_control(table)).collect()
}
