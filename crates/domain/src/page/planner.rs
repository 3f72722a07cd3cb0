//! The planner: takes profiles one after the other into a working copy, and plans the difference.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;

use super::{ConsumerWrite, Known, LinkMove, PagePlan, SeenProfile, SharedContacts};
use crate::consumer::{Consumer, Primary, ProfileLink, primary_of};
use crate::contact::{Contact, Decision, Read, ours_of};
use crate::erasure::Erased;
use crate::identity::{Evidence, Identity, Linked, identify};
use crate::ids::{ConsumerId, Ids, ProfileId, SourceId};
use crate::issue::{Field, Issue, IssueCode, IssueKind};
use crate::profile::UsableProfile;
use crate::time::Timestamp;
use crate::value::Email;

type Map<K, V> = HashMap<K, V, RandomState>;
type Set<K> = HashSet<K, RandomState>;

/// The owner of each e-mail. A consumer whose e-mail was stored by an earlier version's rules owns the address
/// that it is today, unless another consumer was stored with that: so it takes the new form, and is found.
fn owners(consumers: &[Consumer]) -> Map<Email, ConsumerId> {
    let mut owners = Map::default();
    for consumer in consumers {
        let Some(email) = &consumer.email else {
            continue;
        };
        let renewed = email.renewed();
        if renewed == *email {
            owners.insert(renewed, consumer.id.clone());
        } else {
            owners.entry(renewed).or_insert_with(|| consumer.id.clone());
        }
    }
    owners
}

/// The working copy of what the store knows, and the plan that results from it.
pub(super) struct PagePlanner<'a> {
    now: Timestamp,
    ids: &'a dyn Ids,
    before: Map<ConsumerId, Consumer>,
    consumers: Map<ConsumerId, Consumer>,
    /// By the form that the e-mail has today.
    owners: Map<Email, ConsumerId>,
    links_before: Map<ProfileId, ProfileLink>,
    links: Map<ProfileId, ProfileLink>,
    /// The profiles of each consumer, each once.
    linked: Map<ConsumerId, Vec<ProfileId>>,
    seen: Map<ProfileId, SeenProfile>,
    page_profiles: Set<ProfileId>,
    erased: Erased,
    shared: Option<SharedContacts>,
    plan: PagePlan,
}

impl<'a> PagePlanner<'a> {
    pub(super) fn new(known: Known, now: Timestamp, ids: &'a dyn Ids) -> Self {
        let mut linked: Map<ConsumerId, Vec<ProfileId>> = Map::default();
        for link in &known.links {
            linked
                .entry(link.consumer.clone())
                .or_default()
                .push(link.profile.clone());
        }
        let by_id = |consumer: &Consumer| (consumer.id.clone(), consumer.clone());
        let by_profile = |link: &ProfileLink| (link.profile.clone(), link.clone());
        Self {
            now,
            ids,
            owners: owners(&known.consumers),
            before: known.consumers.iter().map(by_id).collect(),
            consumers: known.consumers.iter().map(by_id).collect(),
            links_before: known.links.iter().map(by_profile).collect(),
            links: known.links.iter().map(by_profile).collect(),
            linked,
            seen: known
                .seen_profiles
                .into_iter()
                .map(|seen| (seen.profile.clone(), seen))
                .collect(),
            page_profiles: Set::default(),
            erased: known.erased,
            shared: known.shared,
            plan: PagePlan::default(),
        }
    }

    pub(super) fn take(&mut self, profile: &UsableProfile) {
        self.page_profiles.insert(profile.id.clone());
        let is_first_seen = !self.seen.contains_key(&profile.id);
        let outcome = if self
            .erased
            .names(profile, self.links.contains_key(&profile.id))
        {
            self.skip(profile, IssueCode::Erased)
        } else {
            self.report(&profile.id, &profile.issues);
            self.take_in(profile)
        };
        if is_first_seen {
            self.count_first_seen(profile, outcome);
        }
    }

