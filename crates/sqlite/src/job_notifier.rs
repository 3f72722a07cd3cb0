//! Job notifications: jobs in apalis's queue, put there by our own transaction.
//!
//! apalis offers no public way to enqueue inside a transaction of ours, so this file knows its table, as
//! `fanfare-jobs` does. The statement does what `queries/task/sink.sql` of apalis-sqlite 1.0.0 does, and
//! makes a job that is over wait again. It is not checked at compile time, because the table is made by
//! apalis's migrations and not by ours; tests run it against those migrations.

use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use serde::Serialize;
use sqlx::SqliteConnection;
use ulid::Ulid;

use crate::timeout::WithTimeout;
use fanfare_sql_rows::{JobNotifier, QUEUE, job_payload, json};

#[derive(Serialize)]
struct Job {
    id: String,
    payload: String,
}

/// Makes a job for each piece of work wait in apalis's queue, in the caller's transaction.
///
/// Work has one job, which waits again at each notification: a queue that no worker listens to, or whose
/// workers are all busy, does not grow with the repeats.
pub(crate) async fn notify(
    notifier: JobNotifier,
    connection: &mut SqliteConnection,
    work: &[WorkItem],
    now: Timestamp,
) -> Result<(), StoreError> {
    if notifier == JobNotifier::None || work.is_empty() {
        return Ok(());
    }
    let jobs: Vec<Job> = work
        .iter()
        .map(|work| Job {
            id: Ulid::generate().to_string(),
            payload: job_payload(work),
        })
        .collect();
    // Never more than one attempt: workers are notified again of what failed, by our own rules. The worker
    // that had the job before loses it, so that a late acknowledgement does not hide the new notification;
    // and a job that waits already keeps its place, unless it was made before
    // the clock was set back.
    sqlx::query(
        "INSERT INTO Jobs (id, job, job_type, status, attempts, max_attempts, run_at, priority,
            metadata, idempotency_key)
         SELECT value ->> 'id', CAST(value ->> 'payload' AS BLOB), ?2, 'Pending', 0, 1, ?3, 0, '{}',
            value ->> 'payload'
         FROM json_each(?1) WHERE true
         ON CONFLICT (job_type, idempotency_key) DO UPDATE
         SET status = 'Pending', attempts = 0, run_at = excluded.run_at, lock_at = NULL,
            lock_by = NULL, done_at = NULL, last_result = NULL
         WHERE status <> 'Pending' OR run_at > excluded.run_at",
    )
    .bind(json(&jobs))
    .bind(QUEUE)
    .bind(now.as_micros() / 1_000_000)
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(())
}
