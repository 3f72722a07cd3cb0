//! Which deliveries are sent next, and how.

use std::collections::BTreeSet;

use super::record::DueDelivery;
use super::status::DeliveryKind;
use crate::ids::ConsumerId;
use crate::writing::MAX_EVENTS;

/// The most deliveries that are sent each by itself: Klaviyo takes 350 events a second singly, and ten bulk jobs.
pub const MAX_SINGLE: usize = 50;

/// The most deliveries that are sent in bulk, ten jobs beside each other: as many as Klaviyo takes in a second.
pub const MAX_BULK: usize = 10 * MAX_EVENTS;

/// The next deliveries.
#[derive(Debug, Clone, PartialEq)]
pub enum Batch {
    /// Each in a call of its own, beside each other.
    Single(Vec<DueDelivery>),
    /// In as few calls as hold them, beside each other.
    Bulk(Vec<DueDelivery>),
    /// Contacts, which are looked up together and written one by one.
    Contacts(Vec<DueDelivery>),
    /// Ends of consent, each in a call of its own.
    Consents(Vec<DueDelivery>),
}

impl Batch {
    /// The kind of all of them.
    pub const fn kind(&self) -> DeliveryKind {
        match self {
            Self::Single(_) | Self::Bulk(_) => DeliveryKind::Event,
            Self::Contacts(_) => DeliveryKind::Contact,
            Self::Consents(_) => DeliveryKind::Consent,
        }
    }

    /// The deliveries.
    pub fn deliveries(&self) -> &[DueDelivery] {
        match self {
            Self::Single(deliveries)
            | Self::Bulk(deliveries)
            | Self::Contacts(deliveries)
            | Self::Consents(deliveries) => deliveries,
        }
    }
}

/// The batch that is next of the deliveries that are due, in their order; `None` if none is due.
///
/// Of each consumer it holds the first alone, so none is overtaken by a later one. It is of the kind of the first delivery that can
/// be sent: what rests keeps those of the same consumer after it back, and nobody else's.
pub fn next_batch(due: Vec<DueDelivery>, rests: impl Fn(DeliveryKind) -> bool) -> Option<Batch> {
    let mut met: BTreeSet<ConsumerId> = BTreeSet::new();
    let mut firsts: Vec<DueDelivery> = due
        .into_iter()
        .filter(|delivery| {
            let consumer = delivery.consumer.clone();
            consumer.is_none_or(|consumer| met.insert(consumer))
        })
        .collect();
    firsts.retain(|delivery| !rests(delivery.payload.kind()));
    let kind = firsts.first()?.payload.kind();
    firsts.retain(|delivery| delivery.payload.kind() == kind);
    if kind != DeliveryKind::Event {
        firsts.truncate(MAX_SINGLE);
        return Some(match kind {
            DeliveryKind::Consent => Batch::Consents(firsts),
            _ => Batch::Contacts(firsts),
        });
    }
    if firsts.len() <= MAX_SINGLE {
        return Some(Batch::Single(firsts));
    }
    firsts.truncate(MAX_BULK);
    Some(Batch::Bulk(firsts))
}
