//! Carries out the changes that a fault plan asks for.

use std::time::Duration;

use crate::fault::{Change, MemberRef};
use crate::key::Key;
use crate::profiles::Profile;
use crate::state::{Account, ChangeError};

/// Where and when a change is made.
pub(super) struct ChangeContext<'a> {
    /// The id of the list or segment in the path.
    pub(super) collection: &'a str,
    /// The key of the request; `None` if the change comes of no request, and means every key.
    pub(super) key: Option<&'a str>,
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
        Change::JoinAhead(member, ahead) => {
            let id = id_of(member, account, collection)?;
            account.join(
                collection,
                &id,
                seconds.saturating_add(whole_seconds(*ahead)),
            )
        }
        Change::Touch(member, ahead) => {
            let id = id_of(member, account, collection)?;
            let updated = seconds.saturating_add(whole_seconds(*ahead));
            account.update(&id, updated, |_| {})
        }
        Change::ForgetJoin(member, place) => {
            let id = id_of(member, account, collection)?;
            account.forget_join(collection, &id, *place)
        }
        Change::Merge(from, into) => {
            let from = id_of(from, account, collection)?;
            let into = id_of(into, account, collection)?;
            let done = later(at.now, at.merging_takes);
            account.merge(&from, &into, done, done)
        }
        Change::MergeAtOnce(from, into, answers_for) => {
            let from = id_of(from, account, collection)?;
            let into = id_of(into, account, collection)?;
            account.merge(&from, &into, at.now, later(at.now, *answers_for))?;
            account.catch_up(at.now);
            Ok(())
        }
        Change::Delete(member) => account.delete(&id_of(member, account, collection)?),
        Change::DeleteCollection => account.delete_collection(collection),
        Change::Rename(name) => account.rename(collection, Some(name), seconds),
        Change::Process(is_processing) => account.set_processing(collection, *is_processing),
        Change::Recompute(how) => account.recompute(collection, how, at.now),
        Change::LagCount(lag) => account.set_count_lag(collection, *lag),
        Change::RevokeKey => {
            let is_kept = |known: &Key| key.is_some_and(|key| known.secret != key);
            account.keys.retain(is_kept);
            Ok(())
        }
        Change::AddKey(added) => {
            account.keys.push(added.clone());
            Ok(())
        }
        Change::DropScope(scope) => {
            let is_meant = |known: &&mut Key| key.is_none_or(|key| known.secret == key);
            for known in account.keys.iter_mut().filter(is_meant) {
                known.scopes.remove(scope);
            }
            Ok(())
        }
    }
}

/// A time that comes so long after another, in microseconds.
pub(crate) fn later(now: i64, by: Duration) -> i64 {
    now.saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX))
}

fn whole_seconds(length: Duration) -> i64 {
    i64::try_from(length.as_secs()).unwrap_or(i64::MAX)
}

/// The profile id of a member of the collection.
fn id_of(member: &MemberRef, account: &Account, collection: &str) -> Result<String, ChangeError> {
    let index = match member {
        MemberRef::Id(id) => return Ok(id.clone()),
        MemberRef::First => Some(0),
        MemberRef::Nth(number) => number.checked_sub(1),
        MemberRef::Last => None,
    };
    let found = account.find_collection(collection)?;
    let joined = match index {
        Some(index) => found.by_join().iter().nth(index),
        None => found.by_join().last(),
    };
    let (_, id) = joined.ok_or_else(|| ChangeError::NoProfile(format!("{member:?}")))?;
    Ok(id.to_string())
}
