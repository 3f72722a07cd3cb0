//! Deleting what is kept for a time only, by ranges of keys.

use async_trait::async_trait;
use fanfare_domain::history::{ChangeKey, ChangeKind, moment};
use fanfare_domain::ids::{AudienceId, ConsumerId, RunId};
use fanfare_domain::ports::{Batch, Retention, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, id, signed};

use super::history::count_snapshots;
use super::pages::{Scope, edge_of_members, gather};
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Retention for Unit {
    async fn expired_runs(
        &mut self,
        before: Timestamp,
        size: u32,
    ) -> Result<Vec<RunId>, StoreError> {
        let mut scope = Scope::of(self.reading());
        let find =
            sqlx::query_file_scalar!("../sql-rows/sql/audiences/ids.sql", scope.organization, "");
        let audiences = find
            .fetch_all(&mut *scope.connection)
            .with_timeout()
            .await?;
        let mut expired = Vec::new();
        for audience in audiences {
            let left = u64::from(size) - expired.len() as u64;
            if left == 0 {
                break;
            }
            let of_audience = expired_of(scope.reborrow(), &audience, before, signed(left));
            expired.extend(of_audience.await?);
        }
        let run = |text| id(text, RunId::parse, "sync_runs.id");
        expired.into_iter().map(run).collect()
    }

    async fn delete_run(&mut self, run: &RunId, size: u32) -> Result<bool, StoreError> {
        let mut scope = Scope::of(self.writing()?);
        // What the version before has left of it goes with what this one has written.
        if gather(scope.reborrow(), run, size).await? > 0 {
            return Ok(false);
        }
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/sync_issues/edge.sql",
            scope.organization,
            run.as_str(),
            i64::from(size)
        );
        let edge = find.fetch_optional(&mut *scope.connection);
        let edge = edge.with_timeout().await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/sync_issues/delete.sql",
            scope.organization,
            run.as_str(),
            edge.as_deref()
        );
        let deleted = delete
            .execute(&mut *scope.connection)
            .with_timeout()
            .await?;
        if deleted.rows_affected() > 0 {
            return Ok(false);
        }
        let count = sqlx::query_file!(
            "../sql-rows/sql/audiences/count_deleted_run.sql",
            scope.organization,
            run.as_str()
        );
        count.execute(&mut *scope.connection).with_timeout().await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/sync_runs/delete.sql",
            scope.organization,
            run.as_str()
        );
        delete.execute(scope.connection).with_timeout().await?;
        Ok(true)
    }

    async fn expired_audiences(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<AudienceId>, StoreError> {
        let mut scope = Scope::of(self.reading());
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/audiences/archived.sql",
            scope.organization,
            "",
            DbTimestamp(before)
        );
        let archived = find
            .fetch_all(&mut *scope.connection)
            .with_timeout()
            .await?;
        let mut expired = Vec::new();
        for audience in archived {
            let audience = id(audience, AudienceId::parse, "audiences.id")?;
            if edge_of_members(scope.reborrow(), &audience, "", 1)
                .await?
                .is_full
                && count_snapshots(scope.reborrow(), &audience).await? == 0
            {
                expired.push(audience);
            }
        }
        Ok(expired)
    }

    async fn delete_members(
        &mut self,
        audience: &AudienceId,
        size: u32,
    ) -> Result<u64, StoreError> {
        let from = moment(self.writing_since()?);
        let mut scope = Scope::of(self.writing()?);
        let edge = edge_of_members(scope.reborrow(), audience, "", size).await?;
        begin_history(scope.reborrow(), audience, from).await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/audience_list_memberships/delete_through.sql",
            scope.organization,
            audience.as_str(),
            edge.last
        );
        let deleted = delete.execute(scope.connection).with_timeout().await?;
        Ok(deleted.rows_affected())
    }

    async fn audiences_with_history(
        &mut self,
        before: Timestamp,
    ) -> Result<Vec<AudienceId>, StoreError> {
        let mut scope = Scope::of(self.reading());
        let find =
            sqlx::query_file_scalar!("../sql-rows/sql/audiences/ids.sql", scope.organization, "");
        let find = find.fetch_all(&mut *scope.connection);
        let mut with_history = Vec::new();
        for audience in find.with_timeout().await? {
            let audience = id(audience, AudienceId::parse, "audiences.id")?;
            let first = edge_of_history(scope.reborrow(), &audience, BEGINNING, before, 1).await?;
            if first.is_some() {
                with_history.push(audience);
            }
        }
        Ok(with_history)
    }

    async fn delete_history(
        &mut self,
        audience: &AudienceId,
        before: Timestamp,
        after: Option<&ChangeKey>,
        size: u32,
    ) -> Result<Batch<ChangeKey>, StoreError> {
        let mut scope = Scope::of(self.writing()?);
        let after = after.map_or(BEGINNING, |key| key.after(ChangeKind::Left));
        let last = edge_of_history(scope.reborrow(), audience, after, before, size).await?;
        let (ended_at, consumer) = last
            .as_ref()
            .map_or((before, ""), |key| key.after(ChangeKind::Left));
        let delete = sqlx::query_file!(
            "sql/ended_memberships/delete.sql",
            scope.organization,
            audience.as_str(),
            DbTimestamp(after.0),
            after.1,
            DbTimestamp(ended_at),
            consumer,
            DbTimestamp(before)
        );
        let deleted = delete.execute(&mut *scope.connection);
        let affected = deleted.with_timeout().await?.rows_affected();
        if affected > 0 {
            begin_history(scope, audience, before).await?;
        }
        Ok(Batch {
            affected,
            next: last,
        })
    }
}

