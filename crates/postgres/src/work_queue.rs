//! The queue of due work, across organizations.
//!
//! `notify_at` is when a worker must be notified if nothing has happened until then: ten seconds after a
//! notification, when a lease runs out, or when a pause is over. Time is the database's, the same for all
//! processes, and the one at the statement rather than at the transaction's beginning.

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{StoreError, WorkQueue};
use fanfare_domain::work::{SchedulingCandidate, WorkItem};

use crate::store::PostgresStore;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{CandidateRow, WorkRow, all, count, one};

/// How long a worker has to claim work that it was notified of, in seconds. A worker that dies before its
/// claim leaves no lease that could run out: the work waits for so long.
pub(crate) const NOTIFICATION_TIMEOUT: f64 = 10.0;

#[async_trait]
impl WorkQueue for PostgresStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        let mut tx = self.control.begin().with_timeout().await?;
        // Rows that a worker is writing are passed over, and those for which another process is notifying
        // workers right now.
        let rows = sqlx::query_as!(
            WorkRow,
            "WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now),
             overdue AS MATERIALIZED (
                SELECT q.organization_id, q.kind, q.id FROM t
                JOIN work_queue q ON q.notify_at <= t.now
                ORDER BY q.notify_at LIMIT $2
                FOR UPDATE OF q SKIP LOCKED
             )
             UPDATE work_queue q SET notify_at = t.now + make_interval(secs => $3)
             FROM t, overdue
             WHERE q.organization_id = overdue.organization_id AND q.kind = overdue.kind
               AND q.id = overdue.id
             RETURNING q.organization_id, q.kind, q.id",
            self.now() as _,
            i64::from(limit),
            NOTIFICATION_TIMEOUT
        )
        .fetch_all(&mut *tx)
        .with_timeout()
        .await?;
        let due: Vec<WorkItem> = all(rows)?;
        self.notifier.notify(&mut tx, &due).await?;
        tx.commit().with_timeout().await?;
        Ok(due.len() as u64)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        let next = sqlx::query_as!(
            CandidateRow,
            // Leased work was due when it was claimed, so one scan of what is due meets both.
            r#"WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
               SELECT organization_id, kind, id, leased AS "leased!" FROM (
                SELECT q.organization_id, q.kind, q.id, q.due_at, q.token,
                    q.lease_until IS NULL OR q.lease_until <= t.now AS is_waiting,
                    count(*) FILTER (WHERE q.lease_until > t.now)
                        OVER (PARTITION BY q.organization_id) AS leased,
                    (SELECT claimed_at FROM last_claims WHERE organization_id = q.organization_id)
                        AS claimed_at
                FROM t JOIN work_queue q ON q.due_at <= t.now
               ) q
               WHERE is_waiting ORDER BY leased, claimed_at NULLS FIRST, due_at, token, id LIMIT 1"#,
            self.now() as _
        )
        .fetch_optional(&self.control)
        .with_timeout()
        .await?;
        one(next)
    }

    async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        let leased = sqlx::query_scalar!(
            r#"SELECT count(*) AS "leased!" FROM work_queue
               WHERE organization_id = $1 AND lease_until > coalesce($2, clock_timestamp())"#,
            organization.as_str(),
            self.now() as _
        )
        .fetch_one(&self.control)
        .with_timeout()
        .await?;
        count(leased, "work_queue")
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        let work = sqlx::query_scalar!(
            // Leased work was due when it was claimed, so it is counted too.
            r#"WITH t AS MATERIALIZED (SELECT coalesce($1, clock_timestamp()) AS now)
               SELECT count(*) AS "work!" FROM t JOIN work_queue q ON q.due_at <= t.now"#,
            self.now() as _
        )
        .fetch_one(&self.control)
        .with_timeout()
        .await?;
        count(work, "work_queue")
    }
}
