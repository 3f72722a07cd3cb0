//! The connection to Klaviyo.

use async_trait::async_trait;
use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::{Connections, StoreError};

use crate::answer::Asked;
use crate::at::At;
use crate::rows::{count, id, parse_enum, to_u32};
use crate::unit::PostgresUnit;

#[async_trait]
impl Connections for PostgresUnit {
    async fn connection(&mut self) -> Result<Option<Connection>, StoreError> {
        let (organization, connection) = self.reading();
        let row = sqlx::query!(
            "SELECT master_key_version, sealed_key, generation, last4, account_id, status, verified_at,
                    missing_scopes, message
             FROM klaviyo_connections WHERE organization_id = $1",
            organization
        )
        .fetch_optional(connection)
        .answer()
        .await?;
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
            verified_at: row.verified_at.0,
            missing_scopes: row.missing_scopes,
            message: row.message,
        }))
    }

    async fn put_connection(&mut self, new: &Connection) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "INSERT INTO klaviyo_connections AS c (organization_id, master_key_version, sealed_key,
                last4, account_id, status, verified_at, missing_scopes, message)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (organization_id) DO UPDATE SET
                master_key_version = excluded.master_key_version, sealed_key = excluded.sealed_key,
                generation = c.generation + (c.sealed_key <> excluded.sealed_key)::int,
                last4 = excluded.last4, account_id = excluded.account_id, status = excluded.status,
                verified_at = excluded.verified_at, missing_scopes = excluded.missing_scopes,
                message = excluded.message
             WHERE (c.master_key_version, c.sealed_key, c.last4, c.account_id, c.status, c.verified_at,
                    c.missing_scopes, c.message)
                IS DISTINCT FROM
                   (excluded.master_key_version, excluded.sealed_key, excluded.last4,
                    excluded.account_id, excluded.status, excluded.verified_at,
                    excluded.missing_scopes, excluded.message)",
            organization,
            i64::from(new.key.master_key_version),
            new.key.bytes,
            new.last4,
            new.account.as_ref().map(AccountId::as_str),
            new.status.as_str(),
            At(new.verified_at),
            &new.missing_scopes,
            new.message
        )
        .execute(connection)
        .answer()
        .await?;
        Ok(())
    }

    /// Postgres overwrites nothing in place: the dead row stays until it is vacuumed, which the table
    /// asks for within a minute, and copies stay in its log and in backups. What is in them is sealed.
    async fn delete_connection(&mut self) -> Result<(), StoreError> {
        let (organization, connection) = self.writing()?;
        sqlx::query!(
            "DELETE FROM klaviyo_connections WHERE organization_id = $1",
            organization
        )
        .execute(connection)
        .answer()
        .await?;
        Ok(())
    }
}
