//! Consumers, and their links to Klaviyo profiles. How values of several profiles become one is in
//! [`crate::merge`].

use crate::ids::{ConsumerId, ProfileId, SourceId};
pub use crate::merge::{Primary, Stamp, Stamped, merge, primary_of};
use crate::profile::UsableProfile;
use crate::time::Timestamp;
use crate::value::{Email, FullName, Phone};

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
    /// The stamp with which the profile stands for the consumer.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            updated: self.updated,
            profile: self.profile.clone(),
        }
    }
}
