//! Faults of the database, in the ports' words.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{Store, StoreError};
use fanfare_domain::run::{RunError, SyncStatus};
use fanfare_testkit::build::{self, at};

use crate::support::{Fixture, org, store};

/// Ends the server's side of every connection of the store.
async fn cut_off(fixture: &Fixture) {
    let pool = fixture.database.pool();
    let ended: Vec<bool> = sqlx::query_scalar(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'fanfare'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(ended.iter().all(|ended| *ended));
}

#[track_caller]
fn assert_transient<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_value_that_no_program_of_ours_writes_is_named_by_its_place() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    fixture
        .database
        .execute("UPDATE sync_sources SET source_data = '1'")
        .await;
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
        ("UPDATE sync_runs SET queued_at = 'infinity'", false),
    ] {
        let fixture = store().await;
        let organization = org("org_a");
        let run = fixture.queue(&organization, "list1").await;
        fixture.database.execute(damage).await;
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
    fixture.database.execute(damage).await;
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
    fixture.database.execute(damage).await;

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
    fixture
        .database
        .execute("UPDATE sync_runs SET checkpoint = '{\"phase\":\"Pondering\"}'")
        .await;
    let mut unit = fixture.read(&organization).await;

    let read = unit.run(&run.id).await.unwrap().unwrap();

    assert_eq!(read.pass, Pass::default());
}

#[tokio::test]
async fn a_time_that_no_program_of_ours_writes_is_corrupt() {
    let fixture = store().await;
    let organization = org("org_a");
    let run = fixture.queue(&organization, "list1").await;
    fixture
        .database
        .execute("UPDATE sync_runs SET queued_at = 'infinity'")
        .await;
    let mut unit = fixture.read(&organization).await;

    let error = unit.run(&run.id).await.unwrap_err();

    assert!(matches!(&error, StoreError::Corrupt(_)), "{error:?}");
}

#[tokio::test]
async fn a_store_that_was_closed_is_unavailable() {
    let fixture = store().await;
    fixture.store.close().await;

    let error = fixture.store.read(&org("org_a")).await.err().unwrap();

    assert!(error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn a_unit_that_was_cut_off_is_transient_and_the_next_one_works() {
    let fixture = store().await;
    let organization = org("org_a");
    let mut unit = fixture.begin(&organization).await;
    let source = Fixture::source("list1");
    unit.put_source(&source).await.unwrap();

    cut_off(&fixture).await;

    assert_transient(unit.source(&source.id).await);
    drop(unit);
    let mut unit = fixture.begin(&organization).await;
    assert_eq!(unit.source(&source.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_commit_whose_answer_never_comes_is_transient() {
    let fixture = store().await;
    let mut unit = fixture.begin(&org("org_a")).await;
    unit.put_source(&Fixture::source("list1")).await.unwrap();

    cut_off(&fixture).await;

    assert_transient(unit.commit().await);
}

#[tokio::test]
async fn a_database_that_has_become_read_only_is_transient() {
    let fixture = store().await;
    let mut unit = fixture.begin(&org("org_a")).await;
    // What a standby says to every write.
    let standby = "
        CREATE FUNCTION stand_by() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'read-only' USING ERRCODE = '25006'; END $$;
        CREATE TRIGGER stand_by BEFORE INSERT ON sync_sources
            FOR EACH ROW EXECUTE FUNCTION stand_by()";
    sqlx::raw_sql(standby)
        .execute(&fixture.database.pool())
        .await
        .unwrap();

    assert_transient(unit.put_source(&Fixture::source("list1")).await);
}

#[tokio::test]
async fn a_unit_with_a_failed_statement_cannot_be_committed() {
    let fixture = store().await;
    let organization = org("org_a");
    let source = Fixture::source("list1");
    let mut orphan = Fixture::audience(&source);
    orphan.source = Some(build::source_id("sync_none"));
    let mut unit = fixture.begin(&organization).await;
    unit.put_source(&source).await.unwrap();
    unit.put_audience(&orphan).await.unwrap_err();

    let committed = unit.commit().await;

    assert!(matches!(committed, Err(StoreError::Refused(_))));
    let mut unit = fixture.read(&organization).await;
    assert_eq!(unit.source(&source.id).await.unwrap(), None);
}

#[tokio::test]
async fn what_postgres_quotes_of_a_row_is_in_no_error() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    let page = [build::profile("p1").email("canary@example.com").build()];
    let mut plan = fixture.take(&run, &page).await;
    plan.created[0].id = build::consumer_id("cons_rival");
    let plan = fanfare_domain::page::PagePlan {
        created: plan.created,
        ..Default::default()
    };
    let mut unit = fixture.begin(&run.organization).await;
    let write = fanfare_domain::ports::PageWrite {
        run: &run.id,
        audience: &run.audience,
        plan: &plan,
        first_seen_page: 2,
        now: build::at(0),
    };

    let error = unit.write_page(write).await.unwrap_err();

    let (shown, debug) = (format!("{error}"), format!("{error:?}"));
    assert!(debug.contains("consumers_one_per_email"), "{debug}");
    assert!(
        !shown.contains("canary") && !debug.contains("canary"),
        "{debug}"
    );
}
