//! The bell: jobs in apalis's queue, put there by our own transaction.
//!
//! apalis offers no public way to enqueue inside a transaction of ours, so this file
//! knows its table, as `fanfare-jobs` does. The statement does what `queries/task/sink.sql` of apalis-sqlite 1.0.0 does, and makes a
//! job that is over wait again. It is not checked at compile time, because the table is made by
//! apalis's migrations and not by ours; tests run it against those migrations.

use fanfare_domain::ports::{DueRun, StoreError};
use fanfare_domain::time::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;
use ulid::Ulid;

use crate::error::store_error;
use crate::rows::json;

/// The queue in apalis that due runs are rung in. A job's payload is
/// `{"organizationId":"…","runId":"…"}`.
pub const QUEUE: &str = "klaviyo/sync-list";

/// Who is told that a run is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobNotifier {
    /// apalis's workers on the same file. Its tables must be there.
    Apalis,
    /// Nobody: whoever embeds the store looks after due runs.
    None,
}

#[derive(Serialize)]
struct Job {
    id: String,
    payload: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    organization_id: &'a str,
    run_id: &'a str,
}

impl JobNotifier {
    /// Sees to it that a job for each run waits in the queue, in the caller's transaction.
    ///
    /// A run has one job, which waits again at each ring: a queue that nobody listens to, or whose
    /// workers are all busy, does not grow with the repeats.
    pub(crate) async fn notify(
        self,
        connection: &mut SqliteConnection,
        runs: &[DueRun],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if self == Self::None || runs.is_empty() {
            return Ok(());
        }
        let jobs: Vec<Job> = runs
            .iter()
            .map(|due| Job {
                id: Ulid::generate().to_string(),
                payload: json(&Payload {
                    organization_id: due.organization.as_str(),
                    run_id: due.run.as_str(),
                }),
            })
            .collect();
        // Never more than one attempt: what failed is rung for again, by our own rules. Whoever had the
        // job before loses it, so that a late acknowledgement does not hide the new ring; and a
        // job that waits already keeps its place in the line.
        sqlx::query(
            "INSERT INTO Jobs (id, job, job_type, status, attempts, max_attempts, run_at, priority,
                metadata, idempotency_key)
             SELECT value ->> 'id', CAST(value ->> 'payload' AS BLOB), ?2, 'Pending', 0, 1, ?3, 0, '{}',
                value ->> 'payload'
             FROM json_each(?1) WHERE true
             ON CONFLICT (job_type, idempotency_key) DO UPDATE
             SET status = 'Pending', attempts = 0, run_at = excluded.run_at, lock_at = NULL,
                lock_by = NULL, done_at = NULL, last_result = NULL
             WHERE status <> 'Pending'",
        )
        .bind(json(&jobs))
        .bind(QUEUE)
        .bind(now.as_micros() / 1_000_000)
        .execute(connection)
        .await
        .map_err(store_error)?;
        Ok(())
    }
}
