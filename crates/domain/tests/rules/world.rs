//! The smallest store that can carry out plans. It refuses everything that a database's keys would refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::issue::{IssueCode, IssueKind};
use fanfare_domain::page::{Known, PagePlan, SeenProfile, Tally, keys, plan, plan_changes};
use fanfare_domain::ports::Ids;
use fanfare_domain::profile::Profile;
use fanfare_domain::time::Timestamp;
use ulid::Ulid;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

/// Ids that count up.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Ids for Counter {
    fn ulid(&self) -> Ulid {
        Ulid::from_parts(self.0.fetch_add(1, Ordering::Relaxed), 0)
    }
}

/// An organization's consumers, their links, and one audience.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) consumers: BTreeMap<ConsumerId, Consumer>,
    pub(crate) links: BTreeMap<ProfileId, ProfileLink>,
    pub(crate) members: BTreeSet<ConsumerId>,
    ids: Counter,
}

/// One pass over the list.
pub(crate) struct Pass {
    pub(crate) started_at: Timestamp,
    pub(crate) seen_profiles: BTreeMap<ProfileId, SeenProfile>,
    pub(crate) issues: BTreeSet<(ProfileId, IssueKind)>,
    pub(crate) tally: Tally,
    pub(crate) consumers_met: u64,
    has_moved_links: bool,
}

impl Pass {
    pub(crate) fn at(started_at: Timestamp) -> Self {
        Self {
            started_at,
            seen_profiles: BTreeMap::new(),
            issues: BTreeSet::new(),
            tally: Tally::default(),
            consumers_met: 0,
            has_moved_links: false,
        }
    }

    pub(crate) fn issues_of(&self, code: IssueCode) -> usize {
        self.issues
            .iter()
            .filter(|(_, kind)| kind.code == code)
            .count()
    }
}

/// Everything of a consumer that does not depend on ids of Fanfare.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Portrait {
    email: Option<String>,
    phone: Option<String>,
    name: Option<String>,
    stamps: Vec<String>,
    profiles: BTreeSet<String>,
    is_member: bool,
}

