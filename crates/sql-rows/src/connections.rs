//! Connections to Klaviyo.

use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::StoreError;

use crate::columns::{count, id, parse_enum, to_u32};
use crate::db_timestamp::DbTimestamp;

/// A row of `klaviyo_connections`. `S` is how the database keeps the missing scopes: Postgres as an array
/// and SQLite as JSON.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ConnectionRow<S> {
    pub master_key_version: i64,
    pub sealed_key: Vec<u8>,
    pub generation: i64,
    pub last4: String,
    pub account_id: Option<String>,
    pub status: String,
    pub verified_at: DbTimestamp,
    pub missing_scopes: S,
    pub message: Option<String>,
}

impl<S> ConnectionRow<S> {
    /// The connection.
    pub fn connection(
        self,
        scopes: impl FnOnce(S) -> Result<Vec<String>, StoreError>,
    ) -> Result<Connection, StoreError> {
        let version = "klaviyo_connections.master_key_version";
        let status = "klaviyo_connections.status";
        let account = self.account_id;
        Ok(Connection {
            key: SealedKey {
                master_key_version: to_u32(self.master_key_version, version)?,
                bytes: self.sealed_key,
            },
            generation: count(self.generation, "klaviyo_connections.generation")?,
            last4: self.last4,
            account: account
                .map(|text| id(text, AccountId::parse, "klaviyo_connections.account_id"))
                .transpose()?,
            status: parse_enum(&self.status, ConnectionStatus::parse, status)?,
            verified_at: self.verified_at.0,
            missing_scopes: scopes(self.missing_scopes)?,
            message: self.message,
        })
    }
}
