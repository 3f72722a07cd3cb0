//! Deliveries, to be shown and tried again, and what a merchant chooses of events to Klaviyo.

use std::collections::{BTreeSet, HashMap};

use fanfare_domain::delivery::{Delivery, DeliveryFilter, DeliveryStatus, Summary};
use fanfare_domain::events::EventSettingsUpdate;
use fanfare_domain::ids::{ConsumerId, DeliveryId, OrganizationId};
use fanfare_domain::paging::{Page, PageRequest};
use fanfare_domain::ports::ConsumerRecord;

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::saving::queue_push;
use crate::settings::Settings;

impl Integration {
    /// The organization's deliveries, the latest first.
    pub async fn deliveries(
        &self,
        organization: &OrganizationId,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Delivery>, Error> {
        let mut unit = self.read(organization).await?;
        Ok(unit.deliveries(filter, page).await?)
    }

    /// The same, each with the consumer whom it concerns, as far as there is one.
    pub async fn deliveries_with_people(
        &self,
        organization: &OrganizationId,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<(Delivery, Option<ConsumerRecord>)>, Error> {
        let mut unit = self.read(organization).await?;
        let deliveries = unit.deliveries(filter, page).await?;
        let of = deliveries.items.iter();
        let ids: BTreeSet<ConsumerId> = of.filter_map(|it| it.consumer.clone()).collect();
        let ids: Vec<ConsumerId> = ids.into_iter().collect();
        let people = unit.consumers_of(&ids).await?.into_iter();
        let people: HashMap<ConsumerId, ConsumerRecord> = people
            .map(|person| (person.consumer.id.clone(), person))
            .collect();
        Ok(deliveries.map(|delivery| {
            let person = delivery.consumer.as_ref().and_then(|id| people.get(id));
            let person = person.cloned();
            (delivery, person)
        }))
    }

    /// How many there are by kind and status, and since when one is pending.
    pub async fn delivery_summary(&self, organization: &OrganizationId) -> Result<Summary, Error> {
        let mut unit = self.read(organization).await?;
        Ok(unit.delivery_summary().await?)
    }

    /// Has a failed delivery tried again, now. One that is pending is as it was; for others it fails with
    /// [`Error::NotRetriable`].
    pub async fn retry_delivery(
        &self,
        organization: &OrganizationId,
        id: &DeliveryId,
    ) -> Result<Delivery, Error> {
        let mut unit = self.begin(organization).await?;
        let not_found = Error::NotFound(Entity::Delivery);
        let delivery = unit.delivery(id).await?.ok_or(not_found)?;
        match delivery.status {
            DeliveryStatus::Pending => return Ok(delivery),
            DeliveryStatus::Sent | DeliveryStatus::Dropped => return Err(Error::NotRetriable),
            DeliveryStatus::Failed => {}
        }
        unit.retry_delivery(id, self.now()).await?;
        queue_push(unit.as_mut()).await?;
        let retried = unit.delivery(id).await?;
        unit.commit().await?;
        retried.ok_or(Error::NotFound(Entity::Delivery))
    }

    /// Changes what is sent of events. What was accepted before stays as it was decided then.
    pub async fn update_events(
        &self,
        organization: &OrganizationId,
        update: EventSettingsUpdate,
    ) -> Result<Settings, Error> {
        let mut unit = self.begin(organization).await?;
        let settings = unit.event_settings().await?.merged(update);
        unit.put_event_settings(&settings).await?;
        unit.commit().await?;
        self.settings(organization).await
    }
}
