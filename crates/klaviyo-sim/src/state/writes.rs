//! What requests have written into an account, and what of it has not shown yet.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use crate::journal::{Entry, Written};
use crate::plan::FlowPlan;
use crate::profiles::{Profile, ProfileId, ProfileStore};

/// A metric.
pub(crate) struct Metric {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Seconds since the epoch.
    pub(crate) created: i64,
}

/// An event that was recorded.
pub(crate) struct Recorded {
    pub(crate) id: String,
    pub(crate) profile: String,
    pub(crate) metric: String,
    /// Seconds since the epoch.
    pub(crate) at: i64,
    pub(crate) properties: Map<String, Value>,
}

/// By whom something is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Named {
    pub(crate) id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) external_id: Option<String>,
}

/// An event that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub(crate) who: Named,
    pub(crate) metric: String,
    pub(crate) unique_id: Option<String>,
    pub(crate) at: i64,
    pub(crate) properties: Map<String, Value>,
    pub(crate) backfill: bool,
}

/// What was accepted and is done later.
pub(crate) enum Pending {
    Event(Box<NewEvent>),
    Join {
        list: String,
        ids: Vec<String>,
    },
    Leave {
        list: String,
        ids: Vec<String>,
    },
    BeginJob(String),
    EndJob(String),
    Unsubscribe {
        people: Vec<Named>,
        list: Option<String>,
    },
    Subscribe {
        people: Vec<Named>,
        list: Option<String>,
    },
    Suppress(Vec<String>),
    Unsuppress(Vec<String>),
}

/// An import job.
pub(crate) struct Job {
    pub(crate) state: &'static str,
    pub(crate) rows: Vec<Value>,
    pub(crate) completed: usize,
    /// What is wrong with a row, at a pointer, and the row.
    pub(crate) errors: Vec<(String, String, Value)>,
    pub(crate) profiles: Vec<String>,
    pub(crate) created: i64,
    pub(crate) fails: bool,
}

/// Which identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Identifier {
    Email,
    Phone,
    ExternalId,
}

/// Who has an identifier. Made when it is first asked for, because an account may have millions of profiles.
#[derive(Default)]
pub(crate) struct Identities(HashMap<(Identifier, String), ProfileId>);

impl Identities {
    fn of(profiles: &ProfileStore) -> Self {
        let mut identities = Self::default();
        for id in profiles.ids() {
            if let Some(profile) = profiles.get(&id) {
                identities.add(&id, &profile);
            }
        }
        identities
    }

    fn add(&mut self, id: &ProfileId, profile: &Profile) {
        for key in keys(profile) {
            self.0.entry(key).or_insert_with(|| id.clone());
        }
    }

    fn remove(&mut self, id: &ProfileId, profile: &Profile) {
        for key in keys(profile) {
            if self.0.get(&key) == Some(id) {
                self.0.remove(&key);
            }
        }
    }
}

fn keys(profile: &Profile) -> impl Iterator<Item = (Identifier, String)> {
    let all = [
        (Identifier::Email, &profile.email),
        (Identifier::Phone, &profile.phone_number),
        (Identifier::ExternalId, &profile.external_id),
    ];
    let all = all.map(|(of, text)| Some((of, normal(of, text.as_deref()?))));
    all.into_iter().flatten()
}

fn normal(of: Identifier, text: &str) -> String {
    match of {
        // How Klaviyo compares e-mails is not documented.
        Identifier::Email => text.trim().to_lowercase(),
        Identifier::Phone | Identifier::ExternalId => text.to_owned(),
    }
}

/// What requests have written into an account.
#[derive(Default)]
pub(crate) struct Writes {
    pub(crate) journal: Vec<Entry>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) events: Vec<Recorded>,
    pub(crate) jobs: BTreeMap<String, Job>,
    pub(crate) flows: Vec<FlowPlan>,
    /// Profile, metric and `unique_id` of every event.
    pub(super) known: HashSet<(String, String, String)>,
    /// Who has been through the flows of a list: they do not start again for somebody who comes back.
    pub(super) flowed: HashSet<(String, String)>,
    /// The members whom requests added.
    pub(super) added: HashSet<(String, ProfileId)>,
    identities: Option<Identities>,
    pending: BTreeMap<(i64, u64), Pending>,
    next: u64,
}

impl Writes {
    /// Nothing yet, in an account with these flows.
    pub(super) fn new(flows: Vec<FlowPlan>) -> Self {
        Self {
            flows,
            ..Self::default()
        }
    }

    /// Notes something in the journal.
    pub(crate) fn note(&mut self, at: i64, what: Written) {
        self.journal.push(Entry { at, what });
    }

    /// Lets something be done at a time (microseconds). What is due at the same time is done in the order in which it came.
    pub(crate) fn later(&mut self, at: i64, pending: Pending) {
        self.next += 1;
        self.pending.insert((at, self.next), pending);
    }

    /// Whether something is due by now.
    pub(super) fn is_behind(&self, now: i64) -> bool {
        self.pending
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= now)
    }

    /// What is due next by now, and when it was.
    pub(super) fn due(&mut self, now: i64) -> Option<(i64, Pending)> {
        if !self.is_behind(now) {
            return None;
        }
        self.pending
            .pop_first()
            .map(|((at, _), pending)| (at, pending))
    }

    /// Who has an identifier.
    pub(super) fn owner(
        &mut self,
        profiles: &ProfileStore,
        of: Identifier,
        text: &str,
    ) -> Option<ProfileId> {
        let identities = self
            .identities
            .get_or_insert_with(|| Identities::of(profiles));
        identities.0.get(&(of, normal(of, text))).cloned()
    }

    /// Follows a change of a profile.
    pub(super) fn changed(
        &mut self,
        id: &ProfileId,
        before: Option<&Profile>,
        after: Option<&Profile>,
    ) {
        let Some(identities) = &mut self.identities else {
            return;
        };
        if let Some(before) = before {
            identities.remove(id, before);
        }
        if let Some(after) = after {
            identities.add(id, after);
        }
    }

    /// A profile has become another.
    pub(super) fn merged(&mut self, from: &ProfileId, into: &ProfileId, list: &str, was_in: bool) {
        if self.added.remove(&(list.to_owned(), from.clone())) && !was_in {
            self.added.insert((list.to_owned(), into.clone()));
        }
    }

    /// Somebody is a member no more.
    pub(super) fn left(&mut self, list: &str, id: &ProfileId) -> bool {
        self.added.remove(&(list.to_owned(), id.clone()))
    }
}
