//! The door: membership, answered from our own rows.

use std::collections::HashMap;

use fanfare_domain::door::{Asked, People};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{AudienceRecord, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::timeline::Stay;

use crate::error::{Entity, Error};
use crate::integration::Integration;

/// The answer to a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// When a run of the audience last succeeded.
    pub as_of: Option<Timestamp>,
    /// Whether the members may be further behind the list than the interval allows.
    pub is_stale: bool,
    /// For each text, in the order asked, the member whom it names.
    pub members: Vec<Option<ConsumerId>>,
}

/// Audiences that are read at once where all are looked through.
const AUDIENCES_AT_ONCE: u32 = 500;

impl Integration {
    /// Which of these people are members of the audience.
    pub async fn check(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        asked: &Asked,
    ) -> Result<Check, Error> {
        let mut unit = self.ports.store.door(organization).await?;
        let read = unit.members_among(audience, &asked.people()).await?;
        let read = read.ok_or(Error::NotFound(Entity::Audience))?;
        Ok(Check {
            as_of: read.freshness.last_synced_at,
            is_stale: read.freshness.is_stale(self.intervals, self.now()),
            members: asked.answers(&read.members),
        })
    }

    /// Whether a consumer is a member of the audience.
    pub async fn is_member(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        consumer: &ConsumerId,
    ) -> Result<bool, Error> {
        let mut unit = self.read(organization).await?;
        let people = People::Consumers(vec![consumer.clone()]);
        let read = unit.members_among(audience, &people).await?;
        let read = read.ok_or(Error::NotFound(Entity::Audience))?;
        if read.members.is_empty() && unit.consumer(consumer).await?.is_none() {
            return Err(Error::NotFound(Entity::Consumer));
        }
        Ok(!read.members.is_empty())
    }

    /// The audiences that a consumer is a member of, oldest first.
    pub async fn audiences_of(
        &self,
        organization: &OrganizationId,
        consumer: &ConsumerId,
    ) -> Result<Vec<AudienceRecord>, Error> {
        let mut unit = self.read(organization).await?;
        let mut found = Vec::new();
        for (record, stays) in audiences_around(unit.as_mut(), consumer).await? {
            if stays.iter().any(|stay| stay.ended.is_none()) {
                found.push(record);
            }
        }
        Ok(found)
    }
}

/// The unarchived audiences that a consumer is or was a member of, oldest first, each with those memberships.
pub(crate) async fn audiences_around(
    unit: &mut dyn UnitOfWork,
    consumer: &ConsumerId,
) -> Result<Vec<(AudienceRecord, Vec<Stay>)>, StoreError> {
    let mut page = PageRequest {
        first: AUDIENCES_AT_ONCE,
        after: None,
    };
    let mut found = Vec::new();
    loop {
        let read = unit.audiences(&page).await?;
        page.after = read.end().map(str::to_owned);
        let ids = read.items.iter().map(|record| record.audience.id.clone());
        let ids: Vec<AudienceId> = ids.collect();
        let mut of_each: HashMap<AudienceId, Vec<Stay>> = HashMap::new();
        for stay in unit.memberships_of(&ids, consumer).await? {
            of_each.entry(stay.audience.clone()).or_default().push(stay);
        }
        found.extend(read.items.into_iter().filter_map(|record| {
            let stays = of_each.remove(&record.audience.id)?;
            Some((record, stays))
        }));
        if page.after.is_none() {
            return Ok(found);
        }
    }
}
