//! What is remembered of one person whom both sides write.

use std::collections::BTreeMap;

use super::{ContactField, Decision, Ours, Rule, Side, Theirs, Turns, decide};
use crate::ids::ProfileId;
use crate::time::Timestamp;
use crate::writing::PersonalText;

/// What is remembered of one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shared {
    /// What both sides last agreed on; `None` before they ever did.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stated")]
    pub base: Option<Option<PersonalText>>,
    /// What was sent to Klaviyo, of which no answer is known.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stated")]
    pub in_flight: Option<Option<PersonalText>>,
    /// What was sent once without a known outcome: found in Klaviyo, it is our own.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stated")]
    pub unknown: Option<Option<PersonalText>>,
    /// What Klaviyo has refused: it is not sent again.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stated")]
    pub refused: Option<Option<PersonalText>>,
    /// When the last read began that found the base.
    pub unchanged_at: Option<Timestamp>,
    /// Who wrote it lately.
    pub turns: Turns,
}

/// A value that may be stated to be blank, which is more than not to be stated: without this serde reads both as the same.
#[expect(
    clippy::option_option,
    reason = "not to be stated is the one, to be stated to be blank the other"
)]
mod stated {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
    pub(super) fn serialize<T: Serialize, S: Serializer>(
        stated: &Option<Option<T>>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        stated.as_ref().and_then(Option::as_ref).serialize(to)
    }

    pub(super) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Option<T>>, D::Error> {
        Option::<T>::deserialize(from).map(Some)
    }
}

/// A complete read of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// When the request began, by our clock.
    pub began_at: Timestamp,
    /// The profile that answered; it may be another one than was asked for, after a merge.
    pub profile: ProfileId,
    /// The profile's `updated`, by Klaviyo's clock.
    pub updated: Option<Timestamp>,
    /// The values. A field that is not here was not asked for.
    pub values: BTreeMap<ContactField, Option<PersonalText>>,
}

/// How a write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Klaviyo has done it. `updated` is what its answer shows.
    Done {
        /// The profile's `updated` after it, by Klaviyo's clock.
        updated: Option<Timestamp>,
    },
    /// Klaviyo refused the values of these fields, and has done nothing.
    Refused(Vec<ContactField>),
    /// Klaviyo has certainly done nothing.
    NotDone,
    /// It is not known. The same is sent again.
    Unknown,
}

/// One person in Klaviyo, as far as both sides write them.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Contact {
    /// The linked profile.
    pub profile: ProfileId,
    /// What is remembered of each field.
    pub fields: BTreeMap<ContactField, Shared>,
    /// When the last try of a write ended, with or without an answer, by our clock.
    tried_at: Option<Timestamp>,
    /// The profile's `updated` after the last write, by Klaviyo's clock.
    written: Option<Timestamp>,
}

impl Contact {
    /// A person whose profile was just linked: nothing was agreed on.
    pub const fn new(profile: ProfileId) -> Self {
        Self {
            profile,
            fields: BTreeMap::new(),
            tried_at: None,
            written: None,
        }
    }

    /// Whether nothing is remembered but the profile, as of somebody whom a push has found or made: nobody has edited them since
    /// contacts were switched on. A pass takes such a person as one of whom there is no contact, so that what was changed here before
    /// is not sent by itself.
    pub fn is_only_linked(&self) -> bool {
        self.fields
            .values()
            .all(|shared| *shared == Shared::default())
    }

    /// Whether a write is in flight, so that there can be no other.
    pub fn is_in_flight(&self) -> bool {
        self.fields
            .values()
            .any(|shared| shared.in_flight.is_some())
    }

    /// A person of whom Klaviyo has just made a profile with these values.
    pub fn created(
        profile: ProfileId,
        sent: BTreeMap<ContactField, Option<PersonalText>>,
        updated: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let mut contact = Self::new(profile);
        for (field, value) in sent {
            contact.fields.entry(field).or_default().in_flight = Some(value);
        }
        contact.ended(&Outcome::Done { updated }, now);
        contact
    }

    /// What is in flight.
    pub fn in_flight(&self) -> BTreeMap<ContactField, Option<PersonalText>> {
        let sent =
            |(field, shared): (&ContactField, &Shared)| Some((*field, shared.in_flight.clone()?));
        self.fields.iter().filter_map(sent).collect()
    }