impl World {
    /// Takes pages one after the other, then ends the pass: members who were not seen leave.
    pub(crate) fn complete_pass<'a>(
        &mut self,
        started_at: Timestamp,
        pages: impl IntoIterator<Item = &'a [Profile]>,
    ) -> Pass {
        let mut pass = Pass::at(started_at);
        for page in pages {
            self.take(&mut pass, page);
        }
        self.members = pass
            .seen_profiles
            .keys()
            .filter_map(|profile| Some(self.links.get(profile)?.consumer.clone()))
            .collect();
        assert!(
            pass.has_moved_links || pass.consumers_met <= self.members.len() as u64,
            "nobody is met twice"
        );
        pass
    }

    /// Takes one page and returns its plan.
    pub(crate) fn take(&mut self, pass: &mut Pass, page: &[Profile]) -> PagePlan {
        let known = self.known(pass, page);
        let plan = plan(page, known, pass.started_at, pass.started_at, &self.ids);
        holds_no_key_twice(&plan);
        assert_eq!(plan.tally.processed, plan.seen_profiles.len() as u64);
        self.carry_out(pass, &plan);
        plan
    }

    /// Takes a page of the account's profiles that have changed.
    pub(crate) fn take_changes(&mut self, started_at: Timestamp, page: &[Profile]) -> PagePlan {
        let mut pass = Pass::at(started_at);
        let known = self.known(&pass, page);
        let plan = plan_changes(page, known, started_at, started_at, &self.ids);
        holds_no_key_twice(&plan);
        self.carry_out(&mut pass, &plan);
        plan
    }

    /// As [`fanfare_domain::ports::Pages::known`] describes it.
    fn known(&self, pass: &Pass, page: &[Profile]) -> Known {
        let (emails, profiles) = keys(page);
        let linked: BTreeSet<_> = profiles
            .iter()
            .filter_map(|profile| Some(&self.links.get(profile)?.consumer))
            .collect();
        let consumers: Vec<Consumer> = self
            .consumers
            .values()
            .filter(|c| {
                linked.contains(&c.id) || c.email.as_ref().is_some_and(|e| emails.contains(e))
            })
            .cloned()
            .collect();
        let links: Vec<ProfileLink> = self
            .links
            .values()
            .filter(|link| {
                consumers
                    .iter()
                    .any(|consumer| consumer.id == link.consumer)
            })
            .cloned()
            .collect();
        let asked: BTreeSet<_> = profiles
            .iter()
            .chain(links.iter().map(|l| &l.profile))
            .collect();
        let seen_profiles = asked
            .into_iter()
            .filter_map(|profile| pass.seen_profiles.get(profile).cloned())
            .collect();
        Known {
            consumers,
            links,
            seen_profiles,
            ..Known::default()
        }
    }

    fn carry_out(&mut self, pass: &mut Pass, plan: &PagePlan) {
        for write in &plan.updated {
            let held = self
                .consumers
                .insert(write.consumer.id.clone(), write.consumer.clone());
            assert!(held.is_some(), "an overwritten consumer was there");
        }
        for consumer in &plan.created {
            let held = self.consumers.insert(consumer.id.clone(), consumer.clone());
            assert!(held.is_none(), "a created consumer was not there");
        }
        let mut emails = BTreeSet::new();
        let bears_its_own = |c: &Consumer| c.email.clone().is_none_or(|email| emails.insert(email));
        assert!(
            self.consumers.values().all(bears_its_own),
            "one consumer for each e-mail"
        );
        for link in plan.links() {
            assert!(
                self.consumers.contains_key(&link.consumer),
                "a link leads somewhere"
            );
            self.links.insert(link.profile.clone(), link.clone());
        }
        for seen in &plan.seen_profiles {
            let held = pass
                .seen_profiles
                .insert(seen.profile.clone(), seen.clone());
            assert!(held.is_none(), "a profile is first seen once");
        }
        self.members.extend(plan.members.iter().cloned());
        pass.issues
            .extend(plan.issues.iter().map(|i| (i.profile.clone(), i.kind)));
        let sum = &mut pass.tally;
        sum.processed += plan.tally.processed;
        sum.created += plan.tally.created;
        sum.updated += plan.tally.updated;
        sum.unchanged += plan.tally.unchanged;
        sum.skipped += plan.tally.skipped;
        pass.consumers_met += plan.consumers_met;
        pass.has_moved_links |= !plan.link_moves.is_empty();
    }

    /// All consumers, in an order that does not depend on ids of Fanfare.
    pub(crate) fn portraits(&self) -> Vec<Portrait> {
        let mut portraits: Vec<Portrait> =
            self.consumers.values().map(|c| self.portrait(c)).collect();
        portraits.sort();
        portraits
    }

    fn portrait(&self, consumer: &Consumer) -> Portrait {
        let phone = consumer.phone.as_ref();
        let name = consumer.full_name.as_ref();
        let stamps = [
            format!("{:?}", phone.map(|held| &held.by)),
            format!("{:?}", name.map(|held| &held.by)),
            format!(
                "{:?}",
                consumer.primary.as_ref().map(|primary| &primary.stamp)
            ),
        ];
        Portrait {
            email: consumer
                .email
                .as_ref()
                .map(|email| email.as_str().to_owned()),
            phone: phone.map(|held| held.value.as_str().to_owned()),
            name: name.map(|held| held.value.as_str().to_owned()),
            stamps: stamps.into(),
            profiles: self
                .profiles_of(consumer)
                .map(ToString::to_string)
                .collect(),
            is_member: self.members.contains(&consumer.id),
        }
    }

    fn profiles_of(&self, consumer: &Consumer) -> impl Iterator<Item = &ProfileId> {
        let id = consumer.id.clone();
        self.links
            .values()
            .filter(move |link| link.consumer == id)
            .map(|link| &link.profile)
    }

    /// The consumer that a profile is linked to.
    pub(crate) fn consumer_of(&self, profile: &str) -> Option<&Consumer> {
        let link = self.links.get(&ProfileId::parse(profile).unwrap())?;
        self.consumers.get(&link.consumer)
    }

    /// The consumer that has an e-mail.
    pub(crate) fn owner_of(&self, email: &str) -> Option<&Consumer> {
        let mut consumers = self.consumers.values();
        consumers.find(|c| c.email.as_ref().is_some_and(|e| e.as_str() == email))
    }
}

/// What a store relies on to write each kind of row in one statement.
fn holds_no_key_twice(plan: &PagePlan) {
    fn all_differ<K: Ord>(keys: impl IntoIterator<Item = K>) -> bool {
        let mut seen = BTreeSet::new();
        keys.into_iter().all(|key| seen.insert(key))
    }
    let consumers = plan
        .created
        .iter()
        .chain(plan.updated.iter().map(|write| &write.consumer));
    assert!(all_differ(consumers.map(|consumer| &consumer.id)));
    assert!(all_differ(plan.links().map(|link| &link.profile)));
    assert!(all_differ(
        plan.seen_profiles.iter().map(|seen| &seen.profile)
    ));
    assert!(all_differ(&plan.members));
    assert!(all_differ(
        plan.issues.iter().map(|issue| (&issue.profile, issue.kind))
    ));
    let tally = plan.tally;
    let sum = tally.created + tally.updated + tally.unchanged + tally.skipped;
    assert_eq!(tally.processed, sum);
}
