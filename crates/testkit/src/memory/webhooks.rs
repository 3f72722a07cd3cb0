//! Fanfare's webhooks.

use async_trait::async_trait;
use fanfare_domain::connection::SealedKey;
use fanfare_domain::events::{EventSettings, InboundKey, WebhookSecrets};
use fanfare_domain::ports::{StoreError, Webhooks};
use fanfare_domain::time::Timestamp;

use super::rows::refuse;
use super::unit::Unit;

#[async_trait]
impl Webhooks for Unit {
    async fn webhook_secrets(&mut self) -> Result<Option<WebhookSecrets>, StoreError> {
        Ok(self.rows().webhook_secrets.clone())
    }

    async fn put_webhook_secrets(&mut self, secrets: &WebhookSecrets) -> Result<(), StoreError> {
        self.rows_mut()?.webhook_secrets = Some(secrets.clone());
        Ok(())
    }

    async fn reseal_webhook_secret(
        &mut self,
        before: &SealedKey,
        after: &SealedKey,
    ) -> Result<bool, StoreError> {
        let Some(stored) = &mut self.rows_mut()?.webhook_secrets else {
            return Ok(false);
        };
        let previous = stored.previous.as_mut().map(|(secret, _)| secret);
        let mut secrets = std::iter::once(&mut stored.current).chain(previous);
        let Some(secret) = secrets.find(|secret| *secret == before) else {
            return Ok(false);
        };
        secret.clone_from(after);
        Ok(true)
    }

    async fn event_settings(&mut self) -> Result<EventSettings, StoreError> {
        Ok(self.rows().event_settings.clone())
    }

    async fn put_event_settings(&mut self, settings: &EventSettings) -> Result<(), StoreError> {
        self.rows_mut()?.event_settings = settings.clone();
        Ok(())
    }

    async fn known_events(&mut self, keys: &[InboundKey]) -> Result<Vec<InboundKey>, StoreError> {
        let known = &self.rows().inbound_events;
        let found = keys.iter().filter(|key| known.contains_key(key));
        Ok(found.cloned().collect())
    }

    async fn insert_events(
        &mut self,
        keys: &[InboundKey],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let known = &mut self.rows_mut()?.inbound_events;
        for key in keys {
            if known.insert(key.clone(), now).is_some() {
                return Err(refuse("an event has come with this key already"));
            }
        }
        Ok(())
    }

    async fn delete_events(&mut self, before: Timestamp, size: u32) -> Result<u64, StoreError> {
        let known = &mut self.rows_mut()?.inbound_events;
        let mut times: Vec<Timestamp> = known.values().copied().collect();
        times.sort_unstable();
        let edge = times.get(size as usize).copied();
        let edge = edge.map_or(before, |edge| edge.min(before));
        let old = known.iter().filter(|(_, at)| **at < edge);
        let old: Vec<InboundKey> = old.map(|(key, _)| key.clone()).collect();
        for key in &old {
            known.remove(key);
        }
        Ok(old.len() as u64)
    }
}
