//! Contacts that both sides write: what was chosen, and what is remembered.

use fanfare_domain::contact::{Contact, ContactSettings, Winner};
use fanfare_domain::delivery::PendingContact;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::StoreError;
use serde::Serialize;

use crate::columns::{from_json, id, json, parse_enum, to_u32};
use crate::deliveries::delivery_id;
use crate::json_text::JsonText;

/// A row of `contact_settings`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ContactSettingsRow {
    pub enabled: bool,
    pub winner: String,
    pub create_profiles: bool,
}

impl TryFrom<ContactSettingsRow> for ContactSettings {
    type Error = StoreError;

    fn try_from(row: ContactSettingsRow) -> Result<Self, StoreError> {
        Ok(Self {
            enabled: row.enabled,
            winner: parse_enum(&row.winner, Winner::parse, "contact_settings.winner")?,
            create_profiles: row.create_profiles,
        })
    }
}

/// A row of `contacts`.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ContactRow {
    pub consumer_id: String,
    pub state: JsonText,
}

impl TryFrom<ContactRow> for (ConsumerId, Contact) {
    type Error = StoreError;

    fn try_from(row: ContactRow) -> Result<Self, StoreError> {
        let consumer = id(row.consumer_id, ConsumerId::parse, "contacts.consumer_id")?;
        Ok((consumer, from_json(&row.state.0, "contacts.state")?))
    }
}

/// What a statement over a set of contacts takes of each, in JSON.
#[derive(Debug, Serialize)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct ContactColumns<'a> {
    pub consumer_id: &'a str,
    pub state: String,
}

impl<'a> ContactColumns<'a> {
    /// The columns of a contact.
    pub fn of(consumer: &'a ConsumerId, contact: &Contact) -> Self {
        Self {
            consumer_id: consumer.as_str(),
            state: json(contact),
        }
    }
}

/// A pending delivery of a contact.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns' names say it")]
pub struct PendingContactRow {
    pub id: String,
    pub consumer_id: String,
    pub attempts: i64,
}

impl TryFrom<PendingContactRow> for PendingContact {
    type Error = StoreError;

    fn try_from(row: PendingContactRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: delivery_id(row.id)?,
            consumer: id(row.consumer_id, ConsumerId::parse, "deliveries.consumer_id")?,
            attempts: to_u32(row.attempts, "deliveries.attempts")?,
        })
    }
}
