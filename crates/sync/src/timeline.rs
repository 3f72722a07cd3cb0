//! What happened around one consumer.

use std::collections::{BTreeMap, HashMap, HashSet};

use fanfare_domain::delivery::{DeliveryFilter, Place};
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, OrganizationId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{AudienceRecord, ConsumerRecord, StoreError, UnitOfWork};
use fanfare_domain::timeline::{Mark, Moment, Stay, TimelineKey, page_of};

use crate::error::{Entity, Error};
use crate::integration::Integration;

/// A page of what happened around a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// What happened, the latest first.
    pub moments: Vec<Moment>,
    /// The names of the audiences that are in it.
    pub audiences: HashMap<AudienceId, String>,
    /// Those of them that are filled by hand.
    pub by_hand: HashSet<AudienceId>,
    /// The names of the Klaviyo lists that audiences are kept in.
    pub lists: HashMap<CollectionId, String>,
    /// The audiences that the consumer is a member of now, oldest first.
    pub member_of: Vec<AudienceRecord>,
    /// The key of the next page, if there is one.
    pub next: Option<String>,
}

impl Integration {
    /// What happened around a consumer, the latest first: what came of it from Klaviyo, and what went there. Audiences that were
    /// deleted are left out. A key that no page has shown is the beginning.
    pub async fn timeline(
        &self,
        organization: &OrganizationId,
        id: &ConsumerId,
        page: &PageRequest,
    ) -> Result<Timeline, Error> {
        let mut unit = self.read(organization).await?;
        let record = unit.consumer(id).await?;
        let record = record.ok_or(Error::NotFound(Entity::Consumer))?;
        let key = page.after.as_deref().and_then(TimelineKey::parse);
        let key = key.unwrap_or_default();
        let filter = DeliveryFilter {
            consumer: Some(id.clone()),
            ..DeliveryFilter::default()
        };
        let rest = PageRequest {
            first: page.first.saturating_add(1),
            after: key.delivery.map(Place::to_text),
        };
        let deliveries = unit.deliveries(&filter, &rest).await?.items;
        let (mut audiences, mut changes) = (HashMap::new(), Vec::new());
        let (mut by_hand, mut member_of) = (HashSet::new(), Vec::new());
        for (record, stays) in audiences_around(unit.as_mut(), id).await? {
            let audience = &record.audience;
            audiences.insert(audience.id.clone(), audience.name.clone());
            if record.source.is_none() {
                by_hand.insert(audience.id.clone());
            }
            changes.extend(stays.iter().flat_map(Stay::changes));
            if is_current(&stays) {
                member_of.push(record);
            }
        }
        let kept = unit.kept_lists().await?.into_iter();
        let lists = kept.filter_map(|kept| Some((kept.list, kept.name?)));
        let first = page.first as usize;
        let (moments, next) = page_of(&key, first, marks(&record), changes, deliveries);
        Ok(Timeline {
            moments,
            audiences,
            by_hand,
            lists: lists.collect(),
            member_of,
            next: next.map(|next| next.to_text()),
        })
    }

    /// The audiences that a consumer is a member of, oldest first.
    pub async fn audiences_of(
        &self,
        organization: &OrganizationId,
        consumer: &ConsumerId,
    ) -> Result<Vec<AudienceRecord>, Error> {
        let mut unit = self.read(organization).await?;
        let around = audiences_around(unit.as_mut(), consumer).await?;
        let of_now = around.into_iter().filter(|(_, stays)| is_current(stays));
        Ok(of_now.map(|(record, _)| record).collect())
    }
}

fn is_current(stays: &[Stay]) -> bool {
    stays.iter().any(|stay| stay.ended.is_none())
}

/// The unarchived audiences that a consumer is or was a member of, oldest first, each with those memberships. Of an
/// organization's audiences these are few, and the rest are not read.
async fn audiences_around(
    unit: &mut dyn UnitOfWork,
    consumer: &ConsumerId,
) -> Result<Vec<(AudienceRecord, Vec<Stay>)>, StoreError> {
    let mut of_each: BTreeMap<AudienceId, Vec<Stay>> = BTreeMap::new();
    for stay in unit.memberships_of(consumer).await? {
        of_each.entry(stay.audience.clone()).or_default().push(stay);
    }
    let ids: Vec<AudienceId> = of_each.keys().cloned().collect();
    let records = unit.audiences_by_id(&ids).await?.into_iter();
    let mut found: Vec<_> = records
        .filter(|record| !record.audience.archived)
        .filter_map(|record| {
            let stays = of_each.remove(&record.audience.id)?;
            Some((record, stays))
        })
        .collect();
    found.sort_by(|(one, _), (other, _)| one.audience.id.cmp(&other.audience.id));
    Ok(found)
}

/// What the consumer's own row tells: only its last change is kept.
fn marks(record: &ConsumerRecord) -> Vec<Mark> {
    let made = Mark {
        at: record.created_at,
        is_creation: true,
        by: record.created_by.clone(),
    };
    let changed = record.updated_at.map(|at| Mark {
        at,
        is_creation: false,
        by: record.updated_by.clone().unwrap_or_default(),
    });
    changed.into_iter().chain([made]).collect()
}
