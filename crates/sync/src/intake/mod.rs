//! Taking Fanfare's webhooks: a signature is checked, and the event is durable before the answer.
//!
//! The webhooks of an organization that arrive while one unit is being written are written by the next one together: a
//! flood of them is a queue in memory of a bounded length, and a few units a second.

mod accepting;
mod queue;
mod secrets;

use fanfare_domain::events::Envelope;
use fanfare_domain::ids::OrganizationId;

use crate::error::Error;
use crate::integration::Integration;

pub(crate) use accepting::person;
pub(crate) use queue::IntakeQueues;
pub(crate) use secrets::KnownSecrets;
pub use secrets::WebhookSecretView;

/// A webhook as it came.
#[derive(Clone, Copy)]
pub struct Webhook<'a> {
    /// The header `X-Fanfare-Timestamp`.
    pub timestamp: &'a str,
    /// The header `X-Fanfare-Signature`.
    pub signature: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// A webhook that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// Whether something came of it. A body of another organization's that is signed with this one's secret is not taken.
    pub accepted: bool,
    /// Whether the event, or the act that it tells of, had come before.
    pub duplicate: bool,
}

impl Integration {
    /// Takes a webhook. When this returns, its event is durable. An unknown organization is refused as a bad signature is, by the
    /// same steps.
    pub async fn receive_webhook(
        &self,
        organization: &OrganizationId,
        webhook: Webhook<'_>,
    ) -> Result<Received, Error> {
        let received_at = self.now();
        self.verify_webhook(organization, webhook, received_at)
            .await?;
        let envelope = Envelope::parse(webhook.body).map_err(Error::NoEnvelope)?;
        if envelope.organization != *organization {
            return Ok(Received {
                accepted: false,
                duplicate: false,
            });
        }
        let duplicate = self.submit(organization, envelope, received_at).await?;
        Ok(Received {
            accepted: true,
            duplicate,
        })
    }
}
