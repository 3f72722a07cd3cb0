//! An account: its keys, profiles, lists and segments, and everything that can happen to them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::RngExt;
use ulid::Ulid;

use super::collection::Collection;
use super::collection::known;
use super::computing::Computing;
use super::order::{Order, SortField};
use super::writes::Writes;
use crate::fault::{Recomputation, UnknownJoin};
use crate::instant;
use crate::key::Key;
use crate::kind::Kind;
use crate::plan::{AccountPlan, CollectionPlan, FlowTrigger, PlanError};
use crate::profiles::{PAST_ENDS, Profile, ProfileId, ProfileStore, made_at, mix, random};

/// A change that could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// There is no such account.
    #[error("there is no account {0}")]
    NoAccount(String),
    /// There is no such list or segment.
    #[error("there is no list or segment {0}")]
    NoCollection(String),
    /// There is no such profile, or it is no member.
    #[error("there is no profile {0} here")]
    NoProfile(String),
    /// The effect of a fault is no change of the account.
    #[error("this happens to requests alone, and cannot be done at once")]
    NoChange,
}

/// A profile that becomes another. Times are microseconds since the epoch.
struct Merge {
    from: ProfileId,
    into: ProfileId,
    /// When it is done.
    at: i64,
    /// Until when the id of the profile that is no more still answers.
    answers_until: i64,
}

/// A Klaviyo account.
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) profiles: ProfileStore,
    pub(crate) collections: BTreeMap<String, Collection>,
    /// Profiles that will have become others.
    merging: Vec<Merge>,
    /// Profiles that have become others, and until when their ids still answer, in microseconds.
    answering: Vec<(i64, ProfileId)>,
    /// What requests have written.
    pub(crate) writes: Writes,
    orders: Mutex<HashMap<SortField, Arc<Order>>>,
}

impl Account {
    /// The account of a plan, generated from a seed.
    pub(crate) fn new(plan: AccountPlan, seed: u64) -> Result<Self, PlanError> {
        let tag = plan
            .id
            .bytes()
            .fold(seed, |tag, byte| mix(tag ^ u64::from(byte)));
        let salt = u32::try_from(tag & 0x3FFF_FFFF).unwrap_or_default();
        let mut account = Self {
            profiles: ProfileStore::generated(seed, salt, plan.size()?, plan.edge_cases),
            id: plan.id,
            name: plan.name,
            keys: plan.keys,
            collections: BTreeMap::new(),
            merging: Vec::new(),
            answering: Vec::new(),
            writes: Writes::new(plan.flows),
            orders: Mutex::default(),
        };
        for (place, (slots, collection)) in (0..).zip(plan.collections) {
            account.add_collection(collection, slots, mix(tag ^ place));
        }
        Ok(account)
    }

    fn add_collection(&mut self, plan: CollectionPlan, slots: std::ops::Range<u32>, seed: u64) {
        let mut collection =
            Collection::new(plan.kind, &plan.id, plan.name.as_deref(), plan.created);
        collection.is_double_opt_in = plan.is_double_opt_in;
        collection.is_active = plan.is_active;
        collection.is_processing = plan.is_processing;
        collection.set_count_lag(micros(plan.count_lag));
        let mut random = random(seed, 0);
        // Members who were imported in bulk share one second.
        let bulk_import = PAST_ENDS - 86_400 * 200;
        let in_bulk = f64::from(plan.in_one_second.min(100)) / 100.0;
        let generated = slots.map(|slot| {
            let at = if random.random_bool(in_bulk) {
                bulk_import.max(made_at(slot))
            } else {
                random.random_range(made_at(slot)..PAST_ENDS)
            };
            (at, self.profiles.id_of_slot(slot))
        });
        let mut members: Vec<_> = generated.collect();
        for (at, profile) in plan.members {
            let created = known(at).unwrap_or(plan.created);
            members.push((at, self.put(profile, created)));
        }
        collection.fill(members);
        self.collections.insert(plan.id, collection);
    }

    /// Begins or ends the computing of a segment.
    pub(crate) fn set_processing(
        &mut self,
        segment: &str,
        is_processing: bool,
    ) -> Result<(), ChangeError> {
        self.collection_mut(segment)?.is_processing = is_processing;
        Ok(())
    }

    /// Lets the definition of a segment name these lists and segments.
    pub(crate) fn define_by(&mut self, segment: &str, groups: &[&str]) -> Result<(), ChangeError> {
        let groups = groups.iter().map(|id| (*id).to_owned()).collect();
        self.collection_mut(segment)?.groups = groups;
        Ok(())
    }