/// Before every time of ours, and every consumer.
const BEGINNING: (Timestamp, &str) = (Timestamp::EPOCH, "");

/// The place of the last of the next `size` memberships that ended before a time; `None` if there are not so many.
async fn edge_of_history(
    scope: Scope<'_>,
    audience: &AudienceId,
    (ended_at, consumer): (Timestamp, &str),
    before: Timestamp,
    size: u32,
) -> Result<Option<ChangeKey>, StoreError> {
    let find = sqlx::query_file!(
        "../sql-rows/sql/ended_memberships/edge.sql",
        scope.organization,
        audience.as_str(),
        DbTimestamp(ended_at),
        consumer,
        DbTimestamp(before),
        i64::from(size) - 1
    );
    let found = find.fetch_optional(scope.connection).with_timeout().await?;
    let key = found.map(|row| {
        let column = "ended_memberships.consumer_id";
        let consumer = id(row.consumer_id, ConsumerId::parse, column)?;
        Ok(ChangeKey::of_leaving(row.ended_at.0, consumer))
    });
    key.transpose()
}

/// Says that nothing is kept of the audience from before this time.
async fn begin_history(
    scope: Scope<'_>,
    audience: &AudienceId,
    from: Timestamp,
) -> Result<(), StoreError> {
    let begin = sqlx::query_file!(
        "../sql-rows/sql/audiences/begin_history.sql",
        scope.organization,
        audience.as_str(),
        DbTimestamp(from)
    );
    begin.execute(scope.connection).with_timeout().await?;
    Ok(())
}

async fn expired_of(
    scope: Scope<'_>,
    audience: &str,
    before: Timestamp,
    size: i64,
) -> Result<Vec<String>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/sync_runs/latest.sql",
        scope.organization,
        audience
    );
    let latest = find.fetch_optional(&mut *scope.connection);
    let Some(latest) = latest.with_timeout().await? else {
        return Ok(Vec::new());
    };
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/sync_runs/latest_successful.sql",
        scope.organization,
        audience
    );
    let successful = find.fetch_optional(&mut *scope.connection);
    let successful = successful.with_timeout().await?;
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/sync_runs/expired.sql",
        scope.organization,
        audience,
        DbTimestamp(before),
        latest,
        successful.as_deref().unwrap_or_default(),
        size
    );
    find.fetch_all(scope.connection).with_timeout().await
}
