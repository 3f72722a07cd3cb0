//! Fanfare's webhooks.

use serde::Serialize;
use utoipa::ToSchema;

/// Where Fanfare sends its webhooks, and what signs them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookAddress {
    /// The address to enter in Fanfare.
    #[schema(
        example = "https://sync.example.com/api/webhooks/fanfare/org_01KB1Q3ZQ6V2N8P4R5S7T9W0XY"
    )]
    pub(crate) url: String,
    /// The secret that signs them. It is shown once, here.
    #[schema(example = "whsec_0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab")]
    pub(crate) secret: String,
}

/// A webhook of Fanfare's.
#[derive(ToSchema)]
#[schema(as = FanfareWebhook, rename_all = "camelCase")]
#[expect(dead_code, reason = "it documents a body that is read as it is signed")]
pub(crate) struct WebhookBody {
    /// The event's id.
    #[schema(example = "whk_01KB1Q3ZQ6V2N8P4R5S7T9W0XY")]
    id: String,
    /// What has happened.
    #[schema(example = "draw.consumer.won")]
    r#type: String,
    /// When Fanfare made the event.
    #[schema(format = DateTime)]
    timestamp: String,
    /// The organization that it is for.
    organization_id: String,
    /// What it tells.
    #[schema(value_type = Object)]
    data: (),
}

/// A webhook that was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReceivedWebhook {
    /// Whether something came of it: false if its body names another organization.
    accepted: bool,
    /// Whether it had come before.
    duplicate: bool,
}

impl From<fanfare_sync::Received> for ReceivedWebhook {
    fn from(received: fanfare_sync::Received) -> Self {
        Self {
            accepted: received.accepted,
            duplicate: received.duplicate,
        }
    }
}
