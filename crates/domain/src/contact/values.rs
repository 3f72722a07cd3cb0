//! The values of a consumer and of a profile, field by field.

use std::collections::BTreeMap;

use super::{Contact, ContactField, Ours, Read};
use crate::consumer::{Consumer, Edited, Stamped};
use crate::ids::ProfileId;
use crate::issue::Field;
use crate::profile::UsableProfile;
use crate::time::Timestamp;
use crate::value::FullName;
use crate::writing::PersonalText;

impl From<&FullName> for PersonalText {
    fn from(name: &FullName) -> Self {
        Self::new(name.as_str())
    }
}

/// A consumer's values, as they are compared with a profile's.
pub fn ours_of(consumer: &Consumer) -> BTreeMap<ContactField, Ours> {
    let Edited { phone, full_name } = consumer.edited;
    BTreeMap::from([
        (
            ContactField::FullName,
            ours(consumer.full_name.as_ref(), full_name),
        ),
        (ContactField::Phone, ours(consumer.phone.as_ref(), phone)),
    ])
}

fn ours<T>(held: Option<&Stamped<T>>, edited: Option<Timestamp>) -> Ours
where
    for<'a> PersonalText: From<&'a T>,
{
    let by = held.and_then(|held| held.by.as_ref());
    let read_at = by.and_then(|stamp| stamp.updated);
    Ours {
        value: held.map(|held| PersonalText::from(&held.value)),
        changed_at: edited.or(read_at).unwrap_or(Timestamp::EPOCH),
        is_cleared: held.is_none() && edited.is_some(),
    }
}

impl Contact {
    /// A consumer whose values are about to be changed in Fanfare for the first time: what its primary profile has written is
    /// what both sides have. `None` if no profile is linked.
    pub fn before_edit(consumer: &Consumer) -> Option<Self> {
        let profile = &consumer.primary.as_ref()?.stamp.profile;
        let mut contact = Self::new(profile.clone());
        let name = base(consumer.full_name.as_ref(), profile);
        let phone = base(consumer.phone.as_ref(), profile);
        for (field, base) in [(ContactField::FullName, name), (ContactField::Phone, phone)] {
            if base.is_some() {
                contact.fields.entry(field).or_default().base = Some(base);
            }
        }
        Some(contact)
    }
}

fn base<T>(held: Option<&Stamped<T>>, profile: &ProfileId) -> Option<PersonalText>
where
    for<'a> PersonalText: From<&'a T>,
{
    let held = held?;
    let is_theirs = held
        .by
        .as_ref()
        .is_some_and(|stamp| stamp.profile == *profile);
    is_theirs.then(|| PersonalText::from(&held.value))
}

impl Read {
    /// What was read of a profile, by a request that began at this time. A value that cannot be used is none of the values: what we
    /// cannot read we do not overwrite either.
    pub fn of(profile: &UsableProfile, began_at: Timestamp) -> Self {
        let broken = |fields: &[Field]| {
            let of = |field| fields.contains(&field);
            profile.issues.iter().any(|kind| kind.field.is_some_and(of))
        };
        let mut values = BTreeMap::new();
        if !broken(&[Field::FirstName, Field::LastName]) {
            let name = profile.full_name.as_ref().map(PersonalText::from);
            values.insert(ContactField::FullName, name);
        }
        if !broken(&[Field::PhoneNumber]) {
            let phone = profile.phone.as_ref().map(PersonalText::from);
            values.insert(ContactField::Phone, phone);
        }
        Self {
            began_at,
            profile: profile.id.clone(),
            updated: profile.updated,
            values,
        }
    }
}

impl Consumer {
    /// Makes a profile's value of a field the consumer's.
    pub fn pull(&mut self, field: ContactField, profile: &UsableProfile) {
        let by = Some(profile.stamp());
        match field {
            ContactField::FullName => {
                let name = profile.full_name.clone();
                self.full_name = name.map(|value| Stamped { value, by });
                self.edited.full_name = None;
            }
            ContactField::Phone => {
                let phone = profile.phone.clone();
                self.phone = phone.map(|value| Stamped { value, by });
                self.edited.phone = None;
            }
        }
    }

    /// Takes of a profile only what the consumer has nothing of, and was not emptied on purpose.
    pub fn fill_blanks(&mut self, profile: &UsableProfile) {
        if self.full_name.is_none() && self.edited.full_name.is_none() {
            self.pull(ContactField::FullName, profile);
        }
        if self.phone.is_none() && self.edited.phone.is_none() {
            self.pull(ContactField::Phone, profile);
        }
    }
}
