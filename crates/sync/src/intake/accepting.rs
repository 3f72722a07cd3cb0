//! Writing what webhooks tell: which are repeats, and what Klaviyo is to be told of the others.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::delivery::{DeliveryCode, DeliveryKind, DeliveryStatus, NewDelivery, Payload};
use fanfare_domain::events::{
    ActKey, Decision, Envelope, EventSettings, InboundKey, Person, PurchaseKey, decide,
};
use fanfare_domain::ids::{ConsumerId, DeliveryId, OrganizationId};
use fanfare_domain::ports::{ConsumerRecord, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::Event;
use sha2::{Digest, Sha256};

use super::queue::Arrival;
use crate::error::Error;
use crate::hexadecimal::digits;
use crate::integration::Integration;
use crate::saving::queue_push;

/// The hashed keys of an event.
pub(super) fn keys_of(envelope: &Envelope) -> Vec<InboundKey> {
    let hashed = |ActKey(bytes)| InboundKey(digits(&Sha256::digest(&bytes)));
    ActKey::of(envelope).into_iter().map(hashed).collect()
}

impl Integration {
    /// Writes events that have come in one unit. Returns of each whether it had come before.
    pub(super) async fn accept(
        &self,
        organization: &OrganizationId,
        arrivals: &[Arrival],
    ) -> Result<Vec<bool>, Error> {
        let mut unit = self.begin(organization).await?;
        let keys: BTreeSet<InboundKey> = arrivals.iter().flat_map(|one| one.keys.clone()).collect();
        let keys: Vec<InboundKey> = keys.into_iter().collect();
        let known = unit.known_events(&keys).await?;
        let mut known: BTreeSet<InboundKey> = known.into_iter().collect();
        let (mut duplicates, mut fresh, mut new_keys) = (Vec::new(), Vec::new(), Vec::new());
        for arrival in arrivals {
            let is_duplicate = arrival.keys.iter().any(|key| known.contains(key));
            duplicates.push(is_duplicate);
            // Of a repeat under another id both are known from now on.
            let unknown = arrival
                .keys
                .iter()
                .filter(|key| known.insert((*key).clone()));
            new_keys.extend(unknown.cloned());
            if !is_duplicate {
                fresh.push(arrival);
            }
        }
        if !new_keys.is_empty() {
            let now = self.now();
            unit.insert_events(&new_keys, now).await?;
            let mut outbox = Outbox::new(self, unit.as_mut(), &fresh).await?;
            for arrival in fresh {
                outbox.add(arrival).await?;
            }
            outbox.write(now).await?;
            unit.commit().await?;
        }
        Ok(duplicates)
    }
}

/// The deliveries that one unit writes.
struct Outbox<'a> {
    integration: &'a Integration,
    unit: &'a mut dyn UnitOfWork,
    settings: EventSettings,
    people: BTreeMap<ConsumerId, Person>,
    new: Vec<NewDelivery>,
    /// Where in `new` a purchase is.
    purchases: BTreeMap<PurchaseKey, usize>,
}

impl<'a> Outbox<'a> {
    async fn new(
        integration: &'a Integration,
        unit: &'a mut dyn UnitOfWork,
        fresh: &[&Arrival],
    ) -> Result<Self, StoreError> {
        let settings = unit.event_settings().await?;
        let consumers: BTreeSet<ConsumerId> = fresh
            .iter()
            .filter(|_| settings.enabled)
            .filter_map(|arrival| arrival.envelope.consumer())
            .collect();
        let consumers: Vec<ConsumerId> = consumers.into_iter().collect();
        let records = if consumers.is_empty() {
            Vec::new()
        } else {
            unit.consumers_of(&consumers).await?
        };
        let people = records.into_iter().map(|record| {
            let person = person(record);
            (person.consumer.clone(), person)
        });
        Ok(Self {
            integration,
            settings,
            people: people.collect(),
            unit,
            new: Vec::new(),
            purchases: BTreeMap::new(),
        })
    }

    async fn add(&mut self, arrival: &Arrival) -> Result<(), StoreError> {
        let envelope = &arrival.envelope;
        let consumer = envelope.consumer();
        let person = consumer.as_ref().and_then(|id| self.people.get(id));
        let decision = decide(
            envelope,
            &self.settings,
            person.cloned(),
            arrival.received_at,
        );
        let mut delivery = NewDelivery {
            id: DeliveryId::new(self.integration.ids().ulid()),
            kind: DeliveryKind::Event,
            type_name: envelope.type_name.clone(),
            consumer,
            target: None,
            outcome: Err(DeliveryCode::Internal),
            purchase: None,
        };
        match decision {
            Decision::Drop(code) => delivery.outcome = Err(code),
            Decision::Send {
                event,
                purchase,
                hold_until,
            } => {
                delivery.target = Some(event.metric.to_string());
                let is_told = match &purchase {
                    Some(purchase) => {
                        self.tell_amount(purchase, &event, arrival.received_at)
                            .await?
                    }
                    None => false,
                };
                if is_told {
                    delivery.outcome = Err(DeliveryCode::SamePurchase);
                } else {
                    let due = hold_until.unwrap_or(arrival.received_at);
                    delivery.outcome = Ok((Payload::Event(event), due));
                    if let Some(purchase) = &purchase {
                        self.purchases.insert(purchase.clone(), self.new.len());
                    }
                    delivery.purchase = purchase;
                }
            }
        }
        self.new.push(delivery);
        Ok(())
    }

    /// Whether another delivery tells of the purchase. One that was told without an amount and was not sent yet takes that of this
    /// event.
    async fn tell_amount(
        &mut self,
        purchase: &PurchaseKey,
        event: &Event,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let replaces = |told: &Event| event.value.is_some() && told.value.is_none();
        if let Some(place) = self.purchases.get(purchase) {
            let told = self.new.get_mut(*place).map(|told| &mut told.outcome);
            if let Some(Ok((Payload::Event(told), due))) = told
                && replaces(told)
            {
                **told = event.clone();
                *due = now;
            }
            return Ok(true);
        }
        let Some(told) = self.unit.purchase_delivery(purchase).await? else {
            return Ok(false);
        };
        match told.status {
            DeliveryStatus::Pending => {
                if let Some(Payload::Event(payload)) = &told.payload
                    && told.attempts == 0
                    && replaces(payload)
                {
                    let payload = Payload::Event(Box::new(event.clone()));
                    self.unit.replace_payload(&told.id, &payload, now).await?;
                }
                Ok(true)
            }
            DeliveryStatus::Sent => Ok(true),
            // What was given up or dropped tells nobody of it.
            DeliveryStatus::Failed | DeliveryStatus::Dropped => Ok(false),
        }
    }

    async fn write(self, now: Timestamp) -> Result<(), StoreError> {
        self.unit.insert_deliveries(&self.new, now).await?;
        queue_push(self.unit).await
    }
}

/// What an event needs to know of a consumer.
pub(crate) fn person(record: ConsumerRecord) -> Person {
    let consumer = record.consumer;
    Person {
        consumer: consumer.id,
        profile: consumer.primary.map(|primary| primary.stamp.profile),
        email: consumer.email,
        phone: consumer.phone.map(|phone| phone.value),
    }
}
