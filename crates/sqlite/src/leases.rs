//! The queue of due work, seen from one organization: leases.
//!
//! Work can be claimed when it is due and leased to no worker. `notify_at` is when a worker must be notified
//! if nothing has happened until then: ten seconds after a notification, when the lease runs out, or when a
//! pause is over.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::lease::{Claim, FencingToken};
use fanfare_domain::ports::{Leases, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKey};

use crate::timeout::WithTimeout;
use crate::unit::Unit;
use crate::work_queue::NOTIFICATION_TIMEOUT;
use fanfare_sql_rows::corrupt;
use fanfare_sql_rows::signed;

#[async_trait]
impl Leases for Unit {
    async fn enqueue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let (kind, id) = (work.kind.as_str(), work.id.as_str());
        let (due_at, notify_at) = (now.as_micros(), now.plus(NOTIFICATION_TIMEOUT).as_micros());
        sqlx::query!(
            "INSERT INTO work_queue (organization_id, kind, id, due_at, lease_until, token, notify_at)
             VALUES (?1, ?2, ?3, ?4, NULL, 0, ?5)",
            organization,
            kind,
            id,
            due_at,
            notify_at
        )
        .execute(connection)
        .with_timeout()
        .await?;
        self.notify(work, now).await
    }

    async fn claim(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let (kind, id) = (work.kind.as_str(), work.id.as_str());
        let (now_micros, until) = (now.as_micros(), now.plus(length).as_micros());
        let row = sqlx::query!(
            "SELECT token, lease_until FROM work_queue
             WHERE organization_id = ?1 AND kind = ?2 AND id = ?3
               AND due_at <= ?4 AND (lease_until IS NULL OR lease_until <= ?4)",
            organization,
            kind,
            id,
            now_micros
        )
        .fetch_optional(&mut *connection)
        .with_timeout()
        .await?;
        let Some(row) = row else { return Ok(None) };
        // What was read stays true: this unit excludes every other writer.
        let token = row.token + 1;
        sqlx::query!(
            "INSERT INTO last_claims (organization_id, claimed_at) VALUES (?1, ?2)
             ON CONFLICT (organization_id) DO UPDATE SET claimed_at = excluded.claimed_at",
            organization,
            now_micros
        )
        .execute(&mut *connection)
        .with_timeout()
        .await?;
        sqlx::query!(
            "UPDATE work_queue SET token = ?4, lease_until = ?5, notify_at = ?5
             WHERE organization_id = ?1 AND kind = ?2 AND id = ?3",
            organization,
            kind,
            id,
            token,
            until
        )
        .execute(connection)
        .with_timeout()
        .await?;
        Ok(Some(Claim {
            token: FencingToken(u64::try_from(token).map_err(|_| corrupt("work_queue.token"))?),
            abandoned: row.lease_until.is_some(),
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
        let (kind, id, token) = (work.kind.as_str(), work.id.as_str(), signed(token.0));
        let (now_micros, until) = (now.as_micros(), now.plus(length).as_micros());
        let done = sqlx::query!(
            "UPDATE work_queue SET lease_until = ?6, notify_at = ?6
             WHERE organization_id = ?1 AND kind = ?2 AND id = ?3 AND token = ?4 AND lease_until > ?5",
            organization,
            kind,
            id,
            token,
            now_micros,
            until
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
        let due = due.unwrap_or(now);
        let is_due = due <= now;
        let (organization, connection) = self.writing()?;
        let (kind, id, token) = (work.kind.as_str(), work.id.as_str(), signed(token.0));
        let notify_at = if is_due {
            now.plus(NOTIFICATION_TIMEOUT)
        } else {
            due
        }
        .as_micros();
        let due_at = due.as_micros();
        let done = sqlx::query!(
            "UPDATE work_queue SET lease_until = NULL, due_at = ?5, notify_at = ?6
             WHERE organization_id = ?1 AND kind = ?2 AND id = ?3 AND token = ?4
               AND lease_until IS NOT NULL",
            organization,
            kind,
            id,
            token,
            due_at,
            notify_at
        )
        .execute(connection)
        .with_timeout()
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        if is_due {
            self.notify(work, now).await?;
        }
        Ok(true)
    }

    async fn dequeue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (kind, id) = (work.kind.as_str(), work.id.as_str());
        sqlx::query_file!(
            "../sql-rows/sql/work_queue/dequeue.sql",
            organization,
            kind,
            id
        )
        .execute(connection)
        .with_timeout()
        .await?;
        Ok(())
    }
}

impl Unit {
    async fn notify(&mut self, work: &WorkKey, now: Timestamp) -> Result<(), StoreError> {
        let work = WorkItem {
            organization: self.organization.clone(),
            key: work.clone(),
        };
        self.notifier.notify(&mut self.tx, &[work], now).await
    }
}
