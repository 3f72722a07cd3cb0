//! Audiences that are filled by hand: making them, and saying who is in them.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::audience::{Audience, GroupType, MAX_MEMBERS_AT_ONCE};
use fanfare_domain::ids::{AudienceId, ConsumerId, OrganizationId};
use fanfare_domain::ports::{AudienceRecord, UnitOfWork};

use crate::error::{Entity, Error, FieldViolation};
use crate::integration::Integration;
use crate::saving::queue_kept_lists;

/// An audience to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewAudience {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its icon.
    pub icon_name: Option<String>,
    /// Free data: JSON text by key.
    pub metadata: Option<BTreeMap<String, String>>,
    /// Its group.
    pub group_id: Option<String>,
    /// The group's name.
    pub group_name: Option<String>,
    /// The group's type.
    pub group_type: Option<GroupType>,
    /// Who makes it, for `createdBy`.
    pub actor: String,
}

/// What a change of members has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembersChanged {
    /// How many became members, or were.
    pub changed: u64,
    /// How many members there are now.
    pub count: u64,
}

/// The field that names consumers.
const CONSUMER_IDS: &str = "consumerIds";

impl Integration {
    /// Makes an audience that is filled by hand.
    pub async fn create_audience(
        &self,
        organization: &OrganizationId,
        new: NewAudience,
    ) -> Result<AudienceRecord, Error> {
        let audience = Audience {
            id: AudienceId::new(self.ports.ids.ulid()),
            source: None,
            name: new.name,
            named_by_hand: true,
            description: new.description,
            icon_name: new.icon_name,
            metadata: new.metadata,
            group_id: new.group_id,
            group_name: new.group_name,
            group_type: new.group_type,
            last_refreshed_at: None,
            refresh_interval_seconds: None,
            created_at: self.now(),
            created_by: new.actor,
            updated_at: None,
            updated_by: None,
            archived: false,
        };
        let mut unit = self.begin(organization).await?;
        unit.put_audience(&audience).await?;
        unit.commit().await?;
        Ok(AudienceRecord {
            audience,
            source: None,
        })
    }

    /// Makes consumers members of an audience that is filled by hand. Those who are members stay so. If one of them is not
    /// there, nobody is added.
    pub async fn add_members(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        consumers: &BTreeSet<ConsumerId>,
    ) -> Result<MembersChanged, Error> {
        let mut unit = self
            .begin_by_hand(organization, audience, consumers)
            .await?;
        let asked: Vec<ConsumerId> = consumers.iter().cloned().collect();
        let found = unit.consumers_of(&asked).await?.into_iter();
        let found: BTreeSet<ConsumerId> = found.map(|record| record.consumer.id).collect();
        let unknown = consumers.difference(&found).map(|id| FieldViolation {
            field: CONSUMER_IDS.to_owned(),
            message: format!("names {id}, and there is no such consumer"),
        });
        let unknown: Vec<FieldViolation> = unknown.collect();
        if !unknown.is_empty() {
            return Err(Error::Invalid(unknown));
        }
        let changed = unit.add_members(audience, &asked).await?;
        self.members_changed(unit, audience, changed).await
    }

    /// Takes consumers out of an audience that is filled by hand. Who is no member, or no consumer any more, is passed over.
    pub async fn remove_members(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        consumers: &BTreeSet<ConsumerId>,
    ) -> Result<MembersChanged, Error> {
        let mut unit = self
            .begin_by_hand(organization, audience, consumers)
            .await?;
        let asked: Vec<ConsumerId> = consumers.iter().cloned().collect();
        let changed = unit.remove_members(audience, &asked).await?;
        self.members_changed(unit, audience, changed).await
    }

    /// Begins to change who is in an audience that may be changed by hand.
    async fn begin_by_hand(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        consumers: &BTreeSet<ConsumerId>,
    ) -> Result<Box<dyn UnitOfWork>, Error> {
        if consumers.is_empty() || consumers.len() > MAX_MEMBERS_AT_ONCE {
            let message = format!("must name 1 to {MAX_MEMBERS_AT_ONCE} consumers");
            return Err(Error::invalid(CONSUMER_IDS, message));
        }
        let mut unit = self.begin(organization).await?;
        let record = unit.audience(audience).await?;
        let record = record.ok_or(Error::NotFound(Entity::Audience))?;
        if record.source.is_some() {
            return Err(Error::Synced);
        }
        if record.audience.archived {
            return Err(Error::Archived);
        }
        Ok(unit)
    }

    async fn members_changed(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        audience: &AudienceId,
        changed: u64,
    ) -> Result<MembersChanged, Error> {
        let count = unit.member_count(audience).await?;
        if changed > 0 {
            queue_kept_lists(unit.as_mut()).await?;
        }
        unit.commit().await?;
        Ok(MembersChanged { changed, count })
    }
}
