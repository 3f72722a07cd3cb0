//! What is changed of a profile.

use std::collections::BTreeMap;

use super::{JsonValue, PersonIds, PersonalText};
use crate::ids::ProfileId;
use crate::profile::{Attribute, Profile};
use crate::time::Timestamp;

/// What becomes of one value.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Change<T> {
    /// It is not sent, and stays as it is.
    #[default]
    Keep,
    /// It becomes this.
    Set(T),
    /// It is emptied, because somebody emptied it.
    Clear,
}

impl<T> Change<T> {
    /// Whether nothing is sent.
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

/// The values of a profile that are changed. The e-mail is not among them: it is whom they mail, and no change of
/// ours moves it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProfileChanges {
    /// `phone_number`
    pub phone: Change<PersonalText>,
    /// `first_name`
    pub first_name: Change<PersonalText>,
    /// `last_name`
    pub last_name: Change<PersonalText>,
    /// `external_id`, where the profile has none.
    pub external_id: Change<PersonalText>,
    /// Custom properties by name. Those that are not named stay.
    pub properties: BTreeMap<String, Change<JsonValue>>,
}

impl ProfileChanges {
    /// Whether nothing would be sent.
    pub fn is_empty(&self) -> bool {
        let texts = [
            &self.phone,
            &self.first_name,
            &self.last_name,
            &self.external_id,
        ];
        texts.into_iter().all(Change::is_keep) && self.properties.values().all(Change::is_keep)
    }

    /// Whether it empties something. An import job ignores that, so such a change is sent by itself.
    pub fn clears(&self) -> bool {
        let texts = [
            &self.phone,
            &self.first_name,
            &self.last_name,
            &self.external_id,
        ];
        texts.into_iter().any(|change| *change == Change::Clear)
            || self
                .properties
                .values()
                .any(|change| *change == Change::Clear)
    }
}

/// A profile that is made, or changed if there is one with an identifier of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ProfileUpsert {
    /// By what it is found. What of it the changes name again, the changes decide.
    pub person: PersonIds,
    /// Its values.
    pub changes: ProfileChanges,
}

/// A profile after a write, as the answer shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenProfile {
    /// Klaviyo's id.
    pub id: ProfileId,
    /// Whether it was made by this write.
    pub is_new: bool,
    /// When it last changed, by Klaviyo's clock; `None` if the answer held no readable time.
    pub updated: Option<Timestamp>,
}

/// A profile that was looked for before a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProfile {
    /// Its values.
    pub profile: Profile,
    /// `external_id`: one that is there is never overwritten.
    pub external_id: Attribute,
}
