//! Fanfare's webhooks.

use async_trait::async_trait;
use fanfare_domain::connection::SealedKey;
use fanfare_domain::events::{EventSettings, InboundKey, WebhookSecrets};
use fanfare_domain::ports::{StoreError, Webhooks};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{
    DbTimestamp, EventSettingsRow, WebhookSecretsRow, metrics_json, one, to_db,
};

use super::deliveries::take_places;
use super::pages::Scope;
use crate::parameters::texts;
use crate::timeout::WithTimeout;
use crate::unit::Unit;

#[async_trait]
impl Webhooks for Unit {
    async fn webhook_secrets(&mut self) -> Result<Option<WebhookSecrets>, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            WebhookSecretsRow,
            "../sql-rows/sql/webhook_secrets/get.sql",
            organization
        );
        one(get.fetch_optional(connection).with_timeout().await?)
    }

    async fn put_webhook_secrets(&mut self, secrets: &WebhookSecrets) -> Result<(), StoreError> {
        let (organization, connection) = self.writing_secret()?;
        let previous = secrets.previous.as_ref();
        let put = sqlx::query_file!(
            "../sql-rows/sql/webhook_secrets/put.sql",
            organization,
            i64::from(secrets.current.form),
            secrets.current.bytes,
            previous.map(|(secret, _)| i64::from(secret.form)),
            previous.map(|(secret, _)| secret.bytes.as_slice()),
            to_db(previous.map(|(_, until)| *until))
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn reseal_webhook_secret(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        let (organization, connection) = self.writing()?;
        let reseal = sqlx::query_file!(
            "../sql-rows/sql/webhook_secrets/reseal.sql",
            organization,
            i64::from(before.form),
            before.bytes,
            i64::from(after.form),
            after.bytes
        );
        let done = reseal.execute(&mut *connection).with_timeout().await?;
        if done.rows_affected() > 0 {
            return Ok(true);
        }
        let reseal = sqlx::query_file!(
            "../sql-rows/sql/webhook_secrets/reseal_previous.sql",
            organization,
            i64::from(before.form),
            before.bytes,
            i64::from(after.form),
            after.bytes
        );
        let done = reseal.execute(connection).with_timeout().await?;
        Ok(done.rows_affected() > 0)
    }

    async fn event_settings(&mut self) -> Result<EventSettings, StoreError> {
        let (organization, connection) = self.reading();
        let get = sqlx::query_file_as!(
            EventSettingsRow,
            "../sql-rows/sql/event_settings/get.sql",
            organization
        );
        let row = get.fetch_optional(connection).with_timeout().await?;
        Ok(one(row)?.unwrap_or_default())
    }

    async fn put_event_settings(&mut self, settings: &EventSettings) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let put = sqlx::query_file!(
            "../sql-rows/sql/event_settings/put.sql",
            organization,
            settings.enabled,
            metrics_json(settings) as _
        );
        put.execute(connection).with_timeout().await?;
        Ok(())
    }

    async fn known_events(&mut self, keys: &[InboundKey]) -> Result<Vec<InboundKey>, StoreError> {
        let (organization, connection) = self.reading();
        let keys: Vec<&str> = keys.iter().map(|InboundKey(key)| key.as_str()).collect();
        let find = sqlx::query_file_scalar!(
            "sql/inbound_events/of_keys.sql",
            organization,
            texts(&keys) as _
        );
        let found = find.fetch_all(connection).with_timeout().await?;
        Ok(found.into_iter().map(InboundKey).collect())
    }

    async fn insert_events(
        &mut self,
        keys: &[InboundKey],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut scope = Scope::of(self.writing()?);
        // The rows beside which they are inserted.
        take_places(scope.reborrow(), 0).await?;
        let keys: Vec<&str> = keys.iter().map(|InboundKey(key)| key.as_str()).collect();
        let insert = sqlx::query_file!(
            "sql/inbound_events/insert.sql",
            scope.organization,
            texts(&keys) as _,
            DbTimestamp(now)
        );
        insert.execute(scope.connection).with_timeout().await?;
        Ok(())
    }

    async fn delete_events(&mut self, before: Timestamp, size: u32) -> Result<u64, StoreError> {
        let (organization, connection) = self.writing()?;
        let find = sqlx::query_file_scalar!(
            "../sql-rows/sql/inbound_events/expired.sql",
            organization,
            DbTimestamp(before),
            i64::from(size)
        );
        let find = find.fetch_optional(&mut *connection);
        let edge: Option<DbTimestamp> = find.with_timeout().await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/inbound_events/delete.sql",
            organization,
            edge.unwrap_or(DbTimestamp(before))
        );
        let deleted = delete.execute(connection).with_timeout().await?;
        Ok(deleted.rows_affected())
    }
}
