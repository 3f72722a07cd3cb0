//! Faults of the file, in the ports' words.

use fanfare_domain::ports::{Store, StoreError};

use crate::support::{org, store};

#[tokio::test]
async fn a_value_that_no_program_of_ours_writes_is_named_by_its_place() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    let pool = sqlx::SqlitePool::connect_with(fixture.store.connect_options())
        .await
        .unwrap();
    sqlx::query("UPDATE sync_runs SET checkpoint = 'nonsense'")
        .execute(&pool)
        .await
        .unwrap();
    let mut unit = fixture.read(&organization).await;

    let error = unit.run(&run.id).await.unwrap_err();

    assert!(matches!(&error, StoreError::Corrupt(place) if place == "sync_runs.checkpoint"));
}

#[tokio::test]
async fn a_store_that_was_closed_is_unavailable() {
    let fixture = store().await;
    fixture.store.close().await;

    let error = fixture.store.read(&org("org_a")).await.err().unwrap();

    assert!(error.is_transient(), "{error:?}");
}
