//! What is over goes, in batches; what may be of use stays.

use fanfare_jobs::Queue;
use fanfare_sqlite::QUEUE;

use crate::support::{World, world};

async fn job(world: &World, queue: &str, status: &str, age: Option<u32>, worker: Option<&str>) {
    sqlx::query(
        "INSERT INTO Jobs (id, job, job_type, status, done_at, lock_by)
         VALUES (?1, '{}', ?2, ?3, strftime('%s', 'now') - ?4, ?5)",
    )
    .bind(ulid::Ulid::generate().to_string())
    .bind(queue)
    .bind(status)
    .bind(age)
    .bind(worker)
    .execute(&world.jobs)
    .await
    .unwrap();
}

async fn worker(world: &World, name: &str, seconds_ago: u32) {
    sqlx::query(
        "INSERT INTO Workers (id, worker_type, storage_name, last_seen)
         VALUES (?1, ?2, 's', strftime('%s', 'now') - ?3)",
    )
    .bind(name)
    .bind(QUEUE)
    .bind(seconds_ago)
    .execute(&world.jobs)
    .await
    .unwrap();
}

async fn count(world: &World, table: &'static str) -> i64 {
    sqlx::query_scalar(table)
        .fetch_one(&world.jobs)
        .await
        .unwrap()
}

const JOBS: &str = "SELECT COUNT(*) FROM Jobs";
const WORKERS: &str = "SELECT COUNT(*) FROM Workers";

#[tokio::test]
async fn jobs_that_ended_long_ago_are_deleted_in_batches_and_all_others_stay() {
    let world = world(&[]).await;
    for status in ["Done", "Failed", "Killed", "Done", "Done"] {
        job(&world, QUEUE, status, Some(3_700), None).await;
    }
    job(&world, QUEUE, "Done", Some(3_500), None).await;
    job(&world, QUEUE, "Pending", None, None).await;
    job(&world, QUEUE, "Running", None, None).await;
    job(&world, "another-queue", "Done", Some(100_000), None).await;

    let mut gone = Vec::new();
    for _ in 0..4 {
        gone.push(world.queue.delete_old_jobs(2).await.unwrap());
    }

    assert_eq!(gone, [2, 2, 1, 0]);
    assert_eq!(count(&world, JOBS).await, 4);
}

#[tokio::test]
async fn workers_that_are_long_gone_are_deleted_when_no_job_names_them() {
    let world = world(&[]).await;
    worker(&world, "gone", 3_700).await;
    worker(&world, "holds", 3_700).await;
    worker(&world, "alive", 1).await;
    job(&world, QUEUE, "Queued", None, Some("holds")).await;

    assert_eq!(world.queue.delete_old_jobs(10).await.unwrap(), 1);

    assert_eq!(count(&world, WORKERS).await, 2);
    assert_eq!(count(&world, JOBS).await, 1);
}
