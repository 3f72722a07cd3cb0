//! Faults of the file, in the ports' words.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{Store, StoreError};
use fanfare_domain::run::{RunError, SyncStatus};
use fanfare_testkit::build::at;

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
async fn a_run_that_cannot_be_read_is_ended_and_can_be_read_then() {
    for (damage, is_newer) in [
        ("UPDATE sync_runs SET trigger = 'TELEPATHY'", false),
        ("UPDATE sync_runs SET trigger = 'TELEPATHY', form = 9", true),
        ("UPDATE sync_runs SET status = 'PONDERING', form = 9", true),
        ("UPDATE sync_runs SET error_code = 'bad_luck'", false),
        ("UPDATE sync_runs SET processed = -1", false),
        ("UPDATE sync_runs SET queued_at = 999999999999999999", false),
    ] {
        let fixture = store().await;
        let organization = org("org_a");
        let run = fixture.queue(&organization, "list1").await;
        execute(&fixture, damage).await;
        let mut unit = fixture.begin(&organization).await;
        let error = unit.run(&run.id).await.unwrap_err();
        assert!(error.is_unreadable(), "{damage}: {error:?}");
        assert_eq!(matches!(error, StoreError::Newer(_)), is_newer, "{damage}");
        let error = RunError {
            code: FailureCode::Cancelled,
            message: String::new(),
        };

        assert!(
            unit.end_unread(&run.id, &error, at(9)).await.unwrap(),
            "{damage}"
        );

        let ended = unit.run(&run.id).await.unwrap().unwrap();
        assert_eq!(
            (ended.status, ended.error),
            (SyncStatus::Failed, Some(error))
        );
        assert!(!ended.is_newer, "{damage}");
        let source = unit.source(&run.source).await.unwrap().unwrap();
        assert_eq!(source.status, SyncStatus::Failed);
    }
}

#[tokio::test]
async fn an_audience_whose_source_cannot_be_read_is_archived_and_its_run_ended() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    let damage = "UPDATE sync_sources SET sync_source = 'klaviyo:tag'";
    execute(&fixture, damage).await;
    let mut unit = fixture.begin(&organization).await;
    let error = unit.audience(&run.audience).await.unwrap_err();
    assert!(error.is_unreadable(), "{error:?}");

    let source = unit
        .archive_unread(&run.audience, "key_1", at(9))
        .await
        .unwrap();

    assert_eq!(source.as_ref(), Some(&run.source));
    assert_eq!(unit.active_run(&run.source).await.unwrap(), Some(run.id));
    assert_eq!(unit.audiences(&all()).await.unwrap().items, []);
}

#[tokio::test]
async fn a_run_of_a_newer_form_is_known_by_it_though_it_can_be_read() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    let damage = "UPDATE sync_runs SET form = 9, waiting_why = 'mystery'";
    execute(&fixture, damage).await;

    let read = fixture.read(&organization).await.run(&run.id).await;

    let read = read.unwrap().unwrap();
    assert!(read.is_newer);
    assert_eq!(
        read.waiting, None,
        "a reason that is not known only adorns it"
    );
}

fn all() -> PageRequest {
    PageRequest {
        first: 10,
        after: None,
    }
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
