//! The events of a batch that Klaviyo has taken, of which some are looked for later.

use std::collections::BTreeSet;

use fanfare_domain::delivery::{Batch, Sampled, Settled};
use fanfare_domain::ids::DeliveryId;

use super::event_of;
use super::outcome::Outcome;

/// The events that Klaviyo says to have taken.
pub(super) fn sent(batch: &Batch, outcome: &Outcome) -> Vec<Sampled> {
    let taken: BTreeSet<&DeliveryId> = outcome
        .settled
        .iter()
        .filter(|(_, settled)| matches!(settled, Settled::Sent(_)))
        .map(|(id, _)| id)
        .collect();
    let sent = batch.deliveries().iter();
    let sent = sent.filter(|delivery| taken.contains(&delivery.id));
    sent.filter_map(|delivery| Some(Sampled::of(&delivery.id, event_of(delivery)?)))
        .collect()
}
