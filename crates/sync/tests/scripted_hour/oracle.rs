//! Who has to be in an audience, by a look at Klaviyo alone.
//!
//! A person is named by the last e-mail that a profile had, in Klaviyo's order of time, or by its number if it never had
//! one: a blank wipes nothing, and the consumer bears the e-mail. Nobody in these lists has an e-mail that is no address,
//! and nobody in them an e-mail that another has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fanfare_domain::time::Timestamp;
use fanfare_klaviyo_sim::{AccountHandle, Profile};

/// The persons of a list or audience.
pub(crate) type Persons = BTreeSet<String>;

/// What the profiles were called last.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    fn of(&mut self, profile: &Profile) -> String {
        let text = |text: &Option<String>| {
            let text = text.as_deref().unwrap_or_default().trim().to_lowercase();
            Some(text).filter(|text| !text.is_empty())
        };
        let known = self.0.get(&profile.id).cloned();
        let name = text(&profile.email)
            .or(known)
            .or(text(&profile.phone_number));
        let name = name.unwrap_or_else(|| panic!("{} was never anybody", profile.id));
        self.0.insert(profile.id.clone(), name.clone());
        name
    }

    /// The persons in a list or segment now.
    pub(crate) fn in_collection(&mut self, account: &AccountHandle, id: &str) -> Persons {
        let members = account.members(id).unwrap();
        members
            .iter()
            .map(|member| self.of(&member.profile))
            .collect()
    }
}

/// Since when persons are in a list, and until when they were.
#[derive(Default)]
pub(crate) struct Presence {
    since: BTreeMap<String, Timestamp>,
    until: BTreeMap<String, Timestamp>,
}

impl Presence {
    /// Notes who is in the list at a time.
    pub(crate) fn note(&mut self, at: Timestamp, persons: &Persons) {
        self.since.retain(|person, _| persons.contains(person));
        for person in persons {
            self.since.entry(person.clone()).or_insert(at);
            self.until.insert(person.clone(), at);
        }
    }

    /// Who has been in it since a time without a break.
    pub(crate) fn all_since(&self, time: Timestamp) -> Persons {
        let all = self.since.iter().filter(|(_, since)| **since <= time);
        all.map(|(person, _)| person.clone()).collect()
    }

    /// Who was in it at some moment since a time.
    pub(crate) fn any_since(&self, time: Timestamp) -> Persons {
        let any = self.until.iter().filter(|(_, until)| **until >= time);
        any.map(|(person, _)| person.clone()).collect()
    }
}

/// Who was in a list while it was read.
pub(crate) struct Seen {
    /// All the time.
    pub(crate) always: Persons,
    /// At some moment.
    pub(crate) ever: Persons,
}

impl Seen {
    pub(crate) fn at_first(persons: Persons) -> Self {
        Self {
            always: persons.clone(),
            ever: persons,
        }
    }

    pub(crate) fn then(&mut self, persons: Persons) {
        self.always.retain(|person| persons.contains(person));
        self.ever.extend(persons);
    }
}
