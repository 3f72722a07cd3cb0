//! What Klaviyo would be told of an event, before anything is.

use fanfare_domain::events::{Decision, Envelope, EventType, Person, decide};
use fanfare_domain::ids::{ConsumerId, OrganizationId};
use fanfare_domain::value::Email;

use crate::error::{Entity, Error};
use crate::intake::person;
use crate::integration::Integration;

impl Integration {
    /// What would become of an event of this type, with sample data, by what is chosen now: of this consumer, or of somebody who
    /// is not linked to a profile. It does not matter whether events are switched on.
    pub async fn preview_event(
        &self,
        organization: &OrganizationId,
        event_type: EventType,
        consumer: Option<&ConsumerId>,
    ) -> Result<Decision, Error> {
        let mut unit = self.read(organization).await?;
        let mut settings = unit.event_settings().await?;
        settings.enabled = true;
        let person = match consumer {
            Some(consumer) => {
                let record = unit.consumer(consumer).await?;
                person(record.ok_or(Error::NotFound(Entity::Consumer))?)
            }
            None => Person {
                consumer: ConsumerId::parse("cons_sample")
                    .map_err(|_| Error::NotFound(Entity::Consumer))?,
                profile: None,
                email: Email::parse("somebody@example.com").ok(),
                phone: None,
            },
        };
        let now = self.now();
        let mut data = event_type.sample_data(&now.to_string());
        data.insert("consumerId".to_owned(), person.consumer.as_str().into());
        let envelope = Envelope {
            id: "whk_sample".to_owned(),
            type_name: event_type.as_str().to_owned(),
            timestamp: now,
            organization: organization.clone(),
            data,
        };
        Ok(decide(&envelope, &settings, Some(person), now))
    }
}
