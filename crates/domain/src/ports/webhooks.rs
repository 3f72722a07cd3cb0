//! Fanfare's webhooks: what they are signed with, which have come, and what is made of them.

use async_trait::async_trait;

use super::StoreError;
use crate::connection::SealedKey;
use crate::events::{EventSettings, InboundKey, WebhookSecrets};
use crate::time::Timestamp;

/// The webhooks of an organization.
#[async_trait]
pub trait Webhooks {
    /// The secrets that webhooks are signed with; `None` if there are none.
    async fn webhook_secrets(&mut self) -> Result<Option<WebhookSecrets>, StoreError>;

    /// Stores the secrets. Those that are replaced MUST be overwritten, not only unlinked, if the database allows it.
    async fn put_webhook_secrets(&mut self, secrets: &WebhookSecrets) -> Result<(), StoreError>;

    /// Replaces the stored secret `before`, the present one or the one of before, by `after`, and returns whether it is
    /// there. The secret in it is the same.
    async fn reseal_webhook_secret(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError>;

    /// What the merchant has chosen of events to Klaviyo.
    async fn event_settings(&mut self) -> Result<EventSettings, StoreError>;

    /// Stores it.
    async fn put_event_settings(&mut self, settings: &EventSettings) -> Result<(), StoreError>;

    /// Those of the keys that an event has come with before.
    async fn known_events(&mut self, keys: &[InboundKey]) -> Result<Vec<InboundKey>, StoreError>;

    /// Keeps the keys of events that have come, each of which is new.
    async fn insert_events(
        &mut self,
        keys: &[InboundKey],
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Deletes the oldest keys of events that came before this time: all, or about `size` if there are more; those of one time
    /// together. Returns how many; if none, there are none left, or more than `size` came at one time.
    async fn delete_events(&mut self, before: Timestamp, size: u32) -> Result<u64, StoreError>;
}
