//! The queue of due work, across organizations.
//!
//! `notify_at` is when a worker must be notified if nothing has happened until then: ten seconds after a
//! notification, when a lease runs out, or when a pause is over.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{StoreError, WorkQueue};
use fanfare_domain::work::{SchedulingCandidate, WorkItem};

use crate::store::SqliteStore;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{CandidateRow, WorkRow, all, count, one};

/// How long a worker has to claim work that it was notified of. A worker that dies before its claim leaves no
/// lease that could run out: the work waits for so long.
pub(crate) const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl WorkQueue for SqliteStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let (now_micros, again) = (now.as_micros(), now.plus(NOTIFICATION_TIMEOUT).as_micros());
        // Most of the time there is none: look before taking the write lock.
        let overdue = sqlx::query_scalar!(
            "SELECT id FROM work_queue WHERE notify_at <= ?1 LIMIT 1",
            now_micros
        )
        .fetch_optional(&self.reader)
        .with_timeout()
        .await?;
        if overdue.is_none() {
            return Ok(0);
        }
        let mut tx = self.begin_writing().await?;
        let rows = sqlx::query_as!(
            WorkRow,
            "UPDATE work_queue SET notify_at = ?2
             WHERE (organization_id, kind, id) IN (
                SELECT organization_id, kind, id FROM work_queue
                WHERE notify_at <= ?1 ORDER BY notify_at LIMIT ?3)
             RETURNING organization_id, kind, id",
            now_micros,
            again,
            limit
        )
        .fetch_all(&mut *tx)
        .with_timeout()
        .await?;
        let due: Vec<WorkItem> = all(rows)?;
        self.notifier.notify(&mut tx, &due, now).await?;
        tx.commit().with_timeout().await?;
        Ok(due.len() as u64)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        let now = self.clock.now().as_micros();
        let next = sqlx::query_as!(
            CandidateRow,
            // Leased work was due when it was claimed, so one scan of what is due meets both.
            r#"SELECT organization_id AS "organization_id!", kind AS "kind!", id AS "id!",
                leased AS "leased!: i64"
               FROM (
                SELECT organization_id, kind, id, due_at, token,
                    lease_until IS NULL OR lease_until <= ?1 AS is_waiting,
                    count(*) FILTER (WHERE lease_until > ?1)
                        OVER (PARTITION BY organization_id) AS leased,
                    (SELECT claimed_at FROM last_claims
                     WHERE last_claims.organization_id = q.organization_id) AS claimed_at
                FROM work_queue q INDEXED BY work_queue_by_due WHERE due_at <= ?1
               )
               WHERE is_waiting ORDER BY leased, claimed_at NULLS FIRST, due_at, token, id LIMIT 1"#,
            now
        )
        .fetch_optional(&self.reader)
        .with_timeout()
        .await?;
        one(next)
    }

    async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        let (organization, now) = (organization.as_str(), self.clock.now().as_micros());
        let leased = sqlx::query_scalar!(
            "SELECT COUNT(*) FROM work_queue WHERE organization_id = ?1 AND lease_until > ?2",
            organization,
            now
        )
        .fetch_one(&self.reader)
        .with_timeout()
        .await?;
        count(leased, "work_queue")
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        let now = self.clock.now().as_micros();
        let work = sqlx::query_scalar!(
            // Leased work was due when it was claimed, so it is counted too.
            "SELECT COUNT(*) FROM work_queue WHERE due_at <= ?1",
            now
        )
        .fetch_one(&self.reader)
        .with_timeout()
        .await?;
        count(work, "work_queue")
    }
}
