//! By what an act is known again that is told of under another id.

use super::envelope::Envelope;
use super::event_type::EventType;
use crate::time::Timestamp;

/// An act of a consumer, apart from the event that tells of it: Fanfare may tell of one act in two events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    event_type: EventType,
    consumer: String,
    distribution: String,
    /// Orders and bids have ids of their own: two of one second are two.
    own: String,
    at: Timestamp,
}

/// What an event or an act is known by, for the caller to hash: no two have the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActKey(pub Vec<u8>);

/// The hash of a key, as hexadecimal digits: what is kept of an event that has come.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InboundKey(pub String);

impl ActKey {
    /// The keys of an event that has come: by its id, and by the act that it tells of. An event with a key that is known is
    /// a repeat.
    pub fn of(envelope: &Envelope) -> Vec<Self> {
        let by_id = Self(format!("id\n{}", envelope.id).into_bytes());
        let by_act = Act::of(envelope).map(|act| act.key());
        std::iter::once(by_id).chain(by_act).collect()
    }
}

/// The members of `data` that name the distribution.
const DISTRIBUTIONS: [&str; 4] = ["queueId", "drawId", "auctionId", "distributionId"];

/// Those that name the order or the bid.
const OWN: [&str; 2] = ["orderId", "bidId"];

impl Act {
    /// The act that an envelope tells of. `None` if its type is unknown, or if its data do not say when it was: then
    /// it is known by its event's id alone.
    pub fn of(envelope: &Envelope) -> Option<Self> {
        let first = |members: &[&str]| {
            let mut texts = members.iter().filter_map(|member| envelope.text(member));
            texts.next().unwrap_or_default().to_owned()
        };
        Some(Self {
            event_type: envelope.event_type()?,
            consumer: first(&["consumerId"]),
            distribution: first(&DISTRIBUTIONS),
            own: first(&OWN),
            at: envelope.act_time()?,
        })
    }

    /// Its key. Names hold no control characters, so a line feed separates them.
    pub fn key(&self) -> ActKey {
        let text = format!(
            "act\n{}\n{}\n{}\n{}\n{}",
            self.event_type,
            self.consumer,
            self.distribution,
            self.own,
            self.at.as_micros()
        );
        ActKey(text.into_bytes())
    }
}
