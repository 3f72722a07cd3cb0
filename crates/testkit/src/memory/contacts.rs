//! Contacts that both sides write.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fanfare_domain::contact::{Contact, ContactSettings};
use fanfare_domain::delivery::{DeliveryKind, PendingContact};
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::ports::{Contacts, StoreError};

use super::unit::Unit;

#[async_trait]
impl Contacts for Unit {
    async fn contact_settings(&mut self) -> Result<ContactSettings, StoreError> {
        Ok(self.rows().contact_settings)
    }

    async fn put_contact_settings(&mut self, settings: &ContactSettings) -> Result<(), StoreError> {
        self.rows_mut()?.contact_settings = *settings;
        Ok(())
    }

    async fn contacts_of(
        &mut self,
        consumers: &[ConsumerId],
    ) -> Result<BTreeMap<ConsumerId, Contact>, StoreError> {
        let known = &self.rows().contacts;
        let found = consumers
            .iter()
            .filter_map(|id| Some((id.clone(), known.get(id)?.clone())));
        Ok(found.collect())
    }

    async fn put_contacts(
        &mut self,
        contacts: &BTreeMap<ConsumerId, Contact>,
    ) -> Result<(), StoreError> {
        let known = &mut self.rows_mut()?.contacts;
        known.extend(contacts.iter().map(|(id, one)| (id.clone(), one.clone())));
        Ok(())
    }

    async fn forget_contacts(&mut self) -> Result<(), StoreError> {
        self.rows_mut()?.contacts.clear();
        Ok(())
    }

    async fn pending_contacts(
        &mut self,
        consumers: &[ConsumerId],
    ) -> Result<Vec<PendingContact>, StoreError> {
        let rows = self.rows().deliveries.values();
        let pending =
            rows.filter(|row| row.due.is_some() && row.delivery.kind == DeliveryKind::Contact);
        let of_them = pending.filter_map(|row| {
            let consumer = row.delivery.consumer.clone()?;
            consumers.contains(&consumer).then(|| PendingContact {
                id: row.delivery.id.clone(),
                consumer,
                attempts: row.delivery.attempts,
            })
        });
        Ok(of_them.collect())
    }
}
