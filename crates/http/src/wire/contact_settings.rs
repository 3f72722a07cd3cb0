//! What is sent of contacts.

use deserr::Deserr;
use fanfare_domain::contact::{ContactSettings, ContactSettingsUpdate};
use serde::Serialize;
use utoipa::ToSchema;

use super::words::ContactWinner;
use crate::decode::{DecodeError, InSecret};

/// What is sent of contacts to Klaviyo.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contacts {
    /// Whether names and phone numbers that change in Fanfare are changed in Klaviyo.
    enabled: bool,
    /// Whose value stays where both sides have changed one.
    winner: ContactWinner,
    /// Whether Klaviyo gets profiles of people whom it does not know.
    create_profiles: bool,
}

impl From<ContactSettings> for Contacts {
    fn from(settings: ContactSettings) -> Self {
        Self {
            enabled: settings.enabled,
            winner: settings.winner.into(),
            create_profiles: settings.create_profiles,
        }
    }
}

/// What to change of it. What is left out stays.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InSecret>, deny_unknown_fields, rename_all = camelCase)]
#[schema(as = ContactsUpdate, rename_all = "camelCase")]
pub(crate) struct ContactsBody {
    /// Whether names and phone numbers that change in Fanfare are changed in Klaviyo. The key needs the scope `profiles:write`.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = bool)]
    enabled: Option<bool>,
    /// Whose value stays where both sides have changed one.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = ContactWinner)]
    winner: Option<ContactWinner>,
    /// Whether Klaviyo gets profiles of people whom it does not know.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = bool)]
    create_profiles: Option<bool>,
}

impl From<ContactsBody> for ContactSettingsUpdate {
    fn from(body: ContactsBody) -> Self {
        Self {
            enabled: body.enabled,
            winner: body.winner.map(Into::into),
            create_profiles: body.create_profiles,
        }
    }
}
