//! Connections to Klaviyo.

use fanfare_domain::account_changes::{AccountChanges, Reading};
use fanfare_domain::connection::{Connection, ConnectionStatus, SealedKey};
use fanfare_domain::ids::{AccountId, RunId};
use fanfare_domain::ports::StoreError;

use crate::columns::{count, from_json, id, parse_enum, to_u32};
use crate::db_timestamp::DbTimestamp;
use crate::json_text::JsonText;

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

/// A column that holds a set of texts.
pub trait TextSet {
    /// The texts of a column of this name.
    fn texts(self, column: &str) -> Result<Vec<String>, StoreError>;
}

impl TextSet for Vec<String> {
    fn texts(self, _column: &str) -> Result<Vec<String>, StoreError> {
        Ok(self)
    }
}

impl TextSet for JsonText {
    fn texts(self, column: &str) -> Result<Vec<String>, StoreError> {
        from_json(&self.0, column)
    }
}

impl<S: TextSet> TryFrom<ConnectionRow<S>> for Connection {
    type Error = StoreError;

    fn try_from(row: ConnectionRow<S>) -> Result<Self, StoreError> {
        let form = "klaviyo_connections.master_key_version";
        let status = "klaviyo_connections.status";
        let scopes = "klaviyo_connections.missing_scopes";
        let account = row.account_id;
        Ok(Self {
            key: SealedKey {
                form: to_u32(row.master_key_version, form)?,
                bytes: row.sealed_key,
            },
            generation: count(row.generation, "klaviyo_connections.generation")?,
            last4: row.last4,
            account: account
                .map(|text| id(text, AccountId::parse, "klaviyo_connections.account_id"))
                .transpose()?,
            status: parse_enum(&row.status, ConnectionStatus::parse, status)?,
            verified_at: row.verified_at.0,
            missing_scopes: row.missing_scopes.texts(scopes)?,
            message: row.message,
        })
    }
}

/// What a row of `klaviyo_connections` tells of the changes of its account's profiles.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct AccountChangesRow {
    pub changes_began_at: Option<DbTimestamp>,
    pub changes_next_at: Option<DbTimestamp>,
    pub changes_reader: Option<String>,
}

impl TryFrom<AccountChangesRow> for AccountChanges {
    type Error = StoreError;

    fn try_from(row: AccountChangesRow) -> Result<Self, StoreError> {
        let times = (row.changes_began_at, row.changes_next_at);
        let reader = row.changes_reader;
        Ok(Self {
            last: match times {
                (Some(began_at), Some(next_at)) => Some(Reading {
                    began_at: began_at.0,
                    next_at: next_at.0,
                }),
                _ => None,
            },
            reader: reader
                .map(|text| id(text, RunId::parse, "klaviyo_connections.changes_reader"))
                .transpose()?,
        })
    }
}
