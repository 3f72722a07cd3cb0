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
    pub base: Option<Option<PersonalText>>,
    /// What was sent to Klaviyo, of which no answer is known.
    pub in_flight: Option<Option<PersonalText>>,
    /// What was sent once without a known outcome: found in Klaviyo, it is our own.
    pub unknown: Option<Option<PersonalText>>,
    /// What Klaviyo has refused: it is not sent again.
    pub refused: Option<Option<PersonalText>>,
    /// When the last read began that found the base.
    pub unchanged_at: Option<Timestamp>,
    /// Who wrote it lately.
    pub turns: Turns,
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

    /// Whether a write is in flight, so that there can be no other.
    pub fn is_in_flight(&self) -> bool {
        self.fields
            .values()
            .any(|shared| shared.in_flight.is_some())
    }

    /// Whether a read is older than our own last write: it undoes nothing.
    fn is_stale(&self, read: &Read) -> bool {
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
