//! Where the queue of due work is not as on SQLite: how work is claimed, and how workers are notified.

use std::time::Duration;

use fanfare_domain::ports::StoreError;
use fanfare_domain::work::{WorkItem, WorkKey};
use fanfare_sql_rows::{WorkRow, all};

use crate::job_notifier::notify;
use crate::parameters::{duration, texts};
use crate::repositories::work_queue::{NOTIFICATION_TIMEOUT, known_kinds};
use crate::store::PostgresStore;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

impl Unit {
    /// Claims work if it is due and leased to no worker. Returns its new token, and whether a lease of it
    /// had run out.
    pub(crate) async fn claim_due(
        &mut self,
        work: &WorkKey,
        length: Duration,
    ) -> Result<Option<(i64, bool)>, StoreError> {
        let now = self.now();
        let (organization, connection) = self.writing()?;
        let claim = sqlx::query_file!(
            "sql/work_queue/claim.sql",
            organization,
            work.kind.as_str(),
            work.id.as_str(),
            now as _,
            duration(length)
        );
        let claimed = claim.fetch_optional(connection).with_timeout().await?;
        Ok(claimed.map(|row| (row.token, row.abandoned)))
    }

    /// Notifies a worker of work, when this unit commits.
    pub(crate) async fn notify(&mut self, work: &WorkKey) -> Result<(), StoreError> {
        let work = WorkItem {
            organization: self.organization.clone(),
            key: work.clone(),
        };
        let notifier = self.notifier;
        let (_, connection) = self.writing()?;
        notify(notifier, connection, &[work]).await
    }
}

impl PostgresStore {
    /// Notifies workers of up to `limit` pieces of work whose time for that has come. Returns how many.
    pub(crate) async fn notify_overdue(&self, limit: u32) -> Result<u64, StoreError> {
        let kinds = known_kinds();
        let mut tx = self.begin_writing().await?;
        let update = sqlx::query_file_as!(
            WorkRow,
            "sql/work_queue/notify_overdue.sql",
            self.now() as _,
            i64::from(limit),
            duration(NOTIFICATION_TIMEOUT),
            texts(&kinds) as _
        );
        let due: Vec<WorkItem> = all(update.fetch_all(&mut *tx).with_timeout().await?)?;
        notify(self.notifier, &mut tx, &due).await?;
        tx.commit().with_timeout().await?;
        Ok(due.len() as u64)
    }
}
