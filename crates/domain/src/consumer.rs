//! Consumers, and the merge of values from several Klaviyo profiles into one.
//!
//! Every value remembers the [`Stamp`] that wrote it, and a later stamp replaces an earlier one.
//! The merge is therefore a maximum: commutative, associative and idempotent. The result does not depend
//! on the order of pages, on the number of partitions, or on pages that are read again.

use crate::ids::{ConsumerId, ProfileId, SourceId};
use crate::profile::UsableProfile;
use crate::time::Timestamp;
use crate::value::{Email, FullName, Phone};

/// Which profile wrote a value, and when that profile had last changed in Klaviyo. Ordered by
/// time, then by id bytewise; an unknown time is the earliest.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The profile's `updated`.
    pub updated: Option<Timestamp>,
    /// The profile's id.
    pub profile: ProfileId,
}

/// A value and the stamp of the profile that wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped<T> {
    /// The value.
    pub value: T,
    /// The stamp of the profile that wrote it; `None` for a value that did not come from Klaviyo, which any
    /// profile replaces.
    pub by: Option<Stamp>,
}

/// Takes `value` if its stamp is not earlier than the stamp of the value there. An absent value never
/// deletes one.
pub fn merge<T>(slot: &mut Option<Stamped<T>>, value: Option<T>, stamp: &Stamp) {
    let Some(value) = value else { return };
    let is_later = slot
        .as_ref()
        .is_none_or(|held| held.by.as_ref() <= Some(stamp));
    if is_later {
        *slot = Some(Stamped {
            value,
            by: Some(stamp.clone()),
        });
    }
}

/// The primary profile of a consumer: the latest of those that are linked to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Primary {
    /// The profile and its time.
    pub stamp: Stamp,
    /// The sync source that is its link.
    pub source: SourceId,
}

/// What a sync reads and decides of a consumer. A sync leaves everything else that Fanfare stores of one
/// unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// Our id.
    pub id: ConsumerId,
    /// The address that identifies it; unique in the organization.
    pub email: Option<Email>,
    /// Its phone number.
    pub phone: Option<Stamped<Phone>>,
    /// Its name.
    pub full_name: Option<Stamped<FullName>>,
    /// Its primary profile; `None` if no profile is linked.
    pub primary: Option<Primary>,
}

impl Consumer {
    /// A consumer without any values.
    pub const fn new(id: ConsumerId) -> Self {
        Self {
            id,
            email: None,
            phone: None,
            full_name: None,
            primary: None,
        }
    }

    /// Merges a profile's name and phone number. E-mail and primary are decided elsewhere: by
    /// [`crate::identity`] and by the links.
    pub fn merge_values(&mut self, profile: &UsableProfile) {
        let stamp = profile.stamp();
        merge(&mut self.full_name, profile.full_name.clone(), &stamp);
        merge(&mut self.phone, profile.phone.clone(), &stamp);
    }

    /// Whether a user sees no difference between the two: they have the same values and the same primary
    /// profile. Stamps are not shown to users.
    pub fn looks_like(&self, other: &Self) -> bool {
        fn values<T>(stamped: Option<&Stamped<T>>) -> Option<&T> {
            stamped.map(|stamped| &stamped.value)
        }
        fn primary(of: &Consumer) -> Option<&ProfileId> {
            of.primary.as_ref().map(|primary| &primary.stamp.profile)
        }
        self.email == other.email
            && values(self.phone.as_ref()) == values(other.phone.as_ref())
            && values(self.full_name.as_ref()) == values(other.full_name.as_ref())
            && primary(self) == primary(other)
    }
}

impl UsableProfile {
    /// The stamp that this profile's values carry.
    pub fn stamp(&self) -> Stamp {
        Stamp {
            updated: self.updated,
            profile: self.id.clone(),
        }
    }
}

/// The link of one profile to one consumer: Fanfare's `klaviyo:profile` sync source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileLink {
    /// The link's own id, as a sync source.
    pub source: SourceId,
    /// Klaviyo's profile.
    pub profile: ProfileId,
    /// The one consumer it is linked to.
    pub consumer: ConsumerId,
    /// The latest `updated` the profile was seen with.
    pub updated: Option<Timestamp>,
    /// When the profile last changed the consumer (`lastSyncedAt` of the sync source).
    pub changed_at: Timestamp,
}

impl ProfileLink {
    fn stamp(&self) -> Stamp {
        Stamp {
            updated: self.updated,
            profile: self.profile.clone(),
        }
    }
}

/// The primary among a consumer's links: the latest by stamp.
pub fn primary_of<'a>(links: impl IntoIterator<Item = &'a ProfileLink>) -> Option<Primary> {
    links
        .into_iter()
        .map(|link| Primary {
            stamp: link.stamp(),
            source: link.source.clone(),
        })
        .max_by(|a, b| a.stamp.cmp(&b.stamp))
}
