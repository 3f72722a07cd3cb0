//! Consumers that are made and changed in Fanfare.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::Consumer;
use fanfare_domain::erasure::Identifier;
use fanfare_domain::ids::{ConsumerId, OrganizationId};
use fanfare_domain::ports::{ConsumerRecord, Lookup, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::{Email, FullName, Phone};

use crate::audiences::Patch;
use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::telling::tell_of_edit;

/// A consumer to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewConsumer {
    /// Its e-mail.
    pub email: Option<Email>,
    /// Its phone number.
    pub phone: Option<Phone>,
    /// Its name.
    pub full_name: Option<FullName>,
    /// Free data: JSON text by key.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Who makes it, for `createdBy`.
    pub actor: String,
}

/// A change of a consumer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerUpdate {
    /// Its e-mail. Where the consumer is linked to a Klaviyo profile, the next pass follows the profile's again.
    pub email: Patch<Email>,
    /// Its phone number.
    pub phone: Patch<Phone>,
    /// Its name.
    pub full_name: Patch<FullName>,
    /// Free data: JSON text by key.
    pub metadata: Patch<BTreeMap<String, String>>,
    /// The author of the change, for `updatedBy`.
    pub actor: String,
}

impl Integration {
    /// Makes a consumer. An address that another consumer has is [`Error::EmailExists`], and that of a person who was erased
    /// [`Error::PersonErased`].
    pub async fn create_consumer(
        &self,
        organization: &OrganizationId,
        new: NewConsumer,
    ) -> Result<ConsumerRecord, Error> {
        let now = self.now();
        let mut consumer = Consumer::new(ConsumerId::new(self.ports.ids.ulid()));
        consumer.email = new.email;
        if new.full_name.is_some() {
            consumer.edit_full_name(new.full_name, now);
        }
        if new.phone.is_some() {
            consumer.edit_phone(new.phone, now);
        }
        let record = ConsumerRecord {
            consumer,
            primary_changed_at: None,
            created_at: now,
            created_by: new.actor,
            updated_at: None,
            updated_by: None,
            metadata: new.metadata,
        };
        let mut unit = self.begin(organization).await?;
        // A number may be a family's; of somebody new nothing says that they are another person of it.
        let phone = record.consumer.phone.as_ref();
        let phone = phone.map(|phone| Identifier::Phone(phone.value.clone()));
        self.check_address(unit.as_mut(), &record.consumer, phone)
            .await?;
        unit.put_consumer(&record).await?;
        tell_of_edit(self, unit.as_mut(), None, &record.consumer, now).await?;
        unit.commit().await?;
        Ok(record)
    }

    /// Changes a consumer. What is left as it was is no change, and not even a time says so.
    pub async fn update_consumer(
        &self,
        organization: &OrganizationId,
        id: &ConsumerId,
        update: ConsumerUpdate,
    ) -> Result<ConsumerRecord, Error> {
        let mut unit = self.begin(organization).await?;
        let found = unit.consumer(id).await?;
        let before = found.ok_or(Error::NotFound(Entity::Consumer))?;
        let now = self.now();
        let actor = update.actor.clone();
        let mut after = changed(before.clone(), update, now);
        if after == before {
            return Ok(before);
        }
        if after.consumer.email != before.consumer.email {
            self.check_address(unit.as_mut(), &after.consumer, None)
                .await?;
        }
        after.updated_at = Some(now);
        after.updated_by = Some(actor);
        unit.put_consumer(&after).await?;
        tell_of_edit(
            self,
            unit.as_mut(),
            Some(&before.consumer),
            &after.consumer,
            now,
        )
        .await?;
        unit.commit().await?;
        Ok(after)
    }

    /// Fails if another consumer has the e-mail, or if it or `also` names a person who was erased.
    async fn check_address(
        &self,
        unit: &mut dyn UnitOfWork,
        consumer: &Consumer,
        also: Option<Identifier>,
    ) -> Result<(), Error> {
        if let Some(email) = &consumer.email {
            let lookup = Lookup::Email(email.as_str().to_owned());
            let found = unit.lookup_consumers(&lookup).await?;
            if found.iter().any(|one| one.consumer.id != consumer.id) {
                return Err(Error::EmailExists);
            }
        }
        let email = consumer.email.clone().map(Identifier::Email);
        let identifiers: BTreeSet<Identifier> = email.into_iter().chain(also).collect();
        if self.erased_among(unit, identifiers).await?.0.is_empty() {
            Ok(())
        } else {
            Err(Error::PersonErased)
        }
    }
}

/// The consumer after a change. A value that is what it was keeps who wrote it.
fn changed(mut record: ConsumerRecord, update: ConsumerUpdate, now: Timestamp) -> ConsumerRecord {
    let consumer = &mut record.consumer;
    update.email.apply(&mut consumer.email);
    if let Patch::Set(phone) = update.phone
        && consumer.phone.as_ref().map(|held| &held.value) != phone.as_ref()
    {
        consumer.edit_phone(phone, now);
    }
    if let Patch::Set(name) = update.full_name
        && consumer.full_name.as_ref().map(|held| &held.value) != name.as_ref()
    {
        consumer.edit_full_name(name, now);
    }
    update.metadata.apply(&mut record.metadata);
    record
}
