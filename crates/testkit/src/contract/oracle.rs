//! What profiles become, told once more and as plainly as possible: one profile after the other, no
//! pages, no sets, nothing of [`fanfare_domain::page`].

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::profile::Profile;

use crate::build::profile;

/// An e-mail as a profile may have it.
#[derive(Debug, Clone)]
pub(super) enum Given {
    Absent,
    Broken,
    Address(String),
}

impl Given {
    pub(super) fn address(&self) -> Option<&String> {
        match self {
            Self::Address(address) => Some(address),
            Self::Absent | Self::Broken => None,
        }
    }
}

/// A profile as it is seen once.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) id: String,
    pub(super) email: Given,
    pub(super) phone: Option<String>,
    pub(super) name: Option<String>,
    pub(super) updated: Option<i64>,
}

impl Seen {
    /// As Klaviyo would send it: in another case, with blanks around.
    pub(super) fn profile(&self) -> Profile {
        let mut sent = match self.updated {
            None => profile(&self.id).never_updated(),
            Some(seconds) => profile(&self.id).updated(seconds),
        };
        match &self.email {
            Given::Absent => {}
            Given::Broken => sent = sent.email("not an address"),
            Given::Address(address) => sent = sent.email(&format!(" {} ", address.to_uppercase())),
        }
        if let Some(phone) = &self.phone {
            sent = sent.phone(phone);
        }
        if let Some(name) = &self.name {
            sent = sent.first_name(name);
        }
        sent.build()
    }

    fn stamp(&self) -> Stamp {
        (self.updated, self.id.clone())
    }
}

/// A profile's `updated` in seconds, and its id.
pub(super) type Stamp = (Option<i64>, String);

/// A consumer by all that is not an id of ours.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Person {
    pub(super) email: Option<String>,
    pub(super) phone: Option<(String, Stamp)>,
    pub(super) name: Option<(String, Stamp)>,
    pub(super) primary: Option<Stamp>,
    pub(super) profiles: BTreeSet<String>,
    /// The lists it is a member of.
    pub(super) lists: BTreeSet<String>,
}

/// An organization.
#[derive(Default)]
pub(super) struct Oracle {
    people: Vec<Person>,
    /// Which person each profile is, and the latest `updated` it was seen with.
    links: BTreeMap<String, (usize, Option<i64>)>,
}

impl Oracle {
    /// Takes a profile.
    pub(super) fn take(&mut self, seen: &Seen) {
        let Some(person) = self.person(seen) else {
            return;
        };
        let updated = self.links.get(&seen.id).and_then(|(_, updated)| *updated);
        self.links
            .insert(seen.id.clone(), (person, updated.max(seen.updated)));
        let person = &mut self.people[person];
        keep_latest(&mut person.phone, seen.phone.as_ref(), &seen.stamp());
        keep_latest(&mut person.name, seen.name.as_ref(), &seen.stamp());
    }

    /// Makes members of those whom these profiles are, by now. Tells how many were none.
    pub(super) fn join<'a>(&mut self, list: &str, ids: impl Iterator<Item = &'a String>) -> u64 {
        let mut added = 0;
        for id in ids {
            if let Some((person, _)) = self.links.get(id) {
                added += u64::from(self.people[*person].lists.insert(list.to_owned()));
            }
        }
        added
    }

    /// Which one it is, or a new one, or nobody.
    fn person(&mut self, seen: &Seen) -> Option<usize> {
        let linked = self.links.get(&seen.id).map(|(person, _)| *person);
        let Some(address) = seen.email.address() else {
            if linked.is_none() && seen.phone.is_some() {
                self.people.push(Person::default());
                return Some(self.people.len() - 1);
            }
            return linked;
        };
        let bears = |person: &Person| person.email.as_ref() == Some(address);
        if let Some(owner) = self.people.iter().position(bears) {
            return Some(owner);
        }
        let is_alone = |person: &usize| {
            let others = self.links.iter().filter(|(id, _)| **id != seen.id);
            others.into_iter().all(|(_, (other, _))| other != person)
        };
        let person = linked.filter(is_alone).unwrap_or_else(|| {
            self.people.push(Person::default());
            self.people.len() - 1
        });
        self.people[person].email = Some(address.clone());
        Some(person)
    }

    /// The end of a complete pass that saw these profiles. Tells how many were added and removed.
    pub(super) fn settle(&mut self, list: &str, seen: &BTreeSet<String>) -> (u64, u64) {
        let there: BTreeSet<usize> = seen
            .iter()
            .filter_map(|id| self.links.get(id))
            .map(|(person, _)| *person)
            .collect();
        let added = self.join(list, seen.iter());
        let mut removed = 0;
        for (index, person) in self.people.iter_mut().enumerate() {
            if !there.contains(&index) {
                removed += u64::from(person.lists.remove(list));
            }
        }
        (added, removed)
    }

    /// Everybody, in order.
    pub(super) fn people(&self) -> Vec<Person> {
        let mut people = self.people.clone();
        for (id, (person, updated)) in &self.links {
            let person = &mut people[*person];
            person.profiles.insert(id.clone());
            person.primary = person.primary.clone().max(Some((*updated, id.clone())));
        }
        people.sort();
        people
    }
}

/// Takes a value unless the one there has a later stamp.
pub(super) fn keep_latest(
    held: &mut Option<(String, Stamp)>,
    value: Option<&String>,
    stamp: &Stamp,
) {
    let Some(value) = value else { return };
    if held.as_ref().is_none_or(|(_, by)| by <= stamp) {
        *held = Some((value.clone(), stamp.clone()));
    }
}
