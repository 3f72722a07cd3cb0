//! Lists and segments, and when each member joined.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::kind::Kind;
use crate::profiles::ProfileId;

use super::computing::Computing;

/// In place of the time when a member joined: Klaviyo tells none, and the member comes before all others in the
/// order of joining.
pub(crate) const UNKNOWN_FIRST: i64 = i64::MIN;

/// The same, but the member comes after all others.
pub(crate) const UNKNOWN_LAST: i64 = i64::MAX;

/// The time when a member joined; `None` if Klaviyo tells none.
pub(crate) fn known(joined: i64) -> Option<i64> {
    (joined != UNKNOWN_FIRST && joined != UNKNOWN_LAST).then_some(joined)
}

/// A list or segment. Times are seconds since the epoch unless something else is said.
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
    /// Of a segment: whether a test makes it say that it is being computed.
    pub(crate) is_processing: bool,
    /// Of a segment: how often its definition was changed.
    pub(crate) redefined: u32,
    /// Of a segment: the lists and segments that its definition names.
    pub(crate) groups: Vec<String>,
    /// Of a segment: who joins it one after the other, since its definition was changed.
    computing: Option<Computing>,
    /// How far Klaviyo's count of the members is behind, in microseconds.
    count_lag: i64,
    /// Since when there were how many members, oldest first; the last is how many there are. Microseconds.
    counts: VecDeque<(i64, usize)>,
    /// When the members change next, in microseconds: the present.
    now: i64,
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
            redefined: 0,
            groups: Vec::new(),
            computing: None,
            count_lag: 0,
            counts: VecDeque::from([(i64::MIN, 0)]),
            now: i64::MIN,
            by_join: BTreeSet::new(),
            by_id: BTreeMap::new(),
        }
    }

    /// Makes these the members, and nobody else.
    pub(crate) fn fill(&mut self, members: Vec<(i64, ProfileId)>) {
        self.by_id = members.iter().map(|(at, id)| (id.clone(), *at)).collect();
        self.by_join = members.into_iter().collect();
        self.note_count();
    }

    /// Makes a profile a member as of then, also if it is one.
    pub(crate) fn join(&mut self, id: &ProfileId, at: i64) {
        self.stop_waiting(id);
        self.put(id, at);
    }

    fn put(&mut self, id: &ProfileId, at: i64) {
        if let Some(before) = self.by_id.insert(id.clone(), at) {
            self.by_join.remove(&(before, id.clone()));
        }
        self.by_join.insert((at, id.clone()));
        self.note_count();
    }

    /// Makes a member leave. Answers whether the profile was a member.
    pub(crate) fn leave(&mut self, id: &ProfileId) -> bool {
        self.stop_waiting(id);
        let Some(at) = self.by_id.remove(id) else {
            return false;
        };
        self.note_count();
        self.by_join.remove(&(at, id.clone()))
    }

    /// Puts one profile in place of another, which has become it.
    pub(crate) fn merge(&mut self, from: &ProfileId, into: &ProfileId, at: i64) {
        if let Some(computing) = &mut self.computing
            && !self.by_id.contains_key(into)
        {
            computing.merge(from, into);
        }
        if self.leave(from) && self.joined(into).is_none() {
            self.join(into, at);
        }
    }

    fn stop_waiting(&mut self, id: &ProfileId) {
        if let Some(computing) = &mut self.computing {
            computing.remove(id);
        }
    }

    /// Changes the definition of a segment as of the present: it is emptied, and computed anew.
    pub(crate) fn redefine(&mut self, computing: Computing) {
        self.redefined += 1;
        self.updated = self.now.div_euclid(1_000_000);
        self.fill(Vec::new());
        self.computing = Some(computing).filter(|computing| !computing.is_over());
    }

    /// Those who are members, and then those who will be once the segment is computed.
    pub(crate) fn members_in_the_end(&self) -> Vec<ProfileId> {
        let members = self.by_join.iter().map(|(_, id)| id);
        let waiting = self.computing.iter().flat_map(Computing::waiting);
        members.chain(waiting).cloned().collect()
    }

    /// Whether a segment says that it is being computed.
    pub(crate) fn says_processing(&self) -> bool {
        self.is_processing || self.computing.as_ref().is_some_and(Computing::is_told)
    }

    /// Whether somebody has become a member by now (microseconds) and has not been made one.
    pub(crate) fn is_behind(&self, now: i64) -> bool {
        let computing = self.computing.as_ref();
        computing.is_some_and(|computing| computing.is_behind(now))
    }

    /// Makes those members who have become it by now (microseconds), and lets now be the present.
    pub(crate) fn catch_up(&mut self, now: i64) {
        while let Some((at, id)) = self.computing.as_mut().and_then(|it| it.next(now)) {
            self.now = at;
            self.put(&id, at.div_euclid(1_000_000));
        }
        if self.computing.as_ref().is_some_and(Computing::is_over) {
            self.computing = None;
        }
        self.now = now;
    }

    /// Lets Klaviyo's count of the members be so far behind, in microseconds.
    pub(crate) fn set_count_lag(&mut self, lag: i64) {
        self.count_lag = lag;
    }

    fn note_count(&mut self) {
        self.counts.push_back((self.now, self.by_id.len()));
        let needed = self.now.saturating_sub(self.count_lag);
        while self
            .counts
            .get(1)
            .is_some_and(|(since, _)| *since <= needed)
        {
            self.counts.pop_front();
        }
    }

    /// How many members Klaviyo counts now (microseconds).
    pub(crate) fn counted(&self, now: i64) -> usize {
        let then = now.saturating_sub(self.count_lag);
        let known = self.counts.iter().rev().find(|(since, _)| *since <= then);
        known.or(self.counts.front()).map_or(0, |(_, count)| *count)
    }

    /// When a member joined.
    pub(crate) fn joined(&self, id: &ProfileId) -> Option<i64> {
        self.by_id.get(id).copied()
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
