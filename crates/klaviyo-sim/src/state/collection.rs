//! Lists and segments, and when each member joined.

use std::collections::{BTreeMap, BTreeSet};

use crate::kind::Kind;
use crate::profiles::ProfileId;

/// In place of the time when a member joined: Klaviyo tells none, and the member comes before all others in the
/// order of joining.
pub(crate) const UNKNOWN_FIRST: i64 = i64::MIN;

/// The same, but the member comes after all others.
pub(crate) const UNKNOWN_LAST: i64 = i64::MAX;

/// The time when a member joined; `None` if Klaviyo tells none.
pub(crate) fn known(joined: i64) -> Option<i64> {
    (joined != UNKNOWN_FIRST && joined != UNKNOWN_LAST).then_some(joined)
}

/// A list or segment. All times are seconds since the epoch.
#[derive(Debug, Clone)]
pub(crate) struct Collection {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) name: Option<String>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    /// Of a list.
    pub(crate) is_double_opt_in: bool,
    /// Of a segment.
    pub(crate) is_active: bool,
    /// Of a segment.
    pub(crate) is_processing: bool,
    /// The members in the order of joining, ties by id: a page is found without counting.
    by_join: BTreeSet<(i64, ProfileId)>,
    by_id: BTreeMap<ProfileId, i64>,
}

impl Collection {
    /// An empty one.
    pub(crate) fn new(kind: Kind, id: &str, name: Option<&str>, created: i64) -> Self {
        Self {
            id: id.to_owned(),
            kind,
            name: name.map(str::to_owned),
            created,
            updated: created,
            is_double_opt_in: false,
            is_active: true,
            is_processing: false,
            by_join: BTreeSet::new(),
            by_id: BTreeMap::new(),
        }
    }

    /// Fills an empty one.
    pub(crate) fn fill(&mut self, members: Vec<(i64, ProfileId)>) {
        self.by_id = members.iter().map(|(at, id)| (id.clone(), *at)).collect();
        self.by_join = members.into_iter().collect();
    }

    /// Makes a profile a member as of then, also if it is one.
    pub(crate) fn join(&mut self, id: &ProfileId, at: i64) {
        self.leave(id);
        self.by_id.insert(id.clone(), at);
        self.by_join.insert((at, id.clone()));
    }

    /// Makes a member leave. Answers whether the profile was a member.
    pub(crate) fn leave(&mut self, id: &ProfileId) -> bool {
        let Some(at) = self.by_id.remove(id) else {
            return false;
        };
        self.by_join.remove(&(at, id.clone()))
    }

    /// When a member joined.
    pub(crate) fn joined(&self, id: &ProfileId) -> Option<i64> {
        self.by_id.get(id).copied()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// The members in the order of joining.
    pub(crate) fn by_join(&self) -> &BTreeSet<(i64, ProfileId)> {
        &self.by_join
    }

    /// The members in the order of their ids.
    pub(crate) fn by_id(&self) -> &BTreeMap<ProfileId, i64> {
        &self.by_id
    }
}
