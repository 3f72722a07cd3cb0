//! The door: membership, answered from our own rows.

mod together;

use fanfare_domain::door::{Asked, People};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId};
use fanfare_domain::time::Timestamp;

use crate::error::{Entity, Error};
use crate::integration::Integration;

pub(crate) use together::DoorQueues;

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

impl Integration {
    /// Which of these people are members of the audience.
    pub async fn check(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        asked: &Asked,
    ) -> Result<Check, Error> {
        let read = self.read_door(organization, audience, asked).await?;
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
}
