//! Having Klaviyo told of contacts: which deliveries are written, and when one is no longer needed.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::consumer::{Consumer, Stamped};
use fanfare_domain::contact::Contact;
use fanfare_domain::delivery::{DeliveryCode, DeliveryKind, NewDelivery, Payload, Settled};
use fanfare_domain::ids::{ConsumerId, DeliveryId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::integration::Integration;
use crate::saving::queue_push;

/// Has Klaviyo told of a consumer that somebody has made or changed in Fanfare, where that is switched on.
pub(crate) async fn tell_of_edit(
    integration: &Integration,
    unit: &mut dyn UnitOfWork,
    before: Option<&Consumer>,
    after: &Consumer,
    now: Timestamp,
) -> Result<(), Error> {
    if !unit.contact_settings().await?.enabled || !is_to_be_told(before, after) {
        return Ok(());
    }
    let consumers = [after.id.clone()];
    let known = unit.contacts_of(&consumers).await?;
    if let Some(contact) = before.and_then(Contact::before_edit)
        && known.values().all(Contact::is_only_linked)
    {
        let contacts = BTreeMap::from([(after.id.clone(), contact)]);
        unit.put_contacts(&contacts).await?;
    }
    let pending = unit.pending_contacts(&consumers).await?;
    // One that was never tried looks at the values as they are when it is.
    if pending.iter().any(|one| one.attempts == 0) {
        return Ok(());
    }
    let has_identifier = after.primary.is_some() || after.email.is_some() || after.phone.is_some();
    let type_name = if before.is_some() {
        "consumer.updated"
    } else {
        "consumer.created"
    };
    let delivery = NewDelivery {
        id: DeliveryId::new(integration.ids().ulid()),
        kind: DeliveryKind::Contact,
        type_name: type_name.to_owned(),
        consumer: Some(after.id.clone()),
        target: None,
        outcome: if has_identifier {
            Ok((Payload::Contact, now))
        } else {
            Err(DeliveryCode::NoIdentifier)
        },
        purchase: None,
    };
    unit.insert_deliveries(&[delivery], now).await?;
    queue_push(unit).await?;
    Ok(())
}

/// Whether a change concerns what Klaviyo is told: the name, the phone number, or by what a person is found at all.
fn is_to_be_told(before: Option<&Consumer>, after: &Consumer) -> bool {
    fn value<T>(held: Option<&Stamped<T>>) -> Option<&T> {
        held.map(|held| &held.value)
    }
    let Some(before) = before else {
        return true;
    };
    value(before.full_name.as_ref()) != value(after.full_name.as_ref())
        || value(before.phone.as_ref()) != value(after.phone.as_ref())
        || (after.primary.is_none() && before.email != after.email)
}

/// Follows what a page has shown of contacts: of whom Klaviyo still is to be told there is a delivery afterwards, and none
/// of whom it need not be told any more.
pub(crate) async fn follow_page(
    integration: &Integration,
    unit: &mut dyn UnitOfWork,
    to_tell: &BTreeSet<ConsumerId>,
    told: &BTreeSet<ConsumerId>,
    now: Timestamp,
) -> Result<(), Error> {
    if to_tell.is_empty() && told.is_empty() {
        return Ok(());
    }
    let both: Vec<ConsumerId> = to_tell.union(told).cloned().collect();
    let pending = unit.pending_contacts(&both).await?;
    let no_longer = pending
        .iter()
        .filter(|one| !to_tell.contains(&one.consumer));
    let settled: Vec<(DeliveryId, Settled)> = no_longer
        .map(|one| {
            // One that was tried has arrived, whatever became of its answer.
            let settled = match one.attempts {
                0 => Settled::Dropped(DeliveryCode::AlreadyEqual),
                _ => Settled::Sent(None),
            };
            (one.id.clone(), settled)
        })
        .collect();
    if !settled.is_empty() {
        unit.settle_deliveries(&settled, now).await?;
    }
    let waits = |id: &ConsumerId| pending.iter().any(|one| one.consumer == *id);
    let new = to_tell.iter().filter(|id| !waits(id));
    let new: Vec<NewDelivery> = new
        .map(|consumer| NewDelivery {
            id: DeliveryId::new(integration.ids().ulid()),
            kind: DeliveryKind::Contact,
            type_name: "consumer.updated".to_owned(),
            consumer: Some(consumer.clone()),
            target: None,
            outcome: Ok((Payload::Contact, now)),
            purchase: None,
        })
        .collect();
    if !new.is_empty() {
        unit.insert_deliveries(&new, now).await?;
        queue_push(unit).await?;
    }
    Ok(())
}
