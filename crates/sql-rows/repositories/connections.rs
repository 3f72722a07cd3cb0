//! The connection to Klaviyo.

use async_trait::async_trait;
use fanfare_domain::account_changes::AccountChanges;
use fanfare_domain::connection::{Connection, SealedKey};
use fanfare_domain::ids::{AccountId, RunId};
use fanfare_domain::ports::{Connections, StoreError};
use fanfare_sql_rows::{AccountChangesRow, DbTimestamp, one, to_db};

use crate::parameters::{TextsColumn, texts};
use crate::timeout::WithTimeout;
use crate::unit::Unit;

type ConnectionRow = fanfare_sql_rows::ConnectionRow<TextsColumn>;

#[async_trait]
impl Connections for Unit {
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            ConnectionRow,
            "../sql-rows/sql/klaviyo_connections/get.sql",
            organization
        );
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn put_connection(&mut self, new: &Connection) -> Result<(), StoreError> {
        let (organization, connection) = self.writing_secret()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/klaviyo_connections/put.sql",
            organization,
            i64::from(new.key.form),
            new.key.bytes,
            new.last4,
            new.account.as_ref().map(AccountId::as_str),
            new.status.as_str(),
            DbTimestamp(new.verified_at),
            texts(&new.missing_scopes) as _,
            new.message
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn reseal_key(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.writing()?;
        let reseal = sqlx::query_file!(
            "../sql-rows/sql/klaviyo_connections/reseal.sql",
            organization,
            i64::from(before.form),
            before.bytes,
            i64::from(after.form),
            after.bytes
        );
        let done = reseal.execute(connection).with_timeout().await?;
        Ok(done.rows_affected() > 0)
    }

    async fn account_changes(&mut self) -> Result<AccountChanges, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            AccountChangesRow,
            "../sql-rows/sql/klaviyo_connections/account_changes.sql",
            organization
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        Ok(one(row)?.unwrap_or_default())
    }

    async fn put_account_changes(
        &mut self,
        before: &AccountChanges,
        after: &AccountChanges,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/klaviyo_connections/put_account_changes.sql",
            organization,
            to_db(after.last.map(|last| last.began_at)),
            to_db(after.last.map(|last| last.next_at)),
            after.reader.as_ref().map(RunId::as_str),
            to_db(before.last.map(|last| last.began_at)),
            before.reader.as_ref().map(RunId::as_str)
        );
        let done = put.execute(connection).with_timeout().await?;
        Ok(done.rows_affected() > 0)
    }

    async fn delete_connection(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing_secret()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/klaviyo_connections/delete.sql",
            organization
        );
        delete.execute(connection).with_timeout().await?;
        Ok(())
    }
}
