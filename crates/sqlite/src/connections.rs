//! The connection to Klaviyo.

use async_trait::async_trait;
use fanfare_domain::connection::Connection;
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::{Connections, StoreError};
use fanfare_sql_rows::{DbTimestamp, JsonText, from_json, json};

use crate::error::store_error;
use crate::unit::SqliteUnit;

type ConnectionRow = fanfare_sql_rows::ConnectionRow<JsonText>;

#[async_trait]
impl Connections for SqliteUnit {
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            ConnectionRow,
            "../sql-rows/sql/klaviyo_connections/get.sql",
            organization
        );
        let row = get.fetch_optional(connection).await.map_err(store_error)?;
        row.map(|row| {
            row.connection(|JsonText(text)| from_json(&text, "klaviyo_connections.missing_scopes"))
        })
        .transpose()
    }

    async fn put_connection(&mut self, new: &Connection) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/klaviyo_connections/put.sql",
            organization,
            i64::from(new.key.master_key_version),
            new.key.bytes,
            new.last4,
            new.account.as_ref().map(AccountId::as_str),
            new.status.as_str(),
            DbTimestamp(new.verified_at),
            json(&new.missing_scopes),
            new.message
        );
        put.execute(connection).await.map_err(store_error)?;
        self.has_shredded = true;
        Ok(())
    }

    async fn delete_connection(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/klaviyo_connections/delete.sql",
            organization
        );
        delete.execute(connection).await.map_err(store_error)?;
        self.has_shredded = true;
        Ok(())
    }
}