    /// Changes the definition of a segment as of now (microseconds): it is emptied, and computed anew.
    pub(crate) fn recompute(
        &mut self,
        segment: &str,
        how: &Recomputation,
        now: i64,
    ) -> Result<(), ChangeError> {
        let who = match &how.members {
            Some(ids) => ids
                .iter()
                .map(|id| self.find(id))
                .collect::<Result<_, _>>()?,
            None => self.collection_mut(segment)?.members_in_the_end(),
        };
        let computing = Computing::new(who, how.per_minute, how.is_told, now);
        self.collection_mut(segment)?.redefine(computing);
        Ok(())
    }

    /// Lets Klaviyo's count of a list or segment be so far behind.
    pub(crate) fn set_count_lag(
        &mut self,
        collection: &str,
        lag: Duration,
    ) -> Result<(), ChangeError> {
        self.collection_mut(collection)?.set_count_lag(micros(lag));
        Ok(())
    }

    /// A list or segment by its id.
    pub(crate) fn collection(&self, kind: Kind, id: &str) -> Option<&Collection> {
        self.collections.get(id).filter(|found| found.kind == kind)
    }

    /// A list or segment, whichever has this id.
    pub(crate) fn find_collection(&self, id: &str) -> Result<&Collection, ChangeError> {
        let missing = || ChangeError::NoCollection(id.to_owned());
        self.collections.get(id).ok_or_else(missing)
    }

    fn collection_mut(&mut self, id: &str) -> Result<&mut Collection, ChangeError> {
        let missing = || ChangeError::NoCollection(id.to_owned());
        self.collections.get_mut(id).ok_or_else(missing)
    }

    fn find(&self, id: &str) -> Result<ProfileId, ChangeError> {
        let missing = || ChangeError::NoProfile(id.to_owned());
        self.profiles.find(id).ok_or_else(missing)
    }

    /// Puts a profile in, or in place of the one with its id. Answers with the id, chosen here if the
    /// profile has none.
    pub(crate) fn put(&mut self, mut profile: Profile, now: i64) -> ProfileId {
        if profile.id.is_empty() {
            let ms = u64::try_from(now).unwrap_or_default() * 1_000;
            profile.id = Ulid::from_parts(ms, rand::random()).to_string();
        }
        profile.created.get_or_insert_with(|| instant::show(now));
        profile.updated.get_or_insert_with(|| instant::show(now));
        self.keep(profile)
    }

    /// Puts a profile in, and at its place in every order.
    fn keep(&mut self, profile: Profile) -> ProfileId {
        let before = self.profiles.find(&profile.id);
        let before = before.and_then(|id| self.profiles.get(&id));
        let after = profile.clone();
        let id = self.profiles.put(profile);
        self.writes.changed(&id, before.as_ref(), Some(&after));
        self.place(&id, before.as_ref(), Some(&after));
        id
    }

    /// Takes a profile out, and out of every order.
    fn remove(&mut self, id: &ProfileId) {
        let before = self.profiles.get(id);
        self.profiles.remove(id);
        self.writes.changed(id, before.as_ref(), None);
        self.place(id, before.as_ref(), None);
    }

    /// Changes a profile's values, and the time of its last change.
    pub(crate) fn update(
        &mut self,
        id: &str,
        now: i64,
        change: impl FnOnce(&mut Profile),
    ) -> Result<(), ChangeError> {
        let found = self.find(id)?;
        let missing = || ChangeError::NoProfile(id.to_owned());
        let mut profile = self.profiles.get(&found).ok_or_else(missing)?;
        profile.updated = Some(instant::show(now));
        change(&mut profile);
        id.clone_into(&mut profile.id);
        self.keep(profile);
        Ok(())
    }

    /// Makes a profile a member as of now, also if it is one. Its `updated` stays.
    pub(crate) fn join(&mut self, collection: &str, id: &str, now: i64) -> Result<(), ChangeError> {
        let found = self.find(id)?;
        let into = self.collection_mut(collection)?;
        into.join(&found, now);
        let of = match into.kind {
            Kind::List => FlowTrigger::List(collection.to_owned()),
            Kind::Segment => FlowTrigger::Segment(collection.to_owned()),
        };
        self.start_flows(&of, id, collection, instant::of_seconds(now));
        Ok(())
    }

    /// Makes Klaviyo tell no join time of a member.
    pub(crate) fn forget_join(
        &mut self,
        collection: &str,
        id: &str,
        place: UnknownJoin,
    ) -> Result<(), ChangeError> {
        let id = self.find(id)?;
        self.collection_mut(collection)?.join(&id, place.joined());
        Ok(())
    }

    /// Makes a member leave.
    pub(crate) fn leave(&mut self, collection: &str, id: &str) -> Result<(), ChangeError> {
        let found = self.find(id)?;
        let was_there = self.collection_mut(collection)?.leave(&found);
        self.writes.left(collection, &found);
        was_there
            .then_some(())
            .ok_or_else(|| ChangeError::NoProfile(id.to_owned()))
    }

