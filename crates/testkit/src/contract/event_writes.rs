//! What the fixture has of events, deliveries and contacts, and the methods that write them.

use std::collections::BTreeMap;

use fanfare_domain::contact::{Contact, ContactSettings};
use fanfare_domain::delivery::{DeliveryCode, Settled};
use fanfare_domain::events::{EventSettings, InboundKey, WebhookSecrets};
use fanfare_domain::ports::{StoreError, UnitOfWork};

use super::fixture::Write;
use crate::build::{self, at, consumer_id, delivery_id};

/// A delivery that has failed.
pub(super) async fn set_up(unit: &mut dyn UnitOfWork) {
    let failed = build::pending("dlv_failed", &consumer_id("cons_a"), at(1));
    let id = failed.id.clone();
    let insert = unit.insert_deliveries(&[failed], at(1)).await;
    insert.expect("a delivery");
    let settled = (id, Settled::Failed(DeliveryCode::Refused, None));
    let settle = unit.settle_deliveries(&[settled], at(2)).await;
    settle.expect("a failed delivery");
}

impl Write {
    pub(super) async fn attempt_on_events(
        self,
        unit: &mut dyn UnitOfWork,
    ) -> Result<bool, StoreError> {
        Ok(match self {
            Self::PutWebhookSecrets => {
                let secret = build::connection().key;
                let secrets = WebhookSecrets::rotated(None, secret, at(30));
                unit.put_webhook_secrets(&secrets).await.map(|()| true)?
            }
            Self::PutEventSettings => {
                let settings = EventSettings {
                    enabled: true,
                    ..EventSettings::default()
                };
                unit.put_event_settings(&settings).await.map(|()| true)?
            }
            Self::InsertEvents => {
                let keys = [InboundKey("new".to_owned())];
                unit.insert_events(&keys, at(30)).await.map(|()| true)?
            }
            Self::InsertDeliveries => {
                let new = [build::pending("dlv_new", &consumer_id("cons_new"), at(30))];
                unit.insert_deliveries(&new, at(30)).await.map(|()| true)?
            }
            Self::PutConsumer => {
                let mut record = build::made_consumer("cons_new", at(30));
                record.consumer.email = Some(build::email("made@example.com"));
                unit.put_consumer(&record).await.map(|()| true)?
            }
            Self::PutContactSettings => {
                let settings = ContactSettings {
                    enabled: true,
                    ..ContactSettings::default()
                };
                unit.put_contact_settings(&settings).await.map(|()| true)?
            }
            Self::PutContacts => {
                let contact = Contact::new(build::profile_id("p1"));
                let contacts = BTreeMap::from([(consumer_id("cons_new"), contact)]);
                unit.put_contacts(&contacts).await.map(|()| true)?
            }
            _ => {
                unit.retry_delivery(&delivery_id("dlv_failed"), at(30))
                    .await?
            }
        })
    }
}
