//! A search that takes too long.

use fanfare_testkit::build::organization_id;
use fanfare_testkit::clock::FixedClock;

use super::*;

#[tokio::test]
async fn a_statement_of_a_search_is_interrupted_when_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let store = SqliteStore::open(path.as_path(), Arc::new(FixedClock::default()))
        .await
        .unwrap();
    let organization = organization_id("org_a");
    let mut unit = store
        .searching(&organization, Duration::ZERO)
        .await
        .unwrap();
    let endless = "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
        SELECT count(*) FROM numbers";

    let result = sqlx::query(endless)
        .fetch_one(&mut *unit.tx)
        .with_timeout()
        .await;

    assert!(matches!(result, Err(StoreError::SearchTooLong)));
}