    /// Takes a profile of which the account tells that it has changed.
    pub(super) fn take_change(&mut self, profile: &UsableProfile, is_ahead: bool) {
        let Some(link) = self.links.get(&profile.id).cloned() else {
            return;
        };
        if self.erased.names(profile, true) {
            return;
        }
        let consumer = self.consumers.get(&link.consumer).cloned();
        let outcome = self.take_in(profile);
        if is_ahead && matches!(outcome, Outcome::Unchanged) {
            if let Some(consumer) = consumer {
                self.consumers.insert(consumer.id.clone(), consumer);
            }
            self.links.insert(profile.id.clone(), link);
            return;
        }
        if self.links.get(&profile.id) != Some(&link) {
            self.report(&profile.id, &profile.issues);
        }
        self.count(outcome);
    }

    /// Puts the profile to the consumer that it belongs to.
    fn take_in(&mut self, profile: &UsableProfile) -> Outcome {
        match self.identify(profile) {
            // Then that is the issue.
            Identity::Unreachable if profile.has_broken_email() => Outcome::Skipped,
            Identity::Unreachable => self.skip(profile, IssueCode::MissingContact),
            Identity::New => {
                let consumer = Consumer::new(ConsumerId::new(self.ids.ulid()));
                self.write(profile, consumer.id.clone(), consumer);
                Outcome::Created
            }
            Identity::Known(id) | Identity::Readdressed(id) => {
                // Both came from `consumers`, by e-mail or by link.
                let consumer = self.consumers.get(&id).cloned();
                if consumer.is_some_and(|consumer| self.write(profile, id, consumer)) {
                    Outcome::Updated
                } else {
                    Outcome::Unchanged
                }
            }
        }
    }

    fn skip(&mut self, profile: &UsableProfile, code: IssueCode) -> Outcome {
        self.report(&profile.id, &[IssueKind { code, field: None }]);
        Outcome::Skipped
    }

    fn identify(&self, profile: &UsableProfile) -> Identity {
        let linked = self.links.get(&profile.id).map(|link| Linked {
            consumer: link.consumer.clone(),
            shared: self
                .linked
                .get(&link.consumer)
                .is_some_and(|profiles| profiles.len() > 1),
        });
        identify(Evidence {
            has_email: profile.email.is_some(),
            has_phone: profile.phone.is_some(),
            email_owner: profile
                .email
                .as_ref()
                .and_then(|email| self.owners.get(email).cloned()),
            linked,
        })
    }

    /// Merges the profile into the consumer. Returns whether a user can see a difference.
    fn write(&mut self, profile: &UsableProfile, id: ConsumerId, mut consumer: Consumer) -> bool {
        let before = consumer.clone();
        match self.shared.take() {
            Some(mut shared) if shared.follows(&id) => {
                self.share(profile, &mut consumer, &mut shared);
                self.shared = Some(shared);
            }
            shared => {
                self.shared = shared;
                consumer.merge_values(profile);
            }
        }
        let link = self.links.get(&profile.id);
        // A page that is older than what is known tells nothing, unless the profile was another consumer's.
        let is_older =
            link.is_some_and(|link| link.consumer == id && profile.updated < link.updated);
        if let Some(consents) = profile.consents.filter(|_| !is_older) {
            consumer.consents.read(&profile.id, consents);
        }
        if let Some(email) = &profile.email
            && consumer.email.as_ref() != Some(email)
        {
            if let Some(old) = consumer.email.replace(email.clone()) {
                let old = old.renewed();
                if self.owners.get(&old) == Some(&id) {
                    self.owners.remove(&old);
                }
            }
            self.owners.insert(email.clone(), id.clone());
        }
        let has_moved = self.link(profile, &id);
        consumer.primary = self.primary(&id);
        let is_visible = has_moved || !consumer.looks_like(&before);
        self.consumers.insert(id, consumer);
        if is_visible && let Some(link) = self.links.get_mut(&profile.id) {
            link.changed_at = self.now;
        }
        is_visible
    }

