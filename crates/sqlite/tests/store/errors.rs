//! Faults of the file, in the ports' words.

use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{Store, StoreError};

use crate::support::{Fixture, org, store};

/// What no program of ours does.
async fn execute(fixture: &Fixture, statement: &'static str) {
    let pool = sqlx::SqlitePool::connect_with(fixture.store.connect_options());
    let pool = pool.await.unwrap();
    sqlx::raw_sql(statement).execute(&pool).await.unwrap();
}

#[tokio::test]
async fn a_value_that_no_program_of_ours_writes_is_named_by_its_place() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    execute(&fixture, "UPDATE sync_sources SET source_data = 'nonsense'").await;
    let mut unit = fixture.read(&organization).await;

    let error = unit.source(&run.source).await.unwrap_err();

    assert!(matches!(&error, StoreError::Corrupt(place) if place == "sync_sources.source_data"));
}

#[tokio::test]
async fn a_checkpoint_that_another_version_wrote_is_the_lists_beginning() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    execute(
        &fixture,
        "UPDATE sync_runs SET checkpoint = '{\"phase\":\"Pondering\"}'",
    )
    .await;
    let mut unit = fixture.read(&organization).await;

    let read = unit.run(&run.id).await.unwrap().unwrap();

    assert_eq!(read.pass, Pass::default());
}

#[tokio::test]
async fn a_store_that_was_closed_is_unavailable() {
    let fixture = store().await;
    fixture.store.close().await;

    let error = fixture.store.read(&org("org_a")).await.err().unwrap();

    assert!(error.is_transient(), "{error:?}");
}
