//! Runs: reading and saving them.

mod issues;

use async_trait::async_trait;
use fanfare_domain::explain::SkippedProfile;
use fanfare_domain::ids::{AudienceId, ProfileId, RunId, SourceId};
use fanfare_domain::issue::{Issue, IssueCode};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{Runs, Sources, StoreError};
use fanfare_domain::run::{RunError, SourceRun, SyncRun};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{
    DbTimestamp, JsonText, RUN_FORM, RunRow, all, count, form_of, id, json, one, refused, signed,
    to_db,
};

use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Runs for Unit {
    async fn run(&mut self, id: &RunId) -> Result<Option<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            RunRow,
            "../sql-rows/sql/sync_runs/get.sql",
            organization,
            id.as_str()
        );
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn active_run(&mut self, source: &SourceId) -> Result<Option<RunId>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "sql/sync_runs/active_of_source.sql",
            organization,
            source.as_str()
        );
        let found = find.fetch_optional(connection).with_timeout().await?;
        found.map(run_id).transpose()
    }

    async fn active_runs(&mut self) -> Result<Vec<RunId>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!("sql/sync_runs/active.sql", organization);
        let found = find.fetch_all(connection).with_timeout().await?;
        found.into_iter().map(run_id).collect()
    }

    async fn runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            RunRow,
            "../sql-rows/sql/sync_runs/page.sql",
            organization,
            audience.as_str(),
            // Above every id, which is ASCII.
            page.after.as_deref().unwrap_or("\u{10FFFF}"),
            i64::from(page.first)
        );
        let runs: Vec<SyncRun> = all(find.fetch_all(connection).with_timeout().await?)?;
        Ok(Page::of(runs, |run| run.id.to_string()))
    }

    async fn run_count(&mut self, audience: &AudienceId) -> Result<u64, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/sync_runs/count.sql",
            organization,
            audience.as_str()
        );
        count(
            find.fetch_one(connection).with_timeout().await?,
            "sync_runs",
        )
    }

    async fn issues(&mut self, run: &RunId, page: &PageRequest) -> Result<Page<Issue>, StoreError> {
        issues::page(self, run, page).await
    }

    async fn issue_counts(&mut self, run: &RunId) -> Result<Vec<(IssueCode, u64)>, StoreError> {
        issues::counts(self, run).await
    }

    async fn skipped(
        &mut self,
        audience: &AudienceId,
        profile: &ProfileId,
    ) -> Result<Vec<SkippedProfile>, StoreError> {
        issues::of_profile(self, audience, profile).await
    }

    async fn insert_run(&mut self, run: &SourceRun) -> Result<(), StoreError> {
        self.insert_new_run(run.run()).await?;
        self.save_run(run).await
    }

    async fn save_run(&mut self, run: &SourceRun) -> Result<(), StoreError> {
        self.update_run(run.run()).await?;
        self.put_source(run.source()).await
    }

    async fn end_unread(
        &mut self,
        run: &RunId,
        error: &RunError,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.writing()?;
        let end = sqlx::query_file_scalar!(
            "../sql-rows/sql/sync_runs/end_unread.sql",
            organization,
            run.as_str(),
            DbTimestamp(now),
            JsonText(json(&Pass::default())) as _,
            error.code.as_str(),
            error.message,
            RUN_FORM
        );
        let source = end.fetch_optional(&mut *connection).with_timeout().await?;
        let Some(source) = source else {
            return Ok(false);
        };
        let end = sqlx::query_file!(
            "../sql-rows/sql/sync_sources/end_unread.sql",
            organization,
            source,
            DbTimestamp(now)
        );
        end.execute(connection).with_timeout().await?;
        Ok(true)
    }
}

fn run_id(text: String) -> Result<RunId, StoreError> {
    id(text, RunId::parse, "sync_runs.id")
}

impl Unit {
    /// A run as it is before a worker has taken it up. A run need not be fresh to be inserted: the rest of the
    /// row follows in `update_run`.
    async fn insert_new_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let insert = sqlx::query_file!(
            "../sql-rows/sql/sync_runs/insert.sql",
            organization,
            run.id.as_str(),
            run.source.as_str(),
            run.audience.as_str(),
            run.pass.mode().as_str(),
            run.trigger.as_str(),
            run.status.as_str(),
            run.confirm_removals,
            DbTimestamp(run.queued_at),
            JsonText(json(&run.pass)) as _
        );
        insert.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn update_run(&mut self, run: &SyncRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let (progress, tally) = (&run.progress, &run.progress.tally);
        let error = run.error.as_ref();
        let update = sqlx::query_file!(
            "../sql-rows/sql/sync_runs/update.sql",
            organization,
            run.id.as_str(),
            run.status.as_str(),
            i64::from(run.attempt),
            i64::from(run.crashes),
            i64::from(run.failures),
            to_db(run.started_at) as _,
            to_db(run.finished_at) as _,
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
            JsonText(json(&run.pass)) as _,
            error.map(|error| error.code.as_str()),
            error.map(|error| error.message.as_str()),
            run.confirm_removals,
            to_db(run.waiting.map(|waiting| waiting.until)) as _,
            run.waiting.map(|waiting| waiting.why.as_str()),
            form_of(run),
            run.removals_deferred,
            run.pass.mode().as_str()
        );
        if update
            .execute(connection)
            .with_timeout()
            .await?
            .rows_affected()
            == 1
        {
            Ok(())
        } else {
            Err(refused("the run to save is not there"))
        }
    }
}