    /// Takes in the values of a profile of a consumer whom both sides write. Of its profiles the contact's alone counts; others fill
    /// what is blank.
    fn share(
        &mut self,
        profile: &UsableProfile,
        consumer: &mut Consumer,
        shared: &mut SharedContacts,
    ) {
        let Some(contact) = shared.contacts.get_mut(&consumer.id) else {
            return;
        };
        let is_linked = |profile: &ProfileId| {
            let link = self.links.get(profile);
            link.is_some_and(|link| link.consumer == consumer.id)
        };
        if contact.profile != profile.id && is_linked(&contact.profile) {
            consumer.fill_blanks(profile);
            return;
        }
        let read = Read::of(profile, shared.began_at);
        let before: Contact = contact.clone();
        let is_stale = read.profile == contact.profile && contact.is_stale(&read);
        let rule = shared.rule;
        let decisions = contact.observe(&read, &ours_of(consumer), |_| rule, self.now);
        let mut is_newer = false;
        for (field, decision) in decisions {
            match decision {
                Decision::Pull(_) => consumer.pull(field, profile),
                Decision::Push(_) => is_newer = true,
                Decision::Agree(_) | Decision::Nothing => {}
            }
        }
        let ours = ours_of(consumer);
        let is_equal = read
            .values
            .iter()
            .all(|(field, value)| ours.get(field).is_some_and(|ours| ours.value == *value));
        let id = &consumer.id;
        if is_newer {
            self.plan.to_tell.insert(id.clone());
        } else if is_equal && !is_stale && !contact.is_in_flight() {
            self.plan.told.insert(id.clone());
        }
        if contact.says_more_than(&before) {
            self.plan.contacts.insert(id.clone(), contact.clone());
        }
    }

    /// Links the profile to the consumer. Returns whether the link is new or led to another consumer before.
    fn link(&mut self, profile: &UsableProfile, to: &ConsumerId) -> bool {
        let Some(link) = self.links.get_mut(&profile.id) else {
            let link = ProfileLink {
                source: SourceId::new(self.ids.ulid()),
                profile: profile.id.clone(),
                consumer: to.clone(),
                updated: profile.updated,
                changed_at: self.now,
            };
            self.links.insert(profile.id.clone(), link);
            self.linked
                .entry(to.clone())
                .or_default()
                .push(profile.id.clone());
            return true;
        };
        link.updated = link.updated.max(profile.updated);
        let left = std::mem::replace(&mut link.consumer, to.clone());
        if left == *to {
            return false;
        }
        self.linked
            .entry(to.clone())
            .or_default()
            .push(profile.id.clone());
        if let Some(profiles) = self.linked.get_mut(&left) {
            profiles.retain(|one| *one != profile.id);
        }
        let primary = self.primary(&left);
        if let Some(consumer) = self.consumers.get_mut(&left) {
            consumer.primary = primary;
            consumer.consents.forget(&profile.id);
        }
        true
    }

    fn primary(&self, of: &ConsumerId) -> Option<Primary> {
        let profiles = self.linked.get(of).into_iter().flatten();
        primary_of(profiles.filter_map(|profile| self.links.get(profile)))
    }

    /// Counts a profile that the run has not seen before, and reports it if its e-mail is a duplicate.
    fn count_first_seen(&mut self, profile: &UsableProfile, outcome: Outcome) {
        let seen = SeenProfile {
            profile: profile.id.clone(),
            with_email: profile.email.is_some(),
            joined_at: profile.joined_at,
        };
        if let Some(duplicate) = self.duplicate(&seen) {
            let kind = IssueKind {
                code: IssueCode::DuplicateEmail,
                field: Some(Field::Email),
            };
            self.report(&duplicate, &[kind]);
        }
        self.seen.insert(profile.id.clone(), seen.clone());
        self.plan.seen_profiles.push(seen);
        self.count(outcome);
    }

