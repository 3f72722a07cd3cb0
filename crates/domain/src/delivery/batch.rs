//! Which deliveries are sent next, and how.

use std::collections::BTreeSet;

use super::record::DueDelivery;
use crate::ids::ConsumerId;
use crate::writing::MAX_EVENTS;

/// The most deliveries that are sent each by itself: Klaviyo takes 350 events a second singly, and ten bulk jobs.
pub const MAX_SINGLE: usize = 50;

/// The most deliveries that are sent in bulk, five jobs beside each other: Klaviyo takes ten a second, and answers each after a fraction
/// of one.
pub const MAX_BULK: usize = 5 * MAX_EVENTS;

/// The next deliveries.
#[derive(Debug, Clone, PartialEq)]
pub enum Batch {
    /// Each in a call of its own, beside each other.
    Single(Vec<DueDelivery>),
    /// In as few calls as hold them, beside each other.
    Bulk(Vec<DueDelivery>),
}

impl Batch {
    /// The deliveries.
    pub fn deliveries(&self) -> &[DueDelivery] {
        match self {
            Self::Single(deliveries) | Self::Bulk(deliveries) => deliveries,
        }
    }
}

/// The batch that is next of the deliveries that are due, in their order; `None` if none is due.
///
/// Of each consumer it holds the first alone, so none is overtaken by a later one.
pub fn next_batch(due: Vec<DueDelivery>) -> Option<Batch> {
    let mut met: BTreeSet<ConsumerId> = BTreeSet::new();
    let mut firsts: Vec<DueDelivery> = due
        .into_iter()
        .filter(|delivery| {
            let consumer = delivery.consumer.clone();
            consumer.is_none_or(|consumer| met.insert(consumer))
        })
        .collect();
    if firsts.is_empty() {
        return None;
    }
    if firsts.len() <= MAX_SINGLE {
        return Some(Batch::Single(firsts));
    }
    firsts.truncate(MAX_BULK);
    Some(Batch::Bulk(firsts))
}