    /// Whether a field is left alone now, because both sides keep writing it.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.fields.values().any(|shared| shared.turns.is_held(now))
    }

    /// Whether it holds what the other does not. That the base was found once more is not worth writing down: a pass that
    /// changes nothing writes nothing.
    pub fn says_more_than(&self, other: &Self) -> bool {
        let plain = |contact: &Self| {
            let mut contact = contact.clone();
            for shared in contact.fields.values_mut() {
                shared.unchanged_at = None;
            }
            contact
                .fields
                .retain(|_, shared| *shared != Shared::default());
            contact
        };
        plain(self) != plain(other)
    }

    /// Takes in that Klaviyo refused these fields alone; the rest is still in flight.
    pub fn refused_alone(&mut self, fields: &[ContactField]) {
        for (field, shared) in &mut self.fields {
            if fields.contains(field) && shared.in_flight.is_some() {
                shared.refused = shared.in_flight.take();
            }
        }
    }

    /// Whether a read is older than our own last write: it undoes nothing.
    pub fn is_stale(&self, read: &Read) -> bool {
        let is_earlier = self.tried_at.is_some_and(|at| read.began_at <= at);
        // Both times are Klaviyo's own, of which reads show whole seconds.
        let is_older = match (read.updated, self.written) {
            (Some(read), Some(written)) => read.whole_second() < written.whole_second(),
            _ => false,
        };
        is_earlier || is_older
    }

    /// Whether a write is in flight and all of its values are there.
    fn has_arrived(&self, read: &Read) -> bool {
        let mut sent = self
            .fields
            .iter()
            .filter_map(|(field, shared)| Some((field, shared.in_flight.as_ref()?)));
        self.is_in_flight() && sent.all(|(field, sent)| read.values.get(field) == Some(sent))
    }

    /// Takes in a read: what is in flight and agreed on has arrived, so that the caller sends it no more. The first value
    /// says what is to be done about each field, other than nothing. What is agreed is remembered here; what
    /// is pulled the caller makes ours in the same transaction; what is pushed is in flight
    /// from now on. The second value are the fields that are left alone from now on, because both sides keep writing them.
    pub fn read(
        &mut self,
        read: &Read,
        ours: &BTreeMap<ContactField, Ours>,
        rule: impl Fn(ContactField) -> Rule,
        now: Timestamp,
    ) -> (Vec<(ContactField, Decision)>, Vec<ContactField>) {
        self.take_in(read, ours, rule, now, true)
    }

    /// The same for who does not write to Klaviyo: a value that has to be pushed is not in flight. The caller makes sure that
    /// somebody comes who looks again and writes.
    pub fn observe(
        &mut self,
        read: &Read,
        ours: &BTreeMap<ContactField, Ours>,
        rule: impl Fn(ContactField) -> Rule,
        now: Timestamp,
    ) -> Vec<(ContactField, Decision)> {
        self.take_in(read, ours, rule, now, false).0
    }

    fn take_in(
        &mut self,
        read: &Read,
        ours: &BTreeMap<ContactField, Ours>,
        rule: impl Fn(ContactField) -> Rule,
        now: Timestamp,
        writes: bool,
    ) -> (Vec<(ContactField, Decision)>, Vec<ContactField>) {
        if read.profile != self.profile {
            // A merge: nothing was agreed on with the profile that is left.
            *self = Self::new(read.profile.clone());
        }
        let (mut decisions, mut held) = (Vec::new(), Vec::new());
        if self.is_stale(read) {
            return (decisions, held);
        }
        // A write is done as a whole: only all of its values together show that it arrived although its answer is lost.
        if self.has_arrived(read) {
            for (field, shared) in &mut self.fields {
                if let Some(sent) = shared.in_flight.take() {
                    decisions.push((*field, Decision::Agree(sent.clone())));
                    (shared.base, shared.unknown) = (Some(sent), None);
                    shared.unchanged_at = Some(read.began_at);
                }
            }
        }
        let was_in_flight = self.is_in_flight();
        for (field, value) in &read.values {
            let Some(ours) = ours.get(field) else {
                continue;
            };
            let shared = self.fields.entry(*field).or_default();
            if shared.turns.is_held(now) {
                continue;
            }
            if shared.in_flight.is_none() && shared.unknown.as_ref() == Some(value) {
                shared.base = shared.unknown.take();
            }
            let theirs = Theirs {
                value: value.clone(),
                changed_by: read.updated,
                unchanged_at: shared.unchanged_at,
            };
            let mut decision = decide(shared, ours, &theirs, rule(*field), now);
            if shared.base.as_ref() == Some(value) {
                shared.unchanged_at = Some(read.began_at);
            }
            match &decision {
                Decision::Nothing => {}
                Decision::Agree(value) => {
                    shared.base = Some(value.clone());
                    shared.unknown = None;
                    shared.unchanged_at = Some(read.began_at);
                }
                Decision::Pull(value) => {
                    shared.base = Some(Some(value.clone()));
                    shared.unchanged_at = Some(read.began_at);
                    if shared.turns.note(Side::Klaviyo, now) {
                        held.push(*field);
                    }
                }
                Decision::Push(_) if was_in_flight => decision = Decision::Nothing,
                Decision::Push(_) if !writes => {}
                Decision::Push(value) => {
                    shared.in_flight = Some(value.clone());
                    if shared.turns.note(Side::Fanfare, now) {
                        held.push(*field);
                    }
                }
            }
            if decision != Decision::Nothing {
                decisions.push((*field, decision));
            }
        }
        (decisions, held)
    }

    /// Takes in how the write that is in flight ended.
    pub fn ended(&mut self, outcome: &Outcome, now: Timestamp) {
        self.tried_at = Some(now);
        match outcome {
            Outcome::Unknown => {
                for shared in self.fields.values_mut() {
                    if shared.in_flight.is_some() {
                        shared.unknown.clone_from(&shared.in_flight);
                    }
                }
            }
            Outcome::NotDone => {
                for shared in self.fields.values_mut() {
                    shared.in_flight = None;
                }
            }
            Outcome::Refused(fields) => {
                for (field, shared) in &mut self.fields {
                    let sent = shared.in_flight.take();
                    if fields.contains(field) && sent.is_some() {
                        shared.refused = sent;
                    }
                }
            }
            Outcome::Done { updated } => {
                for shared in self.fields.values_mut() {
                    if let Some(sent) = shared.in_flight.take() {
                        shared.base = Some(sent);
                        (shared.refused, shared.unknown) = (None, None);
                        shared.unchanged_at = Some(now);
                    }
                }
                self.written = updated.or(self.written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blank_that_was_agreed_on_comes_back_from_its_column() {
        let mut contact = Contact::new(ProfileId::parse("P1").unwrap());
        contact.fields.insert(
            ContactField::Phone,
            Shared {
                base: Some(None),
                refused: Some(Some(PersonalText::new("x"))),
                ..Shared::default()
            },
        );
        let json = serde_json::to_string(&contact).unwrap();
        let back: Contact = serde_json::from_str(&json).unwrap();
        assert_eq!(back, contact, "{json}");
        assert_eq!(back.fields[&ContactField::Phone].in_flight, None);
    }
}
