//! Deleting what is kept for a time only, by ranges of keys.

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::ports::{Retention, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, id, signed};

use super::pages::{Scope, edge_of_members};
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
        let scope = Scope::of(self.writing()?);
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
        let mut scope = Scope::of(self.writing()?);
        let edge = edge_of_members(scope.reborrow(), audience, "", size).await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/audience_list_memberships/delete_through.sql",
            scope.organization,
            audience.as_str(),
            edge.last
        );
        let deleted = delete.execute(scope.connection).with_timeout().await?;
        Ok(deleted.rows_affected())
    }
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
