//! Settings: the connection to Klaviyo.

use deserr::Deserr;
use fanfare_domain::connection::ApiKey;
use fanfare_sync::{ConnectRequest, ConnectionView};
use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use crate::decode::{
    DecodeError, InBody, InSecret, Request, missing_object, missing_string, parsed,
};

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
            klaviyo: settings.connection.map_or_else(
                || KlaviyoSettings {
                    configured: false,
                    api_key: None,
                    status: ConnectionStatus::NotConnected,
                    account_id: None,
                    verified_at: None,
                    missing_scopes: Vec::new(),
                    message: None,
                },
                KlaviyoSettings::from,
            ),
        }
    }
}

impl From<ConnectionView> for KlaviyoSettings {
    fn from(connection: ConnectionView) -> Self {
        use fanfare_domain::connection::ConnectionStatus as Known;
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
        }
    }
}

/// What to change.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InBody>, deny_unknown_fields)]
#[schema(as = SettingsUpdate)]
pub(crate) struct SettingsBody {
    /// A key to connect with, or null to disconnect: then the key is shredded and active runs are
    /// cancelled; audiences stay.
    #[deserr(error = DecodeError<InSecret>, missing_field_error = missing_object)]
    #[schema(required, nullable)]
    klaviyo: Option<KlaviyoConnect>,
}

/// A key to connect with.
#[derive(Deserr, ToSchema)]
#[deserr(error = DecodeError<InSecret>, deny_unknown_fields, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
struct KlaviyoConnect {
    /// A private API key of Klaviyo's, allowed to read lists and profiles.
    #[deserr(missing_field_error = missing_string)]
    #[schema(value_type = String, write_only, example = "pk_0123456789abcdef0123456789abcdef12")]
    api_key: PrivateKey,
    /// That the key may be of another Klaviyo account than the one connected.
    #[deserr(default)]
    #[schema(required = false)]
    confirm_account_change: bool,
}

/// A text that is a private API key of Klaviyo's.
struct PrivateKey(ApiKey);

parsed! {
    PrivateKey: "key", "pk_…", |text: &str| ApiKey::parse(&SecretString::from(text)).map(Self);
}

impl Request for SettingsBody {}

impl SettingsBody {
    /// The key to connect with; `None` to disconnect.
    pub(crate) fn into_connect(self) -> Option<ConnectRequest> {
        let connect = self.klaviyo?;
        Some(ConnectRequest {
            api_key: connect.api_key.0,
            confirm_account_change: connect.confirm_account_change,
        })
    }
}
