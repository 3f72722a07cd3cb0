//! Contacts that both sides write.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::StoreError;
use crate::contact::{Contact, ContactSettings};
use crate::delivery::PendingContact;
use crate::ids::ConsumerId;

/// What a merchant has chosen of contacts, and what is remembered of the people whom both sides write.
#[async_trait]
pub trait Contacts {
    /// What the merchant has chosen.
    async fn contact_settings(&mut self) -> Result<ContactSettings, StoreError>;

    /// Stores it.
    async fn put_contact_settings(&mut self, settings: &ContactSettings) -> Result<(), StoreError>;

    /// What is remembered of these consumers. Of most nothing is.
    async fn contacts_of(
        &mut self,
        consumers: &[ConsumerId],
    ) -> Result<BTreeMap<ConsumerId, Contact>, StoreError>;

    /// Stores what is remembered of consumers that are there. An erasure deletes it with the consumer
    /// ([`Erasures::erase`](super::Erasures::erase)).
    async fn put_contacts(
        &mut self,
        contacts: &BTreeMap<ConsumerId, Contact>,
    ) -> Result<(), StoreError>;

    /// Forgets everybody: contacts were switched off, or another Klaviyo account was connected.
    async fn forget_contacts(&mut self) -> Result<(), StoreError>;

    /// The pending deliveries of these consumers' contacts, in the order of their places.
    async fn pending_contacts(
        &mut self,
        consumers: &[ConsumerId],
    ) -> Result<Vec<PendingContact>, StoreError>;
}
