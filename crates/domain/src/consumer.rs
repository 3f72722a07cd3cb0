//! Consumers, and their links to Klaviyo profiles. How values of several profiles become one is in
//! [`crate::merge`].

use crate::consent::{Consents, KnownConsents};
use crate::ids::{ConsumerId, ProfileId, SourceId};
use crate::merge::merge_edited;
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
    /// When values were changed in Fanfare itself.
    pub edited: Edited,
    /// How far the person lets themselves be written to.
    pub consents: KnownConsents,
}

/// When values of a consumer were last changed in Fanfare, by a person or another service. `None` for a value that a profile
/// has written since, or that nobody has changed. A value that is edited and not there was emptied on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Edited {
    /// Of the phone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Timestamp>,
    /// Of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub full_name: Option<Timestamp>,
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
            edited: Edited {
                phone: None,
                full_name: None,
            },
            consents: KnownConsents::new(),
        }
    }

    /// Merges a profile's name and phone number. E-mail and primary are decided elsewhere: by
    /// [`crate::identity`] and by the links.
    pub fn merge_values(&mut self, profile: &UsableProfile) {
        let stamp = profile.stamp();
        let (name, phone) = (profile.full_name.clone(), profile.phone.clone());
        let edited = &mut self.edited;
        merge_edited(&mut self.full_name, &mut edited.full_name, name, &stamp);
        merge_edited(&mut self.phone, &mut edited.phone, phone, &stamp);
    }

    /// Keeps a name that somebody has given in Fanfare; `None` empties it.
    pub fn edit_full_name(&mut self, name: Option<FullName>, at: Timestamp) {
        self.full_name = name.map(|value| Stamped { value, by: None });
        self.edited.full_name = Some(at);
    }

    /// Keeps a phone number that somebody has given in Fanfare; `None` empties it.
    pub fn edit_phone(&mut self, phone: Option<Phone>, at: Timestamp) {
        self.phone = phone.map(|value| Stamped { value, by: None });
        self.edited.phone = Some(at);
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
        let consents = |of: &Self| of.consents.get().unwrap_or(Consents::UNKNOWN);
        self.email == other.email
            && consents(self) == consents(other)
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
