//! The connection to Klaviyo.

use async_trait::async_trait;
use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::{Connections, StoreError};

use crate::error::store_error;
use crate::rows::{count, from_json, id, json, parse_enum, time, to_u32};
use crate::unit::SqliteUnit;

#[async_trait]
impl Connections for SqliteUnit {
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError> {
        let (organization, connection) = self.reading();
        let row = sqlx::query!(
            "SELECT master_key_version, sealed_key, generation, last4, account_id, status, verified_at,
                    missing_scopes, message
             FROM klaviyo_connections WHERE organization_id = ?1",
            organization
        )
        .fetch_optional(connection)
        .await
        .map_err(store_error)?;
        let Some(row) = row else { return Ok(None) };
        let account = row.account_id;
        Ok(Some(Connection {
            key: SealedKey {
                master_key_version: to_u32(
                    row.master_key_version,
                    "klaviyo_connections.master_key_version",
                )?,
                bytes: row.sealed_key,
            },
            generation: count(row.generation, "klaviyo_connections.generation")?,
            last4: row.last4,
            account: account
                .map(|text| id(text, AccountId::parse, "klaviyo_connections.account_id"))
                .transpose()?,
            status: parse_enum(
                &row.status,
                ConnectionStatus::parse,
                "klaviyo_connections.status",
            )?,
            verified_at: time(row.verified_at, "klaviyo_connections.verified_at")?,
            missing_scopes: from_json(&row.missing_scopes, "klaviyo_connections.missing_scopes")?,
            message: row.message,
        }))
    }

    async fn put_connection(&mut self, new: &Connection) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        let version = i64::from(new.key.master_key_version);
        let account = new.account.as_ref().map(AccountId::as_str);
        let (status, verified_at) = (new.status.as_str(), new.verified_at.as_micros());
        let scopes = json(&new.missing_scopes);
        sqlx::query!(
            "INSERT INTO klaviyo_connections AS c (organization_id, master_key_version, sealed_key, last4,
                account_id, status, verified_at, missing_scopes, message)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (organization_id) DO UPDATE SET
                master_key_version = excluded.master_key_version, sealed_key = excluded.sealed_key,
                generation = c.generation + (c.sealed_key <> excluded.sealed_key),
                last4 = excluded.last4, account_id = excluded.account_id, status = excluded.status,
                verified_at = excluded.verified_at, missing_scopes = excluded.missing_scopes,
                message = excluded.message",
            organization,
            version,
            new.key.bytes,
            new.last4,
            account,
            status,
            verified_at,
            scopes,
            new.message
        )
        .execute(connection)
        .await
        .map_err(store_error)?;
        self.has_shredded = true;
        Ok(())
    }

    async fn delete_connection(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "DELETE FROM klaviyo_connections WHERE organization_id = ?1",
            organization
        )
        .execute(connection)
        .await
        .map_err(store_error)?;
        self.has_shredded = true;
        Ok(())
    }
}