    /// Begins to merge one profile into another. It is done at a time, and the id of the one that is no more still
    /// answers until another (microseconds).
    pub(crate) fn merge(
        &mut self,
        from: &str,
        into: &str,
        at: i64,
        answers_until: i64,
    ) -> Result<(), ChangeError> {
        let (from, into) = (self.find(from)?, self.find(into)?);
        self.merging.push(Merge {
            from,
            into,
            at,
            answers_until,
        });
        Ok(())
    }

    /// Whether something is over by now (microseconds) and has not been carried out.
    pub(crate) fn is_behind(&self, now: i64) -> bool {
        self.writes.is_behind(now)
            || self.merging.iter().any(|merge| merge.at <= now)
            || self.answering.iter().any(|(until, _)| *until <= now)
            || self.collections.values().any(|it| it.is_behind(now))
    }

    /// Carries out what is over by now (microseconds), and lets now be the present.
    pub(crate) fn catch_up(&mut self, now: i64) {
        let mut over: Vec<Merge> = self.merging.extract_if(.., |it| it.at <= now).collect();
        over.sort_by_key(|merge| merge.at);
        for merge in over {
            for collection in self.collections.values_mut() {
                collection.catch_up(merge.at);
            }
            self.finish_merge(merge);
        }
        let silent: Vec<_> = self
            .answering
            .extract_if(.., |(until, _)| *until <= now)
            .collect();
        for collection in self.collections.values_mut() {
            collection.catch_up(now);
            for (_, id) in &silent {
                collection.leave(id);
            }
        }
        for (_, id) in silent {
            self.remove(&id);
        }
        self.do_due(now);
    }

    /// The survivor takes the values that it lacks, and joins every list and segment that the other was in.
    fn finish_merge(&mut self, merge: Merge) {
        let Merge { from, into, .. } = merge;
        let now = merge.at.div_euclid(1_000_000);
        let (Some(lost), Some(mut survivor)) = (self.profiles.get(&from), self.profiles.get(&into))
        else {
            return;
        };
        if from == into {
            return;
        }
        let take = |to: &mut Option<String>, value: Option<String>| {
            if to.is_none() {
                *to = value;
            }
        };
        take(&mut survivor.email, lost.email);
        take(&mut survivor.phone_number, lost.phone_number);
        take(&mut survivor.external_id, lost.external_id);
        take(&mut survivor.first_name, lost.first_name);
        take(&mut survivor.last_name, lost.last_name);
        survivor.updated = Some(instant::show(now));
        for collection in self.collections.values_mut() {
            let was_in = collection.joined(&into).is_some();
            collection.merge(&from, &into, now);
            self.writes.merged(&from, &into, &collection.id, was_in);
        }
        self.keep(survivor);
        if merge.answers_until > merge.at {
            self.answering.push((merge.answers_until, from));
        } else {
            self.remove(&from);
        }
    }

    /// Deletes a profile, as if it had never been.
    pub(crate) fn delete(&mut self, id: &str) -> Result<(), ChangeError> {
        let id = self.find(id)?;
        for collection in self.collections.values_mut() {
            collection.leave(&id);
            self.writes.left(&collection.id, &id);
        }
        self.remove(&id);
        Ok(())
    }

    /// Adds an empty list or segment, or empties the one with its id.
    pub(crate) fn create_collection(&mut self, kind: Kind, id: &str, name: &str, now: i64) {
        let collection = Collection::new(kind, id, Some(name), now);
        self.collections.insert(id.to_owned(), collection);
    }

    /// Renames a list or segment, or takes its name away. Its `updated` moves.
    pub(crate) fn rename(
        &mut self,
        id: &str,
        name: Option<&str>,
        now: i64,
    ) -> Result<(), ChangeError> {
        let collection = self.collection_mut(id)?;
        collection.name = name.map(str::to_owned);
        collection.updated = now;
        Ok(())
    }

    /// Deletes a list or segment. Its members stay in the account.
    pub(crate) fn delete_collection(&mut self, id: &str) -> Result<(), ChangeError> {
        let gone = self.collections.remove(id);
        gone.map(drop)
            .ok_or_else(|| ChangeError::NoCollection(id.to_owned()))
    }

    /// All profiles in some order, ties by id. Made when it is first asked for, and kept.
    pub(crate) fn order(&self, by: SortField) -> Arc<Order> {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        let order = orders
            .entry(by)
            .or_insert_with(|| Arc::new(Order::of(&self.profiles, by)));
        Arc::clone(order)
    }

    fn place(&self, id: &ProfileId, before: Option<&Profile>, after: Option<&Profile>) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        for (by, order) in orders.iter_mut() {
            Arc::make_mut(order).place(*by, id, before, after);
        }
    }
}

/// Microseconds of a length of time.
fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
