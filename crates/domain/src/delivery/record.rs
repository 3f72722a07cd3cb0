//! Deliveries as they are stored.

use std::collections::BTreeMap;

use super::code::DeliveryCode;
use super::place::Place;
use super::status::{DeliveryKind, DeliveryStatus};
use crate::events::PurchaseKey;
use crate::ids::{CollectionId, ConsumerId, DeliveryId};
use crate::time::Timestamp;
use crate::writing::{Channel, Event, UnsubscribePerson};

/// What Klaviyo is told, frozen.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// An event.
    Event(Box<Event>),
    /// That a contact has changed. What is sent is decided when it is sent, by what both sides have then: a value that was
    /// frozen with the change would undo a later one ([`crate::contact`]).
    Contact,
    /// That somebody has taken a consent back.
    Consent(ConsentEnd),
}

impl Payload {
    /// The kind of deliveries that say it.
    pub const fn kind(&self) -> DeliveryKind {
        match self {
            Self::Event(_) => DeliveryKind::Event,
            Self::Contact => DeliveryKind::Contact,
            Self::Consent(_) => DeliveryKind::Consent,
        }
    }
}

/// Whose consent ends, and to what.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConsentEnd {
    /// To which channels.
    pub channels: Vec<Channel>,
    /// To the messages of one list; `None` for everything that the channels carry.
    pub list: Option<CollectionId>,
    /// The person, by what the channels reach them by.
    pub person: UnsubscribePerson,
}

/// A pending delivery of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingContact {
    /// Its id.
    pub id: DeliveryId,
    /// Whose contact.
    pub consumer: ConsumerId,
    /// How often it was tried.
    pub attempts: u32,
}

/// A delivery to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// What kind it is of.
    pub kind: DeliveryKind,
    /// What has happened: the type of an event.
    pub type_name: String,
    /// Whom it concerns.
    pub consumer: Option<ConsumerId>,
    /// What it becomes in Klaviyo: the metric of an event.
    pub target: Option<String>,
    /// What Klaviyo is told and from when on, or why it is not told.
    pub outcome: Result<(Payload, Timestamp), DeliveryCode>,
    /// Which purchase it is.
    pub purchase: Option<PurchaseKey>,
}

impl NewDelivery {
    /// How far it is when it is written.
    pub const fn status(&self) -> DeliveryStatus {
        match self.outcome {
            Ok(_) => DeliveryStatus::Pending,
            Err(_) => DeliveryStatus::Dropped,
        }
    }
}

/// A delivery that was made by other means than the outbox: it stands among the others, and is never sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// What kind it is of.
    pub kind: DeliveryKind,
    /// What was done: `added` or `removed`, for a member of a list.
    pub type_name: String,
    /// Whom it concerns.
    pub consumer: Option<ConsumerId>,
    /// What of Klaviyo's it is about: a list's id.
    pub target: Option<String>,
    /// Why Klaviyo was not told, if it was not.
    pub dropped: Option<DeliveryCode>,
}

impl MadeDelivery {
    /// How far it is.
    pub const fn status(&self) -> DeliveryStatus {
        match self.dropped {
            None => DeliveryStatus::Sent,
            Some(_) => DeliveryStatus::Dropped,
        }
    }
}

/// A delivery as users see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// Its place in the order of the organization's.
    pub place: Place,
    /// What kind it is of.
    pub kind: DeliveryKind,
    /// What has happened.
    pub type_name: String,
    /// Whom it concerns.
    pub consumer: Option<ConsumerId>,
    /// What it becomes in Klaviyo.
    pub target: Option<String>,
    /// How far it is.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When what it tells was accepted.
    pub created_at: Timestamp,
    /// When Klaviyo took it.
    pub sent_at: Option<Timestamp>,
    /// Why it is not sent, or what was left out of it.
    pub code: Option<DeliveryCode>,
    /// What Klaviyo says of it.
    pub detail: Option<String>,
}

/// A pending delivery that is due.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// Its place.
    pub place: Place,
    /// Whom it concerns. What concerns nobody keeps the order with itself.
    pub consumer: Option<ConsumerId>,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was first tried.
    pub first_tried_at: Option<Timestamp>,
    /// What Klaviyo is told.
    pub payload: Payload,
}

/// The latest delivery of a purchase.
#[derive(Debug, Clone, PartialEq)]
pub struct PurchaseDelivery {
    /// Its id.
    pub id: DeliveryId,
    /// How far it is.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// What Klaviyo is told; `None` once it was told.
    pub payload: Option<Payload>,
}

/// Which deliveries to list. A field that is `None` matches every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// Its status.
    pub status: Option<DeliveryStatus>,
    /// Whom it concerns.
    pub consumer: Option<ConsumerId>,
    /// Its kind.
    pub kind: Option<DeliveryKind>,
}

/// What has become of a delivery that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Klaviyo has taken it; with what was left out of it.
    Sent(Option<DeliveryCode>),
    /// There is nothing to send any more.
    Dropped(DeliveryCode),
    /// It is given up.
    Failed(DeliveryCode, Option<String>),
    /// It is tried again at this time, and what comes after it of the same consumer not before.
    Again(Timestamp),
    /// It was not sent after all: the quota did not allow it, or the key is no good. The try does not count.
    NotTried,
}

/// How many deliveries of a kind there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SummaryOfKind {
    /// By status.
    pub counts: BTreeMap<DeliveryStatus, u64>,
    /// When the oldest one that is pending was accepted.
    pub oldest_pending_at: Option<Timestamp>,
}

/// How many deliveries there are, by kind.
pub type Summary = BTreeMap<DeliveryKind, SummaryOfKind>;
