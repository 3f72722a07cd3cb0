//! By what Klaviyo recognises a person.

use std::fmt;

use crate::ids::ProfileId;
use crate::value::{Email, Phone};

/// A text about a person, exactly as it is sent. Logs must not hold it, so it does not show in `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct PersonalText(String);

impl PersonalText {
    /// This text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PersonalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalText(…)")
    }
}

impl From<&Email> for PersonalText {
    fn from(email: &Email) -> Self {
        Self::new(email.as_str())
    }
}

impl From<&Phone> for PersonalText {
    fn from(phone: &Phone) -> Self {
        Self::new(phone.as_str())
    }
}

/// The identifiers under which a write reaches a person. They are frozen with the write: Klaviyo recognises an
/// event that is sent again only if it names the same profile.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PersonIds {
    /// Klaviyo's id of the profile, which it prefers to all others.
    pub profile: Option<ProfileId>,
    /// `email`
    pub email: Option<PersonalText>,
    /// `phone_number`
    pub phone: Option<PersonalText>,
    /// `external_id`: the consumer's id.
    pub external_id: Option<PersonalText>,
}

impl PersonIds {
    /// Whether Klaviyo can find or make a profile by them.
    pub const fn is_empty(&self) -> bool {
        self.profile.is_none()
            && self.email.is_none()
            && self.phone.is_none()
            && self.external_id.is_none()
    }
}
