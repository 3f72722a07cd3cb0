//! When an organization's continuous audiences are due. No statement names both the control table with the due times
//! and the tables with the audiences: they may lie on different servers.

use async_trait::async_trait;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::ports::{Schedules, StoreError};
use fanfare_domain::schedule::ContinuousAudience;
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{
    ContinuousRow, DbTimestamp, PausedRow, ScheduleRow, all, continuous_audiences,
};

use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Schedules for Unit {
    async fn due_at(&mut self, audience: &AudienceId) -> Result<Option<Timestamp>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_scalar!(
            "../sql-rows/sql/schedules/get.sql",
            organization,
            audience.as_str()
        );
        let due = get.fetch_optional(connection).with_timeout().await?;
        Ok(due.map(|due| due.0))
    }

    async fn put_due(&mut self, audience: &AudienceId, due: Timestamp) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/schedules/put.sql",
            organization,
            audience.as_str(),
            DbTimestamp(due)
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn end_schedule(&mut self, audience: &AudienceId) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/schedules/delete.sql",
            organization,
            audience.as_str()
        );
        delete.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn end_schedules(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete =
            sqlx::query_file!("../sql-rows/sql/schedules/delete_all.sql", organization, "");
        delete.execute(&mut *connection).with_timeout().await?;
        let end = sqlx::query_file!(
            "../sql-rows/sql/audiences/end_intervals.sql",
            organization,
            ""
        );
        end.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn due_schedules(
        &mut self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AudienceId, Timestamp)>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            ScheduleRow,
            "../sql-rows/sql/schedules/due.sql",
            organization,
            DbTimestamp(now),
            i64::from(limit)
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn schedules(&mut self) -> Result<Vec<(AudienceId, Timestamp)>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            ScheduleRow,
            "../sql-rows/sql/schedules/all.sql",
            organization,
            ""
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn continuous_audiences(&mut self) -> Result<Vec<ContinuousAudience>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            ContinuousRow,
            "../sql-rows/sql/audiences/continuous.sql",
            organization,
            ""
        );
        let audiences = find.fetch_all(&mut *connection).with_timeout().await?;
        if audiences.is_empty() {
            return Ok(Vec::new());
        }
        let find = sqlx::query_file_as!(
            PausedRow,
            "../sql-rows/sql/sync_sources/paused.sql",
            organization,
            ""
        );
        let paused = find.fetch_all(connection).with_timeout().await?;
        continuous_audiences(audiences, paused)
    }

    async fn end_pauses(&mut self, of: &[FailureCode]) -> Result<(), StoreError> {
        let of: Vec<&str> = of.iter().map(|code| code.as_str()).collect();
        let (organization, connection) = self.writing()?;
        let end = sqlx::query_file!(
            "sql/sync_sources/end_pauses.sql",
            organization,
            "",
            texts(&of) as _
        );
        end.execute(connection).with_timeout().await?;
        Ok(())
    }
}
