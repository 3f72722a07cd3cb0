//! Lists and segments, with their members in the order of joining.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::profile::Profile;

/// What a collection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A list.
    List,
    /// A segment.
    Segment,
}

/// A profile's id.
pub(crate) type Id = Arc<str>;

/// A list or segment.
#[derive(Debug, Clone)]
pub struct Collection {
    /// Its name; Klaviyo's may be null.
    pub name: Option<String>,
    /// `created`: microseconds since 1970.
    pub created: i64,
    /// `updated`, which a member's coming and going does not move.
    pub updated: i64,
    /// `opt_in_process` of a list.
    pub opt_in_process: &'static str,
    /// `is_active` of a segment.
    pub is_active: bool,
    /// `is_processing` of a segment.
    pub is_processing: bool,
    /// By join time in whole seconds, then by id.
    order: BTreeSet<(i64, Id)>,
    joined: HashMap<Id, i64>,
}

/// A member, as the truth has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The profile's id.
    pub id: String,
    /// When it last joined: seconds since 1970.
    pub joined: i64,
    /// The profile.
    pub profile: Profile,
}

impl Collection {
    pub(crate) fn new(name: &str, created: i64) -> Self {
        Self {
            name: Some(name.to_owned()),
            created,
            updated: created,
            opt_in_process: "single_opt_in",
            is_active: true,
            is_processing: false,
            order: BTreeSet::new(),
            joined: HashMap::new(),
        }
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Lets a profile join, or join again, at this second.
    pub(crate) fn join(&mut self, id: &Id, second: i64) {
        self.leave(id);
        self.joined.insert(Arc::clone(id), second);
        self.order.insert((second, Arc::clone(id)));
    }

    /// Lets a profile leave. Tells whether it was there.
    pub(crate) fn leave(&mut self, id: &str) -> bool {
        let Some((id, second)) = self.joined.remove_entry(id) else {
            return false;
        };
        self.order.remove(&(second, id))
    }

    pub(crate) fn joined(&self, id: &str) -> Option<i64> {
        self.joined.get(id).copied()
    }

    /// The members in order.
    pub(crate) const fn order(&self) -> &BTreeSet<(i64, Id)> {
        &self.order
    }
}
