//! Settings: the connection to Klaviyo.

use fanfare_sync::ConnectionView;
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;

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
#[derive(ToSchema)]
#[schema(as = SettingsUpdate)]
#[expect(dead_code, reason = "describes a body that is decoded by hand")]
pub(crate) struct SettingsBody {
    /// A key to connect with, or null to disconnect: then the key is shredded and active runs are
    /// cancelled; audiences stay.
    #[schema(required, nullable)]
    klaviyo: Option<KlaviyoConnect>,
}

/// A key to connect with.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a body that is decoded by hand")]
struct KlaviyoConnect {
    /// A private API key of Klaviyo's, allowed to read lists and profiles.
    #[schema(write_only, example = "pk_0123456789abcdef0123456789abcdef12")]
    api_key: String,
    /// That the key may be of another Klaviyo account than the one connected.
    #[schema(nullable = false)]
    confirm_account_change: Option<bool>,
}
