//! The queue of due runs.
//!
//! `ring_at` is when the bell must ring if nothing has happened until then: ten seconds after a
//! ring, when a lease runs out, or when a pause is over.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::{DueRun, DueRuns, StoreError};

use crate::error::store_error;
use crate::rows::{count, id};
use crate::store::SqliteStore;

/// How long a ring is given to be heard. A worker that dies between hearing it and its claim leaves no
/// lease that could run out: the run waits for so long.
pub(crate) const RING_PATIENCE: Duration = Duration::from_secs(10);

#[async_trait]
impl DueRuns for SqliteStore {
    async fn ring(&self, limit: u32) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let (now_micros, again) = (now.as_micros(), now.plus(RING_PATIENCE).as_micros());
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
            .map(|row| {
                Ok(DueRun {
                    organization: id(
                        row.organization_id,
                        OrganizationId::parse,
                        "run_queue.organization_id",
                    )?,
                    run: id(row.run_id, RunId::parse, "run_queue.run_id")?,
                })
            })
            .collect();
        let due = due?;
        self.doorbell.ring(&mut tx, &due, now).await?;
        tx.commit().await.map_err(store_error)?;
        Ok(due.len() as u64)
    }

    async fn is_any_waiting(&self, except: &RunId) -> Result<bool, StoreError> {
        let (now, except) = (self.clock.now().as_micros(), except.as_str());
        let waiting = sqlx::query_scalar!(
            "SELECT run_id FROM run_queue
             WHERE due_at <= ?1 AND (lease_until IS NULL OR lease_until <= ?1) AND run_id <> ?2
             LIMIT 1",
            now,
            except
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(store_error)?;
        Ok(waiting.is_some())
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
