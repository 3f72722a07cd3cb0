//! Changes of an account in the middle of a walk.

use std::time::Duration;

use crate::people::Profile;
use crate::world::{Account, ChangeError};

/// A change of the account that is asked, made just before the request is answered. Lists and segments
/// are the one in the request's path.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// So many new people join.
    Join(u32),
    /// This new profile joins.
    JoinAs(Box<Profile>),
    /// A member leaves.
    Leave(Who),
    /// A member leaves and joins again.
    Rejoin(Who),
    /// The first profile is merged into the second.
    Merge(Who, Who),
    /// A profile is deleted.
    Delete(Who),
    /// The list or segment is deleted.
    DeleteCollection,
    /// The list or segment gets another name.
    Rename(String),
    /// The key is revoked with which the request is made.
    RevokeKey,
    /// The key loses a scope.
    DropScope(String),
}

/// Somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The member who joined first.
    First,
    /// The member who joined last.
    Last,
    /// The member in this place of the order of joining, counted from 1.
    Nth(usize),
    /// Whoever has this id.
    Id(String),
}

/// Where and when a change is made.
pub(crate) struct Circumstances<'a> {
    /// The list or segment in the path.
    pub(crate) collection: &'a str,
    /// The key of the request.
    pub(crate) key: &'a str,
    /// Microseconds since the epoch.
    pub(crate) now: i64,
    pub(crate) merging_takes: Duration,
}

impl Change {
    /// Makes the change.
    pub(crate) fn make(
        &self,
        account: &mut Account,
        at: &Circumstances<'_>,
    ) -> Result<(), ChangeError> {
        let Circumstances {
            collection, key, ..
        } = *at;
        let seconds = at.now.div_euclid(1_000_000);
        match self {
            Self::Join(count) => {
                for _ in 0..*count {
                    let tag: u32 = rand::random();
                    let profile = Profile::with_email(&format!("newcomer.{tag:08x}@example.com"));
                    let id = account.put(profile, seconds).to_string();
                    account.join(collection, &id, seconds)?;
                }
                Ok(())
            }
            Self::JoinAs(profile) => {
                let id = account.put((**profile).clone(), seconds).to_string();
                account.join(collection, &id, seconds)
            }
            Self::Leave(who) => account.leave(collection, &who.id(account, collection)?),
            Self::Rejoin(who) => {
                let id = who.id(account, collection)?;
                account.leave(collection, &id)?;
                account.join(collection, &id, seconds)
            }
            Self::Merge(from, into) => {
                let from = from.id(account, collection)?;
                let into = into.id(account, collection)?;
                let takes = i64::try_from(at.merging_takes.as_micros()).unwrap_or(i64::MAX);
                account.merge(&from, &into, at.now.saturating_add(takes))
            }
            Self::Delete(who) => account.delete(&who.id(account, collection)?),
            Self::DeleteCollection => account.delete_collection(collection),
            Self::Rename(name) => account.rename(collection, Some(name), seconds),
            Self::RevokeKey => {
                account.keys.retain(|known| known.secret != key);
                Ok(())
            }
            Self::DropScope(scope) => {
                for known in account.keys.iter_mut().filter(|known| known.secret == key) {
                    known.scopes.remove(scope);
                }
                Ok(())
            }
        }
    }
}

impl Who {
    fn id(&self, account: &Account, collection: &str) -> Result<String, ChangeError> {
        let place = match self {
            Self::Id(id) => return Ok(id.clone()),
            Self::First => Some(0),
            Self::Nth(number) => number.checked_sub(1),
            Self::Last => None,
        };
        let found = account.collections.get(collection);
        let found = found.ok_or_else(|| ChangeError::NoCollection(collection.to_owned()))?;
        let member = match place {
            Some(place) => found.by_join().iter().nth(place),
            None => found.by_join().last(),
        };
        let (_, id) = member.ok_or_else(|| ChangeError::NoProfile(format!("{self:?}")))?;
        Ok(id.to_string())
    }
}
