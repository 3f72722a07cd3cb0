//! The queue of due runs.
//!
//! `notify_at` is when the bell must ring if nothing has happened until then: ten seconds after a
//! ring, when a lease runs out, or when a pause is over.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::{DueRun, DueRuns, SchedulingCandidate, StoreError};

use crate::error::store_error;
use crate::rows::{count, id};
use crate::store::SqliteStore;

/// How long a ring is given to be heard. A worker that dies between hearing it and its claim leaves no
/// lease that could run out: the run waits for so long.
pub(crate) const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl DueRuns for SqliteStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let (now_micros, again) = (now.as_micros(), now.plus(NOTIFICATION_TIMEOUT).as_micros());
        // Most of the time nothing is due: look before taking the write lock.
        let silent = sqlx::query_scalar!(
            "SELECT run_id FROM run_queue WHERE ring_at <= ?1 LIMIT 1",
            now_micros
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(store_error)?;
        if silent.is_none() {
            return Ok(0);
        }
        let mut tx = self.begin_writing().await?;
        let rows = sqlx::query!(
            "UPDATE run_queue SET ring_at = ?2
             WHERE (organization_id, run_id) IN (
                SELECT organization_id, run_id FROM run_queue
                WHERE ring_at <= ?1 ORDER BY ring_at LIMIT ?3)
             RETURNING organization_id, run_id",
            now_micros,
            again,
            limit
        )
        .fetch_all(&mut *tx)
        .await
        .map_err(store_error)?;
        let due: Result<Vec<DueRun>, StoreError> = rows
            .into_iter()
            .map(|row| due_run(row.organization_id, row.run_id))
            .collect();
        let due = due?;
        self.notifier.notify(&mut tx, &due, now).await?;
        tx.commit().await.map_err(store_error)?;
        Ok(due.len() as u64)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        let now = self.clock.now().as_micros();
        let turn = sqlx::query!(
            // Whoever holds a run claimed it when it was due, so one walk over what is due meets both.
            r#"SELECT organization_id AS "organization_id!", run_id AS "run_id!", held AS "held!: i64"
               FROM (
                SELECT organization_id, run_id, due_at, token,
                    lease_until IS NULL OR lease_until <= ?1 AS is_waiting,
                    count(*) FILTER (WHERE lease_until > ?1)
                        OVER (PARTITION BY organization_id) AS held,
                    (SELECT served_at FROM run_turns WHERE run_turns.organization_id = q.organization_id)
                        AS served_at
                FROM run_queue q INDEXED BY run_queue_by_due WHERE due_at <= ?1
               )
               WHERE is_waiting ORDER BY held, served_at NULLS FIRST, due_at, token, run_id LIMIT 1"#,
            now
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(store_error)?;
        turn.map(|row| {
            let due = due_run(row.organization_id, row.run_id)?;
            let held = count(row.held, "run_queue")?;
            Ok(SchedulingCandidate { due, held })
        })
        .transpose()
    }

    async fn held(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        let (organization, now) = (organization.as_str(), self.clock.now().as_micros());
        let held = sqlx::query_scalar!(
            "SELECT COUNT(*) FROM run_queue WHERE organization_id = ?1 AND lease_until > ?2",
            organization,
            now
        )
        .fetch_one(&self.reader)
        .await
        .map_err(store_error)?;
        count(held, "run_queue")
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        let now = self.clock.now().as_micros();
        let runs = sqlx::query_scalar!(
            // Whoever holds a run claimed it when it was due, so held ones are counted too.
            "SELECT COUNT(*) FROM run_queue WHERE due_at <= ?1",
            now
        )
        .fetch_one(&self.reader)
        .await
        .map_err(store_error)?;
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
