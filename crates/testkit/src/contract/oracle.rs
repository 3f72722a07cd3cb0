//! The expected rows, computed a second time and as plainly as possible: one profile after the other, without
//! pages, and without [`fanfare_domain::page`].

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::profile::Profile;

use crate::build::profile;

/// How Klaviyo may spell an address; `LOCAL` stands for its local part.
const SPELLINGS: [&str; 5] = [
    " LOCAL@B\u{dc}CHER.example ",
    "LOCAL@xn--bcher-kva.example",
    "\u{202a}LOCAL@bu\u{308}cher.example\u{202c}",
    "LOCAL@B\u{fc}CHER\u{3002}EXAMPLE\u{200b}",
    "LOCAL@\u{ff22}\u{fc}\u{ad}cher.example",
];

/// Texts that are no addresses.
const BROKEN: [&str; 4] = [
    "not an address",
    "<e1@b\u{fc}cher.example>",
    "e1@b\u{fc}cher.example;",
    "e\u{200b}1@b\u{fc}cher.example",
];

/// One of the addresses, in the form that is stored.
pub(super) fn address(number: usize) -> String {
    format!("e{number}@b\u{fc}cher.example")
}

/// The e-mail of a profile.
#[derive(Debug, Clone)]
pub(super) enum GivenEmail {
    Absent,
    Broken,
    Address(String),
}

impl GivenEmail {
    pub(super) fn address(&self) -> Option<&String> {
        match self {
            Self::Address(address) => Some(address),
            Self::Absent | Self::Broken => None,
        }
    }
}

/// A profile as Klaviyo has it at one moment.
#[derive(Debug, Clone)]
pub(super) struct SentProfile {
    pub(super) id: String,
    pub(super) email: GivenEmail,
    pub(super) phone: Option<String>,
    pub(super) name: Option<String>,
    pub(super) updated: Option<i64>,
}

impl SentProfile {
    /// The profile as Klaviyo sends it: its e-mail in one of its spellings, and its name not in NFC.
    pub(super) fn profile(&self) -> Profile {
        let mut sent = match self.updated {
            None => profile(&self.id).never_updated(),
            Some(seconds) => profile(&self.id).updated(seconds),
        };
        match &self.email {
            GivenEmail::Absent => {}
            GivenEmail::Broken => sent = sent.email(self.one_of(&BROKEN)),
            GivenEmail::Address(address) => {
                let (local, _) = address.split_once('@').expect("an address");
                sent = sent.email(&self.one_of(&SPELLINGS).replace("LOCAL", local));
            }
        }
        if let Some(phone) = &self.phone {
            sent = sent.phone(phone);
        }
        if let Some(name) = &self.name {
            sent = sent.first_name(&name.replace('\u{e4}', "a\u{308}"));
        }
        sent.build()
    }

    /// One of the texts, always the same of a version of a profile.
    fn one_of(&self, texts: &[&'static str]) -> &'static str {
        let sum = self.id.bytes().map(usize::from).sum::<usize>();
        let version = self.updated.map_or(0, |updated| updated.unsigned_abs() + 1);
        let version = usize::try_from(version).expect("a small number");
        texts[(sum + version) % texts.len()]
    }

    fn stamp(&self) -> Stamp {
        (self.updated, self.id.clone())
    }
}

/// A profile's `updated` in seconds, and its id.
pub(super) type Stamp = (Option<i64>, String);

/// A consumer without our ids.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlainConsumer {
    pub(super) email: Option<String>,
    pub(super) phone: Option<(String, Stamp)>,
    pub(super) name: Option<(String, Stamp)>,
    pub(super) primary: Option<Stamp>,
    pub(super) profiles: BTreeSet<String>,
    /// The audiences that it is a member of.
    pub(super) lists: BTreeSet<String>,
}

/// The expected consumers of one organization.
#[derive(Default)]
pub(super) struct Oracle {
    consumers: Vec<PlainConsumer>,
    /// The consumer that each profile is linked to, and the latest `updated` that it came with.
    links: BTreeMap<String, (usize, Option<i64>)>,
}

impl Oracle {
    /// Applies a profile.
    pub(super) fn take(&mut self, seen: &SentProfile) {
        let Some(consumer) = self.consumer_of(seen) else {
            return;
        };
        let updated = self.links.get(&seen.id).and_then(|(_, updated)| *updated);
        self.links
            .insert(seen.id.clone(), (consumer, updated.max(seen.updated)));
        let consumer = &mut self.consumers[consumer];
        keep_latest(&mut consumer.phone, seen.phone.as_ref(), &seen.stamp());
        keep_latest(&mut consumer.name, seen.name.as_ref(), &seen.stamp());
    }

    /// Makes members of the consumers that these profiles are linked to now. Returns how many were none before.
    pub(super) fn join<'a>(&mut self, list: &str, ids: impl Iterator<Item = &'a String>) -> u64 {
        let mut added = 0;
        for id in ids {
            if let Some((consumer, _)) = self.links.get(id) {
                added += u64::from(self.consumers[*consumer].lists.insert(list.to_owned()));
            }
        }
        added
    }

    /// The index of the consumer that a profile belongs to, which may be new; `None` for a profile without one.
    fn consumer_of(&mut self, seen: &SentProfile) -> Option<usize> {
        let linked = self.links.get(&seen.id).map(|(consumer, _)| *consumer);
        let Some(address) = seen.email.address() else {
            if linked.is_none() && seen.phone.is_some() {
                self.consumers.push(PlainConsumer::default());
                return Some(self.consumers.len() - 1);
            }
            return linked;
        };
        let has_address = |consumer: &PlainConsumer| consumer.email.as_ref() == Some(address);
        if let Some(owner) = self.consumers.iter().position(has_address) {
            return Some(owner);
        }
        let is_alone = |consumer: &usize| {
            let others = self.links.iter().filter(|(id, _)| **id != seen.id);
            others.into_iter().all(|(_, (other, _))| other != consumer)
        };
        let consumer = linked.filter(is_alone).unwrap_or_else(|| {
            self.consumers.push(PlainConsumer::default());
            self.consumers.len() - 1
        });
        self.consumers[consumer].email = Some(address.clone());
        Some(consumer)
    }

    /// Reconciles the members at the end of a pass that saw these profiles. Returns how many were added and removed.
    pub(super) fn reconcile(&mut self, list: &str, seen: &BTreeSet<String>) -> (u64, u64) {
        let present: BTreeSet<usize> = seen
            .iter()
            .filter_map(|id| self.links.get(id))
            .map(|(consumer, _)| *consumer)
            .collect();
        let added = self.join(list, seen.iter());
        let mut removed = 0;
        for (index, consumer) in self.consumers.iter_mut().enumerate() {
            if !present.contains(&index) {
                removed += u64::from(consumer.lists.remove(list));
            }
        }
        (added, removed)
    }

    /// All consumers, in order.
    pub(super) fn consumers(&self) -> Vec<PlainConsumer> {
        let mut consumers = self.consumers.clone();
        for (id, (consumer, updated)) in &self.links {
            let consumer = &mut consumers[*consumer];
            consumer.profiles.insert(id.clone());
            consumer.primary = consumer.primary.clone().max(Some((*updated, id.clone())));
        }
        consumers.sort();
        consumers
    }
}

/// Replaces a value unless the present one has a later stamp.
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
