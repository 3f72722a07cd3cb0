//! Runs: reading and saving them. Rows are in `row.rs`.

mod issues;
mod row;

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId, SourceId};
use fanfare_domain::issue::Issue;
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{Runs, Sources, StoreError};
use fanfare_domain::run::{SourceRun, SyncRun};

use crate::error::{refused, store_error};
use crate::rows::{count, json, micros, signed};
use crate::unit::SqliteUnit;

use row::RunRow;

macro_rules! select_runs {
    ($which:literal, $($parameter:expr),+ $(,)?) => {
        sqlx::query_as!(
            RunRow,
            "SELECT organization_id, id, source_id, audience_id, trigger, status, attempt,
                crashes, failures, confirm_removals, queued_at, started_at, finished_at,
                members_at_start, total, processed, created, updated, unchanged, skipped,
                members_added, members_removed, pages, checkpoint, error_code, error_message
             FROM sync_runs " + $which,
            $($parameter),+
        )
    };
}

#[async_trait]
impl Runs for SqliteUnit {
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        let id = id.as_str();
        select_runs!("WHERE organization_id = ?1 AND id = ?2", organization, id)
            .fetch_optional(connection)
            .await
            .map_err(store_error)?
            .map(SyncRun::try_from)
            .transpose()
    }

    async fn active_run(&mut self, source: &SourceId) -> Result<Option<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        let source = source.as_str();
        select_runs!(
            "INDEXED BY sync_runs_one_active_per_source
             WHERE organization_id = ?1 AND source_id = ?2 AND status IN ('PENDING', 'SYNCING')",
            organization,
            source
        )
        .fetch_optional(connection)
        .await
        .map_err(store_error)?
        .map(SyncRun::try_from)
        .transpose()
    }

    async fn active_runs(&mut self) -> Result<Vec<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        select_runs!(
            "INDEXED BY sync_runs_one_active_per_source
             WHERE organization_id = ?1 AND status IN ('PENDING', 'SYNCING')",
            organization
        )
        .fetch_all(connection)
        .await
        .map_err(store_error)?
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
        let audience = audience.as_str();
        // Above every id, which is ASCII.
        let before = page.after.as_deref().unwrap_or("\u{10FFFF}");
        let runs: Result<Vec<SyncRun>, StoreError> = select_runs!(
            "WHERE organization_id = ?1 AND audience_id = ?2 AND id < ?3 ORDER BY id DESC LIMIT ?4",
            organization,
            audience,
            before,
            page.first
        )
        .fetch_all(connection)
        .await
        .map_err(store_error)?
        .into_iter()
        .map(SyncRun::try_from)
        .collect();
        Ok(Page::of(runs?, |run| run.id.to_string()))
    }

    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let (organization, connection) = self.reading();
        let audience = audience.as_str();
        let runs = sqlx::query_scalar!(
            "SELECT COUNT(*) FROM sync_runs WHERE organization_id = ?1 AND audience_id = ?2",
            organization,
            audience
        )
        .fetch_one(connection)
        .await
        .map_err(store_error)?;
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

impl SqliteUnit {
    /// A run as it is before a worker has taken it up. A run need not be fresh to be inserted: the rest of the
    /// row follows in `update_run`.
    async fn insert_new_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (id, source, audience) = (run.id.as_str(), run.source.as_str(), run.audience.as_str());
        let (mode, trigger, status) = (
            run.pass.mode().as_str(),
            run.trigger.as_str(),
            run.status.as_str(),
        );
        let queued_at = run.queued_at.as_micros();
        let checkpoint = json(&run.pass);
        sqlx::query!(
            "INSERT INTO sync_runs (organization_id, id, source_id, audience_id, mode, trigger,
                status, attempt, crashes, failures, confirm_removals, queued_at, members_at_start,
                processed, created, updated, unchanged, skipped, members_added, members_removed,
                pages, checkpoint)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, 0, ?8, ?9, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?10)",
            organization,
            id,
            source,
            audience,
            mode,
            trigger,
            status,
            run.confirm_removals,
            queued_at,
            checkpoint
        )
        .execute(connection)
        .await
        .map_err(store_error)?;
        Ok(())
    }

    async fn update_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (id, status, checkpoint) = (run.id.as_str(), run.status.as_str(), json(&run.pass));
        let (started_at, finished_at) = (micros(run.started_at), micros(run.finished_at));
        let (progress, tally) = (&run.progress, &run.progress.tally);
        let (total, pages) = (progress.total.map(signed), signed(progress.pages));
        let [processed, created, updated, unchanged, skipped] = [
            tally.processed,
            tally.created,
            tally.updated,
            tally.unchanged,
            tally.skipped,
        ]
        .map(signed);
        let [at_start, added, removed] = [
            run.members_at_start,
            progress.members_added,
            progress.members_removed,
        ]
        .map(signed);
        let error = run.error.as_ref();
        let (code, message) = (
            error.map(|error| error.code.as_str()),
            error.map(|error| error.message.as_str()),
        );
        let done = sqlx::query!(
            "UPDATE sync_runs SET status = ?3, attempt = ?4, crashes = ?5, failures = ?6,
                started_at = ?7, finished_at = ?8, members_at_start = ?9, total = ?10,
                processed = ?11, created = ?12, updated = ?13, unchanged = ?14, skipped = ?15,
                members_added = ?16, members_removed = ?17, pages = ?18, checkpoint = ?19,
                error_code = ?20, error_message = ?21, confirm_removals = ?22
             WHERE organization_id = ?1 AND id = ?2",
            organization,
            id,
            status,
            run.attempt,
            run.crashes,
            run.failures,
            started_at,
            finished_at,
            at_start,
            total,
            processed,
            created,
            updated,
            unchanged,
            skipped,
            added,
            removed,
            pages,
            checkpoint,
            code,
            message,
            run.confirm_removals
        )
        .execute(connection)
        .await
        .map_err(store_error)?;
        if done.rows_affected() == 1 {
            Ok(())
        } else {
            Err(refused("the run to save is not there"))
        }
    }
}
