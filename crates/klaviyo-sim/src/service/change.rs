//! Carries out the changes that a fault plan asks for.

use std::time::Duration;

use crate::fault::{Change, MemberRef};
use crate::profiles::Profile;
use crate::state::{Account, ChangeError};

/// Where and when a change is made.
pub(super) struct ChangeContext<'a> {
    /// The id of the list or segment in the path.
    pub(super) collection: &'a str,
    /// The key of the request.
    pub(super) key: &'a str,
    /// Microseconds since the epoch.
    pub(super) now: i64,
    pub(super) merging_takes: Duration,
}

/// Makes the change.
pub(super) fn apply(
    change: &Change,
    account: &mut Account,
    at: &ChangeContext<'_>,
) -> Result<(), ChangeError> {
    let ChangeContext {
        collection, key, ..
    } = *at;
    let seconds = at.now.div_euclid(1_000_000);
    match change {
        Change::Join(count) => {
            for _ in 0..*count {
                let tag: u32 = rand::random();
                let profile = Profile::with_email(&format!("newcomer.{tag:08x}@example.com"));
                let id = account.put(profile, seconds).to_string();
                account.join(collection, &id, seconds)?;
            }
            Ok(())
        }
        Change::JoinAs(profile) => {
            let id = account.put((**profile).clone(), seconds).to_string();
            account.join(collection, &id, seconds)
        }
        Change::Leave(member) => account.leave(collection, &id_of(member, account, collection)?),
        Change::Rejoin(member) => {
            let id = id_of(member, account, collection)?;
            account.leave(collection, &id)?;
            account.join(collection, &id, seconds)
        }
        Change::ForgetJoin(member, place) => {
            let id = id_of(member, account, collection)?;
            account.forget_join(collection, &id, *place)
        }
        Change::Merge(from, into) => {
            let from = id_of(from, account, collection)?;
            let into = id_of(into, account, collection)?;
            let takes = i64::try_from(at.merging_takes.as_micros()).unwrap_or(i64::MAX);
            account.merge(&from, &into, at.now.saturating_add(takes))
        }
        Change::Delete(member) => account.delete(&id_of(member, account, collection)?),
        Change::DeleteCollection => account.delete_collection(collection),
        Change::Rename(name) => account.rename(collection, Some(name), seconds),
        Change::Process(is_processing) => account.set_processing(collection, *is_processing),
        Change::Redefine => account.redefine(collection, seconds),
        Change::RevokeKey => {
            account.keys.retain(|known| known.secret != key);
            Ok(())
        }
        Change::DropScope(scope) => {
            for known in account.keys.iter_mut().filter(|known| known.secret == key) {
                known.scopes.remove(scope);
            }
            Ok(())
        }
    }
}

/// The profile id of a member of the collection.
fn id_of(member: &MemberRef, account: &Account, collection: &str) -> Result<String, ChangeError> {
    let index = match member {
        MemberRef::Id(id) => return Ok(id.clone()),
        MemberRef::First => Some(0),
        MemberRef::Nth(number) => number.checked_sub(1),
        MemberRef::Last => None,
    };
    let found = account.collections.get(collection);
    let found = found.ok_or_else(|| ChangeError::NoCollection(collection.to_owned()))?;
    let joined = match index {
        Some(index) => found.by_join().iter().nth(index),
        None => found.by_join().last(),
    };
    let (_, id) = joined.ok_or_else(|| ChangeError::NoProfile(format!("{member:?}")))?;
    Ok(id.to_string())
}
