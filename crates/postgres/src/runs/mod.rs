//! Runs: reading and saving them. Rows are in `row.rs`.

mod issues;
mod row;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId, SourceId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Runs, Sources, StoreError};
use fanfare_domain::run::{SourceRun, SyncRun};
use sqlx::types::Json;

use crate::answer::Asked;
use crate::at::{At, at};
use crate::error::refused;
use crate::rows::{count, signed};
use crate::unit::PostgresUnit;

use row::RunRow;

macro_rules! select_runs {
    ($which:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            RunRow,
            r#"SELECT organization_id, id, source_id, audience_id, trigger, status, attempt,
                crashes, failures, confirm_removals, queued_at, started_at, finished_at,
                members_at_start, total, processed, created, updated, unchanged, skipped,
                members_added, members_removed, pages,
                checkpoint::text AS "checkpoint!", error_code, error_message
             FROM sync_runs "# + $which,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Runs for PostgresUnit {
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        select_runs!(
            "WHERE organization_id = $1 AND id = $2",
            organization,
            id.as_str()
        )
        .fetch_optional(connection)
        .answer()
        .await?
        .map(SyncRun::try_from)
        .transpose()
    }

    async fn active_run(&mut self, source: &SourceId) -> Result<Option<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        select_runs!(
            "WHERE organization_id = $1 AND source_id = $2 AND status IN ('PENDING', 'SYNCING')",
            organization,
            source.as_str()
        )
        .fetch_optional(connection)
        .answer()
        .await?
        .map(SyncRun::try_from)
        .transpose()
    }

    async fn active_runs(&mut self) -> Result<Vec<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        select_runs!(
            "WHERE organization_id = $1 AND status IN ('PENDING', 'SYNCING')",
            organization
        )
        .fetch_all(connection)
        .answer()
        .await?
        .into_iter()
        .map(SyncRun::try_from)
        .collect()
    }

    async fn runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        // Above every id, which is ASCII.
        let before = page.after.as_deref().unwrap_or("\u{10FFFF}");
        let runs: Result<Vec<SyncRun>, StoreError> = select_runs!(
            "WHERE organization_id = $1 AND audience_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4",
            organization,
            audience.as_str(),
            before,
            i64::from(page.first)
        )
        .fetch_all(connection)
        .answer()
        .await?
        .into_iter()
        .map(SyncRun::try_from)
        .collect();
        Ok(Page::of(runs?, |run| run.id.to_string()))
    }

    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let (organization, connection) = self.reading();
        let runs = sqlx::query_scalar!(
            r#"SELECT count(*) AS "runs!" FROM sync_runs
               WHERE organization_id = $1 AND audience_id = $2"#,
            organization,
            audience.as_str()
        )
        .fetch_one(connection)
        .answer()
        .await?;
        count(runs, "sync_runs")
    }

    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError> {
        issues::page(self, run, page).await
    }

    async fn insert_run(&mut self, run: &SourceRun) -> Result<(), StoreError> {
        self.insert_new_run(run.run()).await?;
        self.save_run(run).await
    }

    async fn save_run(&mut self, run: &SourceRun) -> Result<(), StoreError> {
        self.update_run(run.run()).await?;
        self.put_source(run.source()).await
    }
}

impl PostgresUnit {
    /// A run as it is before a worker has taken it up. A run need not be fresh to be inserted: the rest of the
    /// row follows in `update_run`.
    async fn insert_new_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "INSERT INTO sync_runs (organization_id, id, source_id, audience_id, mode, trigger,
                status, attempt, crashes, failures, confirm_removals, queued_at, members_at_start,
                processed, created, updated, unchanged, skipped, members_added, members_removed,
                pages, checkpoint)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, $8, $9, 0, 0, 0, 0, 0, 0, 0, 0, 0, $10)",
            organization,
            run.id.as_str(),
            run.source.as_str(),
            run.audience.as_str(),
            run.pass.mode().as_str(),
            run.trigger.as_str(),
            run.status.as_str(),
            run.confirm_removals,
            At(run.queued_at),
            Json(&run.pass) as _
        )
        .execute(connection)
        .answer()
        .await?;
        Ok(())
    }

    async fn update_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (progress, tally) = (&run.progress, &run.progress.tally);
        let error = run.error.as_ref();
        let done = sqlx::query!(
            "UPDATE sync_runs SET status = $3, attempt = $4, crashes = $5, failures = $6,
                started_at = $7, finished_at = $8, members_at_start = $9, total = $10,
                processed = $11, created = $12, updated = $13, unchanged = $14, skipped = $15,
                members_added = $16, members_removed = $17, pages = $18, checkpoint = $19,
                error_code = $20, error_message = $21, confirm_removals = $22
             WHERE organization_id = $1 AND id = $2",
            organization,
            run.id.as_str(),
            run.status.as_str(),
            i64::from(run.attempt),
            i64::from(run.crashes),
            i64::from(run.failures),
            at(run.started_at) as _,
            at(run.finished_at) as _,
            signed(run.members_at_start),
            progress.total.map(signed),
            signed(tally.processed),
            signed(tally.created),
            signed(tally.updated),
            signed(tally.unchanged),
            signed(tally.skipped),
            signed(progress.members_added),
            signed(progress.members_removed),
            signed(progress.pages),
            Json(&run.pass) as _,
            error.map(|error| error.code.as_str()),
            error.map(|error| error.message.as_str()),
            run.confirm_removals
        )
        .execute(connection)
        .answer()
        .await?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(refused("the run to save is not there"))
        }
    }
}
