//! What an account lives through, and what has happened to it.

use std::time::Duration;

use crate::fault::Recomputation;

/// What happens to an account, and for how long.
#[derive(Debug, Clone)]
pub struct Life {
    /// Another number is another life.
    pub seed: u64,
    /// How long it lasts.
    pub lasts: Duration,
    /// How many ordinary changes there are, at random times: joins, leavings, changes of profiles.
    pub changes: u32,
    /// What else happens, and how long after the beginning.
    pub events: Vec<(Duration, Event)>,
}

impl Life {
    /// An hour of so many ordinary changes.
    pub const fn hour(seed: u64, changes: u32) -> Self {
        Self {
            seed,
            lasts: Duration::from_hours(1),
            changes,
            events: Vec::new(),
        }
    }

    /// The same with something else that happens so long after the beginning.
    #[must_use]
    pub fn with(mut self, after: Duration, event: Event) -> Self {
        self.events.push((after, event));
        self
    }
}

/// What happens to an account now and then.
#[derive(Debug, Clone)]
pub enum Event {
    /// The definition of this segment is changed: it is emptied, and computed anew.
    Recompute(String, Recomputation),
    /// The account's requests are answered with a 503 for so long. Its end ends all other faults, too.
    Outage(Duration),
    /// All keys are revoked, and so long after that there is another.
    ReplaceKeys {
        /// How long there is none.
        after: Duration,
        /// The key that there is then.
        with: String,
    },
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A profile has joined a list, or joined it again.
    Joined {
        /// The list.
        list: String,
        /// The profile.
        profile: String,
    },
    /// A profile has left a list.
    Left {
        /// The list.
        list: String,
        /// The profile.
        profile: String,
    },
    /// A profile's values have changed.
    Changed(String),
    /// A profile has become another.
    Merged {
        /// The profile that is no more.
        from: String,
        /// The profile that it has become.
        into: String,
    },
    /// A profile was deleted.
    Deleted(String),
    /// A list has another name.
    Renamed(String),
    /// A segment is computed anew.
    Recomputed(String),
    /// Klaviyo answers no more.
    OutageBegan,
    /// Klaviyo answers again.
    OutageEnded,
    /// The account has no key.
    KeysRevoked,
    /// The account has this key.
    KeyAdded(String),
}
