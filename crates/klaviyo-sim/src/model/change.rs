//! What happens to an account while somebody reads it.

use super::account::Account;
use super::collection::Kind;
use super::profile::Profile;

/// A change of an account.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A profile of the account joins a collection now, first or again.
    Join {
        /// The collection.
        kind: Kind,
        /// Its id.
        collection: String,
        /// The profile's id.
        profile: String,
    },
    /// A profile leaves a collection.
    Leave {
        /// The collection.
        kind: Kind,
        /// Its id.
        collection: String,
        /// The profile's id.
        profile: String,
    },
    /// A profile is there from now on, or is another one.
    Put {
        /// Its id.
        profile: String,
        /// What it becomes.
        to: Box<Profile>,
    },
    /// A profile is deleted and leaves everything.
    Delete {
        /// Its id.
        profile: String,
    },
    /// A profile is merged into another: that one is in all its collections, itself it is gone.
    Merge {
        /// The one that goes.
        profile: String,
        /// The one that stays.
        into: String,
    },
    /// A collection is deleted.
    Remove {
        /// The collection.
        kind: Kind,
        /// Its id.
        collection: String,
    },
    /// A collection gets another name.
    Rename {
        /// The collection.
        kind: Kind,
        /// Its id.
        collection: String,
        /// The name.
        name: Option<String>,
    },
    /// A key is revoked.
    Revoke {
        /// The key.
        key: String,
    },
}

impl Account {
    /// Carries a change out, at this time in microseconds. What it is about may be gone: then nothing
    /// happens, as in the real one.
    pub fn change(&mut self, change: &Change, now: i64) {
        let second = now.div_euclid(1_000_000);
        match change {
            Change::Join {
                kind,
                collection,
                profile,
            } => {
                self.join(*kind, collection, profile, second);
            }
            Change::Leave {
                kind,
                collection,
                profile,
            } => {
                self.leave(*kind, collection, profile);
            }
            Change::Put { profile, to } => self.put_profile(profile, to.as_ref().clone()),
            Change::Delete { profile } => {
                self.delete_profile(profile);
            }
            Change::Merge { profile, into } => self.merge(profile, into, second),
            Change::Remove { kind, collection } => {
                self.remove(*kind, collection);
            }
            Change::Rename {
                kind,
                collection,
                name,
            } => {
                if let Some(found) = self.collection_mut(*kind, collection) {
                    found.name.clone_from(name);
                    found.updated = now;
                }
            }
            Change::Revoke { key } => {
                self.keys.remove(key);
            }
        }
    }

    fn merge(&mut self, profile: &str, into: &str, second: i64) {
        if self.profile(into).is_none() {
            return;
        }
        let of: Vec<(Kind, String)> = self
            .collections
            .iter()
            .filter(|(_, c)| c.joined(profile).is_some() && c.joined(into).is_none())
            .map(|(key, _)| key.clone())
            .collect();
        for (kind, collection) in of {
            self.join(kind, &collection, into, second);
        }
        self.delete_profile(profile);
    }
}
