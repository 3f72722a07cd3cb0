//! Where the queue of due work is not as on Postgres: how work is claimed, and how workers are notified.

use std::time::Duration;

use fanfare_domain::ports::StoreError;
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_sql_rows::{WorkRow, all};

use crate::job_notifier::notify;
use crate::parameters::{duration, texts};
use crate::repositories::work_queue::{NOTIFICATION_TIMEOUT, known_kinds};
use crate::store::SqliteStore;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

impl Unit {
    /// Claims work if it is due and leased to no worker. Returns its new token, and whether a lease of it
    /// had run out.
    ///
    /// SQLite writes one table in a statement. What the first one read stays true until the last: this
    /// unit excludes every other writer.
    pub(crate) async fn claim_due(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<(i64, bool)>, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let (kind, id) = (work.kind.as_str(), work.id.as_str());
        let find = sqlx::query_file!("sql/work_queue/claimable.sql", organization, kind, id, now);
        let found = find.fetch_optional(&mut *connection).with_timeout().await?;
        let Some(found) = found else { return Ok(None) };
        let put = sqlx::query_file!("sql/work_queue/last_claim.sql", organization, now);
        put.execute(&mut *connection).with_timeout().await?;
        let claim = sqlx::query_file!(
            "sql/work_queue/claim.sql",
            organization,
            kind,
            id,
            now,
            duration(length)
        );
        claim.execute(connection).with_timeout().await?;
        Ok(Some((found.token + 1, found.lease_until.is_some())))
    }

    /// Notifies a worker of work, when this unit commits.
    pub(crate) async fn notify(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let now = self.now();
        let work = WorkItem {
            organization: self.organization.clone(),
            key: work.clone(),
        };
        notify(self.notifier, &mut self.tx, &[work], now.0).await
    }
}

impl SqliteStore {
    /// Notifies workers of up to `limit` pieces of work whose time for that has come. Returns how many.
    pub(crate) async fn notify_overdue(&self, limit: u32) -> Result<u64, StoreError> {
        let (now, kinds) = (self.now(), texts(&known_kinds()));
        // Most of the time there is none: look before taking the write lock.
        let find = sqlx::query_file_scalar!("sql/work_queue/overdue.sql", now, kinds);
        let overdue = find.fetch_optional(&self.reader).with_timeout().await?;
        if overdue.is_none() {
            return Ok(0);
        }
        let mut tx = self.begin_writing().await?;
        let update = sqlx::query_file_as!(
            WorkRow,
            "sql/work_queue/notify_overdue.sql",
            now,
            limit,
            duration(NOTIFICATION_TIMEOUT),
            kinds
        );
        let due: Vec<WorkItem> = all(update.fetch_all(&mut *tx).with_timeout().await?)?;
        notify(self.notifier, &mut tx, &due, now.0).await?;
        tx.commit().with_timeout().await?;
        Ok(due.len() as u64)
    }
}
