//! Erased people, and how a later pass knows them without knowing who they are.
//!
//! Of each value that names an erased person a keyed hash is kept. A pass hashes what its profiles have, and
//! passes over the people who are named: an erasure that the next sync undoes would be none.

use std::collections::BTreeSet;

use crate::ids::ProfileId;
use crate::profile::UsableProfile;
use crate::value::{Email, Phone};

/// A value by which a person is known in Klaviyo.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identifier {
    /// An e-mail address.
    Email(Email),
    /// A phone number.
    Phone(Phone),
    /// A Klaviyo profile.
    Profile(ProfileId),
}

impl Identifier {
    /// What is hashed: no two identifiers have the same bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let (kind, value) = match self {
            Self::Email(email) => ("email", email.as_str()),
            Self::Phone(phone) => ("phone", phone.as_str()),
            Self::Profile(profile) => ("profile", profile.as_str()),
        };
        format!("{kind}:{value}").into_bytes()
    }

    /// The identifiers of a profile.
    pub fn of(profile: &UsableProfile) -> impl Iterator<Item = Self> {
        let email = profile.email.clone().map(Self::Email);
        let phone = profile.phone.clone().map(Self::Phone);
        [Some(Self::Profile(profile.id.clone())), email, phone]
            .into_iter()
            .flatten()
    }
}

/// The keyed hash of an identifier of an erased person, as hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErasedHash(pub String);

impl std::fmt::Debug for ErasedHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasedHash(…)")
    }
}

/// Those identifiers of a page that name erased people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased(pub BTreeSet<Identifier>);

impl Erased {
    /// Whether this profile is an erased person's: its id or its e-mail names one, or its phone number does and no
    /// consumer has the profile. A number may be a family's, and the people who are here were not erased.
    pub fn names(&self, profile: &UsableProfile, is_linked: bool) -> bool {
        !self.0.is_empty()
            && Identifier::of(profile).any(|one| match one {
                Identifier::Phone(_) => !is_linked && self.0.contains(&one),
                Identifier::Email(_) | Identifier::Profile(_) => self.0.contains(&one),
            })
    }
}
