//! The queue of due work, seen from one organization: leases.
//!
//! Work can be claimed when it is due and leased to no worker. `notify_at` is when a worker must be notified
//! if nothing has happened until then: ten seconds after a notification, when the lease runs out, or when a
//! pause is over.
//!
//! Time is the database's at the statement, the same for all processes: a worker whose own clock is
//! wrong neither loses its lease nor keeps it too long.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::lease::{Claim, FencingToken};
use fanfare_domain::ports::{Leases, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKey};

use crate::timeout::WithTimeout;
use crate::unit::Unit;
use crate::work_queue::NOTIFICATION_TIMEOUT;
use fanfare_sql_rows::DbTimestamp;
use fanfare_sql_rows::corrupt;
use fanfare_sql_rows::signed;

#[async_trait]
impl Leases for Unit {
    async fn enqueue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "WITH t AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now)
             INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
             SELECT $1, $2, $3, t.now, NULL, 0, t.now + make_interval(secs => $5) FROM t",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            now as _,
            NOTIFICATION_TIMEOUT
        )
        .execute(connection)
        .with_timeout()
        .await?;
        self.notify(work).await
    }

    async fn claim(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let claimed = sqlx::query!(
            r#"WITH t AS MATERIALIZED (SELECT coalesce($4, clock_timestamp()) AS now),
               due AS MATERIALIZED (
                SELECT q.lease_until IS NOT NULL AS abandoned FROM t
                JOIN work_queue q
                  ON q.due_at <= t.now AND (q.lease_until IS NULL OR q.lease_until <= t.now)
                WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3
                FOR UPDATE OF q
               ),
               claimed AS (
                INSERT INTO last_claims (organization_id, claimed_at) SELECT $1, t.now FROM t, due
                ON CONFLICT (organization_id) DO UPDATE SET claimed_at = excluded.claimed_at
               )
               UPDATE work_queue q SET token = q.token + 1,
                lease_until = t.now + make_interval(secs => $5),
                notify_at = t.now + make_interval(secs => $5)
               FROM t, due
               WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3
               RETURNING q.token, due.abandoned AS "abandoned!""#,
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            now as _,
            length.as_secs_f64()
        )
        .fetch_optional(connection)
        .with_timeout()
        .await?;
        let Some(claimed) = claimed else {
            return Ok(None);
        };
        let token = u64::try_from(claimed.token).map_err(|_| corrupt("work_queue.token"))?;
        Ok(Some(Claim {
            token: FencingToken(token),
            abandoned: claimed.abandoned,
        }))
    }

    async fn renew(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let done = sqlx::query!(
            "WITH t AS MATERIALIZED (SELECT coalesce($5, clock_timestamp()) AS now)
             UPDATE work_queue q SET lease_until = t.now + make_interval(secs => $6),
                notify_at = t.now + make_interval(secs => $6)
             FROM t
             WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3 AND q.token = $4
               AND q.lease_until > t.now",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            signed(token.0),
            now as _,
            length.as_secs_f64()
        )
        .execute(connection)
        .with_timeout()
        .await?;
        Ok(done.rows_affected() > 0)
    }

    async fn release(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        due: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let is_due = sqlx::query_scalar!(
            r#"WITH n AS MATERIALIZED (SELECT coalesce($5, clock_timestamp()) AS now),
                t AS MATERIALIZED (SELECT now, coalesce($6, now) AS due FROM n)
               UPDATE work_queue q SET lease_until = NULL, due_at = t.due,
                notify_at = CASE WHEN t.due <= t.now THEN t.now + make_interval(secs => $7) ELSE t.due END
               FROM t
               WHERE q.organization_id = $1 AND q.kind = $2 AND q.id = $3 AND q.token = $4
                 AND q.lease_until IS NOT NULL
               RETURNING t.due <= t.now AS "is_due!""#,
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            signed(token.0),
            now as _,
            due.map(DbTimestamp) as _,
            NOTIFICATION_TIMEOUT
        )
        .fetch_optional(connection)
        .with_timeout()
        .await?;
        if is_due == Some(true) {
            self.notify(work).await?;
        }
        Ok(is_due.is_some())
    }

    async fn dequeue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query_file!(
            "../sql-rows/sql/work_queue/dequeue.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str()
        )
        .execute(connection)
        .with_timeout()
        .await?;
        Ok(())
    }
}

impl Unit {
    async fn notify(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let work = WorkItem {
            organization: self.organization.clone(),
            key: work.clone(),
        };
        let notifier = self.notifier;
        let (_, connection) = self.writing()?;
        notifier.notify(connection, &[work]).await
    }
}
