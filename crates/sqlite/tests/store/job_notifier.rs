//! Job notifications: jobs in apalis's own table, in the transaction of what they are for. Of what workers are
//! notified, and when, is the contract's.

use std::time::Duration;

use apalis_sqlite::SqliteStorage;
use fanfare_domain::ports::{Clock, WorkQueue};
use fanfare_domain::work::WorkKey;
use fanfare_sqlite::{JobNotifier, QUEUE};
use sqlx::{Row, SqlitePool};

use crate::support::{Fixture, org, store, store_with};

async fn with_apalis() -> (Fixture, SqlitePool) {
    let fixture = store_with(JobNotifier::Apalis).await;
    let pool = SqlitePool::connect_with(fixture.store.connect_options())
        .await
        .unwrap();
    SqliteStorage::<()>::migrations().run(&pool).await.unwrap();
    (fixture, pool)
}

/// Ends the jobs that wait, as a worker of apalis does. Returns how many there were.
async fn finish_jobs(pool: &SqlitePool) -> u64 {
    let finished = sqlx::query(
        "UPDATE Jobs SET status = 'Done', attempts = 1, done_at = strftime('%s', 'now')
         WHERE status = 'Pending'",
    );
    finished.execute(pool).await.unwrap().rows_affected()
}

/// The payloads of the jobs, in the order of their coming.
async fn jobs(pool: &SqlitePool) -> Vec<String> {
    let jobs: Vec<Vec<u8>> = sqlx::query_scalar("SELECT job FROM Jobs ORDER BY rowid")
        .fetch_all(pool)
        .await
        .unwrap();
    jobs.into_iter()
        .map(|job| String::from_utf8(job).unwrap())
        .collect()
}

#[tokio::test]
async fn a_queued_run_is_a_job_as_apalis_would_have_written_it() {
    let (fixture, pool) = with_apalis().await;

    let run = fixture.queue(&org("org_a"), "list1").await;

    let job = sqlx::query("SELECT * FROM Jobs")
        .fetch_one(&pool)
        .await
        .unwrap();
    let payload: Vec<u8> = job.get("job");
    let want = format!(
        r#"{{"organizationId":"org_a","kind":"PULL","id":"{}"}}"#,
        run.id
    );
    assert_eq!(String::from_utf8(payload).unwrap(), want);
    assert_eq!(job.get::<String, _>("job_type"), QUEUE);
    assert_eq!(job.get::<String, _>("status"), "Pending");
    assert_eq!(job.get::<i64, _>("attempts"), 0);
    assert_eq!(job.get::<i64, _>("max_attempts"), 1);
    assert_eq!(
        job.get::<i64, _>("run_at"),
        fixture.clock.now().as_micros() / 1_000_000
    );
    assert_eq!(job.get::<String, _>("metadata"), "{}");
    assert_eq!(job.get::<String, _>("idempotency_key"), want);
    assert!(job.get::<String, _>("id").parse::<ulid::Ulid>().is_ok());
}

#[tokio::test]
async fn a_unit_that_is_dropped_leaves_neither_run_nor_job() {
    let (fixture, pool) = with_apalis().await;
    let organization = org("org_a");
    let source = Fixture::source("list1");
    let run = fixture.run(&organization, &source);
    let mut unit = fixture.begin(&organization).await;
    unit.put_source(&source).await.unwrap();
    unit.put_audience(&Fixture::audience(&source))
        .await
        .unwrap();
    unit.insert_run(&run).await.unwrap();
    let work = WorkKey::pull(&run.run().id);
    unit.enqueue(&work).await.unwrap();

    drop(unit);

    assert_eq!(jobs(&pool).await, Vec::<String>::new());
    assert_eq!(
        fixture
            .read(&organization)
            .await
            .run(&run.run().id)
            .await
            .unwrap(),
        None
    );
    assert_eq!(fixture.store.backlog().await.unwrap(), 0);
}

#[tokio::test]
async fn without_a_notifier_work_is_queued_and_no_worker_notified() {
    let fixture = store().await;

    fixture.queue(&org("org_a"), "list1").await;

    assert_eq!(fixture.store.backlog().await.unwrap(), 1);
    fixture.clock.advance(Duration::from_mins(1));
    assert_eq!(fixture.store.notify(10).await.unwrap(), 1);
}

#[tokio::test]
async fn a_run_has_one_job_however_often_workers_are_notified_of_it() {
    let (fixture, pool) = with_apalis().await;
    fixture.queue(&org("org_a"), "list1").await;
    let notify = async || {
        fixture.clock.advance(Duration::from_secs(10));
        assert_eq!(fixture.store.notify(10).await.unwrap(), 1);
    };

    notify().await;
    notify().await;
    assert_eq!(finish_jobs(&pool).await, 1);
    notify().await;

    assert_eq!(finish_jobs(&pool).await, 1);
    assert_eq!(jobs(&pool).await.len(), 1);
}

#[tokio::test]
async fn a_repeated_notification_keeps_its_place_in_the_queue() {
    let (fixture, pool) = with_apalis().await;
    fixture.queue(&org("org_a"), "list1").await;
    let first = fixture.clock.now();

    fixture.clock.advance(Duration::from_secs(10));
    assert_eq!(fixture.store.notify(10).await.unwrap(), 1);

    let run_at: i64 = sqlx::query_scalar("SELECT run_at FROM Jobs")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(run_at, first.as_micros() / 1_000_000);
}

#[tokio::test]
async fn a_late_acknowledgement_does_not_hide_a_new_notification() {
    let (fixture, pool) = with_apalis().await;
    fixture.queue(&org("org_a"), "list1").await;
    sqlx::query("INSERT INTO Workers (id, worker_type, storage_name) VALUES ('w', 'q', 's')")
        .execute(&pool)
        .await
        .unwrap();
    sqlx::query("UPDATE Jobs SET status = 'Queued', lock_by = 'w', lock_at = 1")
        .execute(&pool)
        .await
        .unwrap();

    fixture.clock.advance(Duration::from_secs(10));
    assert_eq!(fixture.store.notify(10).await.unwrap(), 1);
    // What `queries/task/ack.sql` of apalis-sqlite does.
    let late = sqlx::query("UPDATE Jobs SET status = 'Done' WHERE lock_by = 'w'")
        .execute(&pool)
        .await
        .unwrap();

    assert_eq!(late.rows_affected(), 0);
    assert_eq!(finish_jobs(&pool).await, 1);
}

#[tokio::test]
async fn work_of_a_kind_that_only_a_newer_version_knows_is_left_to_its_workers() {
    let (fixture, pool) = with_apalis().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    assert_eq!(finish_jobs(&pool).await, 1);
    let newer = sqlx::query(
        "INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
         SELECT organization_id, 'NEWER', id, due_at - 1, lease_until, token, due_at - 1
         FROM work_queue",
    );
    newer.execute(&pool).await.unwrap();

    let next = fixture.store.next().await.unwrap().unwrap();
    assert_eq!(next.work.key, WorkKey::pull(&run.id));
    fixture.clock.advance(Duration::from_secs(10));
    assert_eq!(fixture.store.notify(10).await.unwrap(), 1);
    assert_eq!(finish_jobs(&pool).await, 1);
    assert_eq!(fixture.store.notify(10).await.unwrap(), 0);
}
