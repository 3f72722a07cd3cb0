//! The queue of due work, across organizations.
//!
//! `notify_at` is when a worker must be notified if nothing has happened until then: ten seconds after a
//! notification, when a lease runs out, or when a pause is over. On Postgres time is the database's, the
//! same for all processes, and the one at the statement rather than at the transaction's beginning.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::lease::UNNOTICED_STEP;
use fanfare_domain::ports::{StoreError, WorkQueue};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{SchedulingCandidate, WorkKind};
use fanfare_sql_rows::{CandidateRow, DbTimestamp, count, id, log_clock_set_back, one};

use crate::parameters::{duration, texts};
use crate::store::SqlStore;
use crate::timeout::WithTimeout;

/// How long a worker has to claim work that it was notified of. A worker that dies before its claim
/// leaves no lease that could run out: the work waits for so long.
pub(crate) const NOTIFICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// The kinds of work that this version knows. Work of another kind is a newer version's: programs of both may
/// run during an upgrade, and this one leaves such work to the other.
pub(crate) fn known_kinds() -> Vec<&'static str> {
    WorkKind::ALL.iter().map(|kind| kind.as_str()).collect()
}

impl SqlStore {
    /// Puts right what was written before the clock was set back, if it was.
    async fn restart_waits(&self) -> Result<(), StoreError> {
        let step = duration(UNNOTICED_STEP);
        let find =
            sqlx::query_file_scalar!("sql/work_queue/written_later.sql", self.now() as _, step);
        if !find.fetch_one(self.reader()).with_timeout().await? {
            return Ok(());
        }
        log_clock_set_back();
        let restart = sqlx::query_file!("sql/work_queue/restart_waits.sql", self.now() as _, step);
        restart.execute(self.writer()).with_timeout().await?;
        let restart = sqlx::query_file!("sql/work_queue/restart_claims.sql", self.now() as _, step);
        restart.execute(self.writer()).with_timeout().await?;
        Ok(())
    }
}

#[async_trait]
impl WorkQueue for SqlStore {
    async fn notify(&self, limit: u32) -> Result<u64, StoreError> {
        self.restart_waits().await?;
        self.notify_overdue(limit).await
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        let kinds = known_kinds();
        let find = sqlx::query_file_as!(
            CandidateRow,
            "sql/work_queue/next.sql",
            self.now() as _,
            texts(&kinds) as _
        );
        one(find.fetch_optional(self.reader()).with_timeout().await?)
    }

    async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError> {
        let find = sqlx::query_file_scalar!(
            "sql/work_queue/leased.sql",
            organization.as_str(),
            self.now() as _
        );
        let leased = find.fetch_one(self.reader()).with_timeout().await?;
        count(leased, "work_queue")
    }

    /// Leased work was due when it was claimed, so it is counted too.
    async fn backlog(&self) -> Result<u64, StoreError> {
        let find = sqlx::query_file_scalar!("sql/work_queue/backlog.sql", self.now() as _);
        let work = find.fetch_one(self.reader()).with_timeout().await?;
        count(work, "work_queue")
    }

    async fn organizations_with_due_schedules(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/schedules/organizations_due.sql",
            DbTimestamp(now),
            i64::from(limit)
        );
        let found = find.fetch_all(self.reader()).with_timeout().await?;
        let organization = |text| id(text, OrganizationId::parse, "schedules.organization_id");
        found.into_iter().map(organization).collect()
    }
}
