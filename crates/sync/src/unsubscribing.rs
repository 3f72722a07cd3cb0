//! Ending consent, on a person's request.

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::consumer::Consumer;
use fanfare_domain::delivery::{ConsentEnd, Delivery, DeliveryKind, NewDelivery, Payload};
use fanfare_domain::ids::{CollectionId, ConsumerId, DeliveryId, OrganizationId};
use fanfare_domain::klaviyo::MemberLookup;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::writing::{Channel, MembershipProof, PersonalText, UnsubscribePerson};

use crate::error::{Entity, Error};
use crate::integration::Integration;
use crate::saving::queue_push;

/// From what somebody is unsubscribed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// From everything that the channels carry.
    All,
    /// From the messages of one list.
    List,
}

impl Scope {
    /// Every value, in order.
    pub const ALL: &'static [Self] = &[Self::All, Self::List];

    /// The text by which users know it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::List => "LIST",
        }
    }

    /// The value with that text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|scope| scope.as_str() == text)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A consent to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubscribeRequest {
    /// To which channels.
    pub channels: Vec<Channel>,
    /// To the messages of one list; `None` for everything that the channels carry.
    pub list: Option<CollectionId>,
}

impl Integration {
    /// Ends a consumer's consent, here at once and in Klaviyo by a delivery. A channel that does not reach the consumer is a
    /// violation of `channels`; from a list only a member is unsubscribed, else it is [`Error::NotInList`].
    pub async fn unsubscribe(
        &self,
        organization: &OrganizationId,
        id: &ConsumerId,
        request: UnsubscribeRequest,
    ) -> Result<Delivery, Error> {
        let mut unit = self.read(organization).await?;
        let found = unit.consumer(id).await?;
        let record = found.ok_or(Error::NotFound(Entity::Consumer))?;
        if unit.connection().await?.is_none() {
            return Err(Error::KeyNotFound);
        }
        drop(unit);
        let person = person_of(&record.consumer, &request.channels)?;
        if let Some(list) = &request.list {
            self.check_membership(organization, list, &person).await?;
        }
        let now = self.now();
        let delivery = DeliveryId::new(self.ids().ulid());
        let new = NewDelivery {
            id: delivery.clone(),
            kind: DeliveryKind::Consent,
            type_name: "consumer.unsubscribed".to_owned(),
            consumer: Some(id.clone()),
            target: request.list.as_ref().map(ToString::to_string),
            outcome: Ok((
                Payload::Consent(ConsentEnd {
                    channels: request.channels.clone(),
                    list: request.list.clone(),
                    person,
                }),
                now,
            )),
            purchase: None,
        };
        let mut unit = self.begin(organization).await?;
        let found = unit.consumer(id).await?;
        let mut record = found.ok_or(Error::NotFound(Entity::Consumer))?;
        if request.list.is_none() {
            // One list says nothing of the others.
            record.consumer.consents.end(&request.channels, now);
            unit.put_consumer(&record).await?;
        }
        unit.insert_deliveries(&[new], now).await?;
        queue_push(unit.as_mut()).await?;
        let written = unit.delivery(&delivery).await?;
        unit.commit().await?;
        written.ok_or(Error::NotFound(Entity::Delivery))
    }

    async fn check_membership(
        &self,
        organization: &OrganizationId,
        list: &CollectionId,
        person: &UnsubscribePerson,
    ) -> Result<(), Error> {
        let connection = self.open_connection(organization).await?;
        let of = CollectionRef {
            kind: CollectionKind::List,
            id: list.clone(),
        };
        let asked_at = self.now();
        let lookup = lookup_of(person);
        let call = || self.klaviyo.find_members(&connection, &of, &lookup);
        let members = match self.klaviyo.with_short_wait(call).await {
            Err(Error::KlaviyoUnreachable(fanfare_domain::klaviyo::KlaviyoError::NotFound)) => {
                let list = Entity::KlaviyoCollection(CollectionKind::List);
                return Err(Error::NotFound(list));
            }
            found => found?,
        };
        match MembershipProof::of(list, &members, person, asked_at) {
            Some(_) => Ok(()),
            None => Err(Error::NotInList),
        }
    }
}

/// The person by what the channels reach them by.
fn person_of(consumer: &Consumer, channels: &[Channel]) -> Result<UnsubscribePerson, Error> {
    let email = consumer.email.as_ref().map(PersonalText::from);
    let phone = consumer.phone.as_ref();
    let phone = phone.map(|phone| PersonalText::from(&phone.value));
    let person = UnsubscribePerson::of(channels, email.as_ref(), phone.as_ref());
    person.ok_or_else(|| {
        let message = "the consumer has no e-mail for EMAIL, or no phone number for SMS";
        Error::invalid("channels", message)
    })
}

/// By what the person is looked for among the members of a list.
pub(crate) fn lookup_of(person: &UnsubscribePerson) -> MemberLookup {
    let text = |text: &PersonalText| vec![text.as_str().to_owned()];
    match (&person.email, &person.phone) {
        (Some(email), _) => MemberLookup::Emails(text(email)),
        (None, phone) => MemberLookup::Phones(phone.iter().flat_map(text).collect()),
    }
}
