//! Settings: the connection to Klaviyo.

use deserr::{Deserr, ValueKind, ValuePointerRef};
use fanfare_domain::connection::ApiKey;
use fanfare_domain::contact::ContactSettingsUpdate;
use fanfare_domain::events::EventSettingsUpdate;
use fanfare_sync::{ConnectRequest, ConnectionView};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Time;
use super::contact_settings::{Contacts, ContactsBody};
use super::event_settings::{Events, EventsBody};
use crate::decode::{DecodeError, InBody, InSecret, Request, missing, missing_object, parsed};
use crate::error::{Key, Violation};

/// An organization's settings, as far as integrations go.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Settings {
    klaviyo: KlaviyoSettings,
}

/// The connection to Klaviyo. It never shows the key.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KlaviyoSettings {
    /// Whether a key is stored.
    configured: bool,
    /// Dots and the key's last four characters.
    #[schema(example = "••••abcd")]
    api_key: Option<String>,
    status: ConnectionStatus,
    /// Klaviyo's account, where the key may tell.
    account_id: Option<String>,
    /// When Klaviyo last took the key.
    verified_at: Option<Time>,
    /// Scopes of optional features that the key lacks.
    missing_scopes: Vec<String>,
    /// What is wrong, and what to do.
    message: Option<String>,
    events: Events,
    contacts: Contacts,
    /// How many people a push of an audience changes without a confirmation.
    push_limit: u64,
}

/// Whether the connection works.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ConnectionStatus {
    /// Klaviyo takes the key.
    Active,
    /// Klaviyo took it once, and no longer does.
    Error,
    /// No key is stored.
    NotConnected,
}

impl From<fanfare_sync::Settings> for Settings {
    fn from(settings: fanfare_sync::Settings) -> Self {
        Self {
            klaviyo: KlaviyoSettings::of(
                settings.connection,
                settings.events.into(),
                settings.contacts.into(),
                settings.push_limit,
            ),
        }
    }
}

impl KlaviyoSettings {
    fn of(
        connection: Option<ConnectionView>,
        events: Events,
        contacts: Contacts,
        push_limit: u64,
    ) -> Self {
        use fanfare_domain::connection::ConnectionStatus as Known;
        let Some(connection) = connection else {
            return Self {
                configured: false,
                api_key: None,
                status: ConnectionStatus::NotConnected,
                account_id: None,
                verified_at: None,
                missing_scopes: Vec::new(),
                message: None,
                events,
                contacts,
                push_limit,
            };
        };
        Self {
            configured: true,
            api_key: Some(format!("••••{}", connection.last4)),
            status: match connection.status {
                Known::Active => ConnectionStatus::Active,
                Known::Error => ConnectionStatus::Error,
            },
            account_id: connection.account.map(|account| account.to_string()),
            verified_at: Some(Time(connection.verified_at)),
            missing_scopes: connection.missing_scopes,
            message: connection.message,
            events,
            contacts,
            push_limit,
        }
    }
}

/// What to change.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields)]
#[schema(as = SettingsUpdate)]
pub(crate) struct SettingsBody {
    /// A key to connect with and what is sent of events and contacts, or null to disconnect: then the key is shredded and active runs are
    /// cancelled; audiences stay.
    #[deserr(error = DecodeError<InSecret>, missing_field_error = missing_object)]
    #[schema(required, nullable)]
    klaviyo: Option<KlaviyoBody>,
}

/// A key to connect with, or what is sent of events or of contacts, or all of it.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InSecret>, deny_unknown_fields, rename_all = camelCase)]
#[schema(rename_all = "camelCase", as = KlaviyoConnect)]
struct KlaviyoBody {
    /// A private API key of Klaviyo's, allowed to read lists and profiles.
    #[deserr(default)]
    #[schema(value_type = String, required = false, nullable = false, write_only, example = "pk_0123456789abcdef0123456789abcdef12")]
    api_key: Option<PrivateKey>,
    /// That the key may be of another Klaviyo account than the one connected.
    #[deserr(default)]
    #[schema(required = false)]
    confirm_account_change: bool,
    /// What is sent of events.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = EventsBody)]
    events: Option<EventsBody>,
    /// What is sent of contacts.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = ContactsBody)]
    contacts: Option<ContactsBody>,
    /// How many people a push of an audience changes without a confirmation.
    #[deserr(default)]
    #[schema(required = false, nullable = false, value_type = u32)]
    push_limit: Option<u32>,
}

/// A text that is a private API key of Klaviyo's.
struct PrivateKey(ApiKey);

parsed! {
    PrivateKey: "key", "pk_…", |text: &str| ApiKey::parse(&SecretString::from(text)).map(Self);
}

impl Request for SettingsBody {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        let Some(Value::Object(klaviyo)) = sent.get("klaviyo") else {
            return Vec::new();
        };
        match klaviyo.get("apiKey") {
            Some(Value::Null) => {
                let path = ["klaviyo", "apiKey"].map(|name| Key::Name(name.to_owned()));
                let message = "must be a string";
                let violation = Violation::new(path.to_vec(), "string", "string", "null", message);
                vec![violation]
            }
            // What changes nothing lacks the key.
            None if !["events", "contacts", "pushLimit"]
                .iter()
                .any(|name| klaviyo.contains_key(*name)) =>
            {
                let location = ValuePointerRef::Origin;
                let location = location.push_key("klaviyo");
                vec![missing("apiKey", location, Some(ValueKind::String))]
            }
            _ => Vec::new(),
        }
    }
}

/// What a body changes.
pub(crate) enum SettingsChange {
    /// The connection ends.
    Disconnect,
    /// A key is connected, then what is sent of events and contacts changes.
    Change {
        /// The key.
        connect: Option<ConnectRequest>,
        /// What is sent of events.
        events: Option<EventSettingsUpdate>,
        /// What is sent of contacts.
        contacts: Option<ContactSettingsUpdate>,
        /// How many people a push changes without a confirmation.
        push_limit: Option<u64>,
    },
}

impl From<SettingsBody> for SettingsChange {
    fn from(body: SettingsBody) -> Self {
        let Some(klaviyo) = body.klaviyo else {
            return Self::Disconnect;
        };
        Self::Change {
            connect: klaviyo.api_key.map(|key| ConnectRequest {
                api_key: key.0,
                confirm_account_change: klaviyo.confirm_account_change,
            }),
            events: klaviyo.events.map(EventSettingsUpdate::from),
            contacts: klaviyo.contacts.map(ContactSettingsUpdate::from),
            push_limit: klaviyo.push_limit.map(u64::from),
        }
    }
}
