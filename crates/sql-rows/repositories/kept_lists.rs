//! Kept lists, their ledgers and pushes.

use async_trait::async_trait;
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, ProfileId, RunId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::{KeptLists, StoreError};
use fanfare_domain::push::{KeptList, LedgerRow, PushRun, RowStanding};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{
    DbTimestamp, JsonText, LedgerDbRow, all, count, json, kept_list, push_run, signed, to_db,
};

use super::deliveries::take_places;
use super::pages::Scope;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

/// Above every id, which is ASCII.
const END: &str = "\u{10FFFF}";

#[async_trait]
impl KeptLists for Unit {
    async fn kept_list(&mut self, audience: &AudienceId) -> Result<Option<KeptList>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file!(
            "../sql-rows/sql/kept_lists/get.sql",
            organization,
            audience.as_str()
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        row.map(|row| kept_list(&row.state)).transpose()
    }

    async fn kept_lists(&mut self) -> Result<Vec<KeptList>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file!("../sql-rows/sql/kept_lists/all.sql", organization, "");
        let rows = find.fetch_all(connection).with_timeout().await?;
        let rows = rows.into_iter();
        rows.map(|row| kept_list(&row.state)).collect()
    }

    async fn put_kept_list(&mut self, kept: &KeptList) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/kept_lists/put.sql",
            organization,
            kept.audience.as_str(),
            kept.list.as_str(),
            JsonText(json(kept)) as _
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn delete_kept_list(&mut self, audience: &AudienceId) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/kept_lists/delete.sql",
            organization,
            audience.as_str()
        );
        delete.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn forget_kept_lists(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/kept_lists/delete_all.sql",
            organization,
            ""
        );
        delete.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn ledger_of_profiles(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let (organization, connection) = self.reading();
        let profiles: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
        let find = sqlx::query_file_as!(
            LedgerDbRow,
            "sql/list_ledger/of_profiles.sql",
            organization,
            list.as_str(),
            texts(&profiles) as _
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn ledger_of_consumers(
        &mut self,
        list: &CollectionId,
        consumers: &[ConsumerId],
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let (organization, connection) = self.reading();
        let consumers: Vec<&str> = consumers.iter().map(ConsumerId::as_str).collect();
        let find = sqlx::query_file_as!(
            LedgerDbRow,
            "sql/list_ledger/of_consumers.sql",
            organization,
            list.as_str(),
            texts(&consumers) as _
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn ledger(
        &mut self,
        list: &CollectionId,
        after: Option<&ProfileId>,
        size: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            LedgerDbRow,
            "../sql-rows/sql/list_ledger/page.sql",
            organization,
            list.as_str(),
            after.map_or("", ProfileId::as_str),
            i64::from(size)
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn open_ledger(
        &mut self,
        list: &CollectionId,
        size: u32,
    ) -> Result<Vec<LedgerRow>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file_as!(
            LedgerDbRow,
            "../sql-rows/sql/list_ledger/open.sql",
            organization,
            DbTimestamp(Timestamp::EPOCH),
            list.as_str(),
            i64::from(size)
        );
        all(find.fetch_all(connection).with_timeout().await?)
    }

    async fn put_standings(
        &mut self,
        list: &CollectionId,
        profiles: &[(ProfileId, Option<ConsumerId>)],
        standing: RowStanding,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if profiles.is_empty() {
            return Ok(());
        }
        let mut scope = Scope::of(self.writing()?);
        ensure_row(scope.reborrow()).await?;
        let ids: Vec<&str> = profiles.iter().map(|(id, _)| id.as_str()).collect();
        let consumers = profiles.iter();
        let consumers: Vec<Option<&str>> = consumers
            .map(|(_, consumer)| consumer.as_ref().map(ConsumerId::as_str))
            .collect();
        let put = sqlx::query_file!(
            "sql/list_ledger/put.sql",
            scope.organization,
            list.as_str(),
            texts(&ids) as _,
            texts(&consumers) as _,
            standing.as_str(),
            DbTimestamp(now),
            to_db(standing.is_open().then_some(now)) as _
        );
        put.execute(scope.connection).with_timeout().await?;
        Ok(())
    }

    async fn note_seen(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
        began: Timestamp,
    ) -> Result<(), StoreError> {
        if profiles.is_empty() {
            return Ok(());
        }
        let mut scope = Scope::of(self.writing()?);
        ensure_row(scope.reborrow()).await?;
        let profiles: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
        let note = sqlx::query_file!(
            "sql/list_ledger/note_seen.sql",
            scope.organization,
            list.as_str(),
            texts(&profiles) as _,
            DbTimestamp(began)
        );
        note.execute(scope.connection).with_timeout().await?;
        Ok(())
    }

    async fn forget_standings(
        &mut self,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        for profile in profiles {
            let delete = sqlx::query_file!(
                "../sql-rows/sql/list_ledger/delete.sql",
                organization,
                list.as_str(),
                profile.as_str()
            );
            delete.execute(&mut *connection).with_timeout().await?;
        }
        Ok(())
    }

    async fn push_run(&mut self, id: &RunId) -> Result<Option<PushRun>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file!(
            "../sql-rows/sql/push_runs/get.sql",
            organization,
            id.as_str()
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        row.map(|row| push_run(&row.state)).transpose()
    }

    async fn active_push(&mut self, audience: &AudienceId) -> Result<Option<PushRun>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file!(
            "../sql-rows/sql/push_runs/active.sql",
            organization,
            audience.as_str()
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        row.map(|row| push_run(&row.state)).transpose()
    }

    async fn push_runs(
        &mut self,
        audience: &AudienceId,
        page: &PageRequest,
    ) -> Result<Page<PushRun>, StoreError> {
        let (organization, connection) = self.reading();
        let find = sqlx::query_file!(
            "../sql-rows/sql/push_runs/page.sql",
            organization,
            audience.as_str(),
            page.after.as_deref().unwrap_or(END),
            i64::from(page.first)
        );
        let rows = find.fetch_all(connection).with_timeout().await?;
        let runs = rows.into_iter().map(|row| push_run(&row.state));
        let runs: Vec<PushRun> = runs.collect::<Result<_, _>>()?;
        Ok(Page::of(runs, |run| run.id.to_string()))
    }

    async fn put_push_run(&mut self, run: &PushRun) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/push_runs/put.sql",
            organization,
            run.id.as_str(),
            run.audience.as_str(),
            run.status.as_str(),
            JsonText(json(run)) as _
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn delete_push_run(&mut self, id: &RunId) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/push_runs/delete.sql",
            organization,
            id.as_str()
        );
        delete.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn push_limit(&mut self) -> Result<Option<u64>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_scalar!("../sql-rows/sql/push_settings/get.sql", organization);
        let limit = get.fetch_optional(connection).with_timeout().await?;
        let limit = limit.map(|limit| count(limit, "push_settings.push_limit"));
        limit.transpose()
    }

    async fn put_push_limit(&mut self, limit: u64) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/push_settings/put.sql",
            organization,
            signed(limit)
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }
}

/// Makes sure that the organization has a row beside those that are inserted as a set.
async fn ensure_row(scope: Scope<'_>) -> Result<(), StoreError> {
    take_places(scope, 0).await.map(drop)
}
