//! The queue of due runs.
//!
//! `ring_at` is when the bell must ring if nothing has happened until then: ten seconds after a
//! ring, when a lease runs out, or when a pause is over. Time is the database's, the same for all
//! processes, and the one at the statement rather than at the transaction's beginning.

use async_trait::async_trait;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::{DueRun, DueRuns, SchedulingCandidate, StoreError};

use crate::store::PostgresStore;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{count, id};

/// How long a ring is given to be heard, in seconds. A worker that dies between hearing it and its claim
/// leaves no lease that could run out: the run waits for so long.
pub(crate) const NOTIFICATION_TIMEOUT: f64 = 10.0;

#[async_trait]
impl DueRuns for PostgresStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.control.begin().with_timeout().await?;
        // Rows that somebody is working on are no concern of ours, nor are those that another
        // process is ringing for right now.
        let rows = sqlx::query!(
            "WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now),
             silent AS MATERIALIZED (
                SELECT q.organization_id, q.run_id FROM t
                JOIN run_queue q ON q.ring_at <= t.now
                ORDER BY q.ring_at LIMIT $2
                FOR UPDATE OF q SKIP LOCKED
             )
             UPDATE run_queue q SET ring_at = t.now + make_interval(secs => $3)
             FROM t, silent
             WHERE q.organization_id = silent.organization_id AND q.run_id = silent.run_id
             RETURNING q.organization_id, q.run_id",
            self.now() as _,
            i64::from(limit),
            NOTIFICATION_TIMEOUT
        )
        .fetch_all(&mut *tx)
        .with_timeout()
        .await?;
        let due: Result<Vec<DueRun>, StoreError> = rows
            .into_iter()
            .map(|row| due_run(row.organization_id, row.run_id))
            .collect();
        let due = due?;
        self.notifier.notify(&mut tx, &due).await?;
        tx.commit().with_timeout().await?;
        Ok(due.len() as u64)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        let turn = sqlx::query!(
            // Whoever holds a run claimed it when it was due, so one walk over what is due meets both.
            r#"WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
               SELECT organization_id, run_id, held AS "held!" FROM (
                SELECT q.organization_id, q.run_id, q.due_at, q.token,
                    q.lease_until IS NULL OR q.lease_until <= t.now AS is_waiting,
                    count(*) FILTER (WHERE q.lease_until > t.now)
                        OVER (PARTITION BY q.organization_id) AS held,
                    (SELECT served_at FROM run_turns WHERE organization_id = q.organization_id)
                        AS served_at
                FROM t JOIN run_queue q ON q.due_at <= t.now
               ) q
               WHERE is_waiting ORDER BY held, served_at NULLS FIRST, due_at, token, run_id LIMIT 1"#,
            self.now() as _
        )
        .fetch_optional(&self.control)
        .with_timeout()
        .await?;
        turn.map(|row| {
            let due = due_run(row.organization_id, row.run_id)?;
            let held = count(row.held, "run_queue")?;
            Ok(SchedulingCandidate { due, held })
        })
        .transpose()
    }

    async fn held(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        let held = sqlx::query_scalar!(
            r#"SELECT count(*) AS "held!" FROM run_queue
               WHERE organization_id = $1 AND lease_until > coalesce($2, clock_timestamp())"#,
            organization.as_str(),
            self.now() as _
        )
        .fetch_one(&self.control)
        .with_timeout()
        .await?;
        count(held, "run_queue")
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        let runs = sqlx::query_scalar!(
            // Whoever holds a run claimed it when it was due, so held ones are counted too.
            r#"WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
               SELECT count(*) AS "runs!" FROM t JOIN run_queue q ON q.due_at <= t.now"#,
            self.now() as _
        )
        .fetch_one(&self.control)
        .with_timeout()
        .await?;
        count(runs, "run_queue")
    }
}

fn due_run(organization: String, run: String) -> Result<DueRun, StoreError> {
    Ok(DueRun {
        organization: id(
            organization,
            OrganizationId::parse,
            "run_queue.organization_id",
        )?,
        run: id(run, RunId::parse, "run_queue.run_id")?,
    })
}
