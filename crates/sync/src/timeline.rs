//! What happened around one consumer.

use std::collections::{HashMap, HashSet};

use fanfare_domain::delivery::{DeliveryFilter, Place};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::ConsumerRecord;
use fanfare_domain::timeline::{Mark, Moment, Stay, TimelineKey, page_of};

use crate::door::audiences_around;
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
        let mut by_hand = HashSet::new();
        for (around, stays) in audiences_around(unit.as_mut(), id).await? {
            let audience = around.audience;
            changes.extend(stays.iter().flat_map(Stay::changes));
            if around.source.is_none() {
                by_hand.insert(audience.id.clone());
            }
            audiences.insert(audience.id, audience.name);
        }
        let first = page.first as usize;
        let (moments, next) = page_of(&key, first, marks(&record), changes, deliveries);
        Ok(Timeline {
            moments,
            audiences,
            by_hand,
            next: next.map(|next| next.to_text()),
        })
    }
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
