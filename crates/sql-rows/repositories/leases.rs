//! The queue of due work, seen from one organization: leases.
//!
//! Work can be claimed when it is due and leased to no worker. `notify_at` is when a worker must be notified
//! if nothing has happened until then: ten seconds after a notification, when the lease runs out, or when a
//! pause is over.
//!
//! On Postgres time is the database's at the statement, the same for all processes: a worker whose own
//! clock is wrong neither loses its lease nor keeps it too long. `written_at` is when the row was last written.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::WorkId;
use fanfare_domain::lease::{Claim, FencingToken};
use fanfare_domain::ports::{Leases, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkKey, WorkKind};
use fanfare_sql_rows::{count, id, signed, to_db};

use crate::parameters::duration;
use crate::repositories::work_queue::NOTIFICATION_TIMEOUT;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Leases for Unit {
    async fn enqueue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let turn = sqlx::query_file!("sql/work_queue/first_turn.sql", organization, now as _);
        turn.execute(&mut *connection).with_timeout().await?;
        let insert = sqlx::query_file!(
            "sql/work_queue/enqueue.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            now as _,
            duration(NOTIFICATION_TIMEOUT)
        );
        insert.execute(connection).with_timeout().await?;
        self.notify(work).await
    }

    async fn claim(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<Claim>, StoreError> {
        let Some((token, abandoned)) = self.claim_due(work, length).await? else {
            return Ok(None);
        };
        let token = FencingToken(count(token, "work_queue.token")?);
        Ok(Some(Claim { token, abandoned }))
    }

    async fn renew(
        &mut self,
        work: &WorkKey,
        token: FencingToken,
        length: Duration,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let renew = sqlx::query_file!(
            "sql/work_queue/renew.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            signed(token.0),
            now as _,
            duration(length)
        );
        let done = renew.execute(connection).with_timeout().await?;
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
        let release = sqlx::query_file_scalar!(
            "sql/work_queue/release.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            signed(token.0),
            now as _,
            to_db(due) as _,
            duration(NOTIFICATION_TIMEOUT)
        );
        let is_due = release.fetch_optional(connection).with_timeout().await?;
        self.keep_turn().await?;
        if is_due == Some(true) {
            self.notify(work).await?;
        }
        Ok(is_due.is_some())
    }

    async fn wake(&mut self, work: &WorkKey) -> Result<bool, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let wake = sqlx::query_file!(
            "sql/work_queue/wake.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            now as _,
            duration(NOTIFICATION_TIMEOUT)
        );
        let done = wake.execute(connection).with_timeout().await?;
        let is_woken = done.rows_affected() > 0;
        if is_woken {
            self.keep_turn().await?;
            self.notify(work).await?;
        }
        Ok(is_woken)
    }

    async fn dequeue(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/work_queue/dequeue.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str()
        );
        delete.execute(connection).with_timeout().await?;
        self.keep_turn().await
    }

    async fn queued(&mut self, kind: WorkKind) -> Result<Vec<WorkKey>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/work_queue/of_kind.sql",
            organization,
            kind.as_str()
        );
        let ids = find.fetch_all(connection).with_timeout().await?;
        let key = |found| {
            let id = id(found, WorkId::parse, "work_queue.id")?;
            Ok(WorkKey { kind, id })
        };
        ids.into_iter().map(key).collect()
    }
}

impl Unit {
    /// Stores before which time none of the organization's work can be claimed, after a change of the queue: until then
    /// the organization is passed over when the next work is chosen. A lease can end earlier by its release, and not
    /// by itself.
    async fn keep_turn(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let keep = sqlx::query_file!("sql/work_queue/turn.sql", organization);
        keep.execute(connection).with_timeout().await?;
        Ok(())
    }
}