    const fn count(&mut self, outcome: Outcome) {
        let tally = &mut self.plan.tally;
        tally.processed += 1;
        *match outcome {
            Outcome::Created => &mut tally.created,
            Outcome::Updated => &mut tally.updated,
            Outcome::Unchanged => &mut tally.unchanged,
            Outcome::Skipped => &mut tally.skipped,
        } += 1;
    }

    /// Of several profiles with one e-mail, the first in the list is the original and all others are
    /// duplicates. Returns the profile that becomes a duplicate because the run now sees `seen`: `seen`
    /// itself, or the profile that was the original until now.
    fn duplicate(&self, seen: &SeenProfile) -> Option<ProfileId> {
        let consumer = &self.links.get(&seen.profile)?.consumer;
        let others = self.linked.get(consumer).into_iter().flatten();
        let first = others
            .filter(|other| **other != seen.profile)
            .filter_map(|other| self.seen.get(other))
            .filter(|other| other.with_email && seen.with_email)
            .min_by_key(|other| other.place())?;
        let second = std::cmp::max_by_key(first, seen, |one| one.place());
        Some(second.profile.clone())
    }

    fn report(&mut self, profile: &ProfileId, issues: &[IssueKind]) {
        for kind in issues {
            let issue = Issue {
                profile: profile.clone(),
                kind: *kind,
                at: self.now,
            };
            let is_known = self
                .plan
                .issues
                .iter()
                .any(|i| i.profile == issue.profile && i.kind == issue.kind);
            if !is_known {
                self.plan.issues.push(issue);
            }
        }
    }

    /// How many consumers have profiles that the run sees for the first time, and none that it has seen before the page.
    fn consumers_met(&self) -> u64 {
        let seen_now = self.plan.seen_profiles.iter().map(|seen| &seen.profile);
        let seen_now: Set<&ProfileId> = seen_now.collect();
        let consumers = seen_now
            .iter()
            .filter_map(|profile| self.links.get(*profile));
        let consumers: Set<&ConsumerId> = consumers.map(|link| &link.consumer).collect();
        let was_seen =
            |profile: &ProfileId| self.seen.contains_key(profile) && !seen_now.contains(profile);
        let is_new = |consumer: &&ConsumerId| {
            let profiles = self.linked.get(*consumer);
            !profiles.into_iter().flatten().any(was_seen)
        };
        consumers.into_iter().filter(is_new).count() as u64
    }

    pub(super) fn finish(mut self) -> PagePlan {
        self.plan.consumers_met = self.consumers_met();
        for (id, consumer) in self.consumers {
            match self.before.get(&id) {
                None => self.plan.created.push(consumer),
                Some(before) if *before == consumer => {}
                Some(before) => {
                    let visible = !consumer.looks_like(before);
                    self.plan.updated.push(ConsumerWrite { consumer, visible });
                }
            }
        }
        let members = self.page_profiles.iter();
        let members = members.filter_map(|profile| Some(&self.links.get(profile)?.consumer));
        let members: Set<&ConsumerId> = members.collect();
        self.plan.members = members.into_iter().cloned().collect();
        let moves = self.links.values().filter_map(|link| {
            let from = self.links_before.get(&link.profile)?.consumer.clone();
            let to = link.consumer.clone();
            let others = self.links_before.values().chain(self.links.values());
            let is_shared = from != to
                && others
                    .filter(|other| other.consumer == from)
                    .any(|other| other.profile != link.profile);
            (from != to).then_some(LinkMove {
                from,
                to,
                is_shared,
            })
        });
        let moves: BTreeSet<LinkMove> = moves.collect();
        self.plan.link_moves = moves.into_iter().collect();
        for (profile, link) in self.links {
            match self.links_before.get(&profile) {
                None => self.plan.new_links.push(link),
                Some(before) if *before == link => {}
                Some(_) => self.plan.changed_links.push(link),
            }
        }
        self.plan.in_order()
    }
}

#[derive(Clone, Copy)]
enum Outcome {
    Created,
    Updated,
    Unchanged,
    Skipped,
}
