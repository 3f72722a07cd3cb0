//! Reads and changes the state of a running simulator.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;

use crate::fault::{Fault, Recomputation};
use crate::instant;
use crate::journal::{Channel, ConsentLevel, Entry};
use crate::key::Key;
use crate::kind::Kind;
use crate::plan::FlowPlan;
use crate::profiles::Profile;
use crate::record::Request;
use crate::service::{Service, later};
use crate::state::{ChangeError, known};

/// A running simulator, from within.
#[derive(Clone)]
pub struct Handle {
    service: Arc<Service>,
}

/// A member of a list or segment, with all its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// When it most recently joined; `None` if Klaviyo tells no time.
    pub joined: Option<OffsetDateTime>,
    /// Its values.
    pub profile: Profile,
}

impl Handle {
    pub(crate) fn new(service: Arc<Service>) -> Self {
        Self { service }
    }

    /// The requests so far, in the order of their answers.
    pub fn requests(&self) -> Vec<Request> {
        self.service.log().kept.clone()
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.service.log().kept.clear();
    }

    /// What the journals of all accounts hold by now that they must not hold, in words: see [`breaches`](crate::breaches).
    pub fn breaches(&self) -> Vec<String> {
        self.service.breaches()
    }

    /// The same with what shows only later.
    pub(crate) fn breaches_at_last(&self) -> Vec<String> {
        self.service.breaches_at_last()
    }

    /// Plans one more fault.
    pub fn add_fault(&self, fault: Fault) {
        self.service.schedule().add(fault);
    }

    /// Forgets all faults, those to come as well.
    pub fn clear_faults(&self) {
        self.service.schedule().clear();
    }

    /// Makes a change at once that a fault would make before a request is answered.
    pub fn change_at_once(&self, fault: &Fault) -> Result<(), ChangeError> {
        self.service.change_at_once(fault)
    }

    /// The only account, or the first.
    pub fn account(&self) -> AccountHandle {
        AccountHandle {
            service: Arc::clone(&self.service),
            id: None,
        }
    }

    /// The account with this id.
    pub fn account_with_id(&self, id: &str) -> AccountHandle {
        AccountHandle {
            service: Arc::clone(&self.service),
            id: Some(id.to_owned()),
        }
    }
}

/// An account of a running simulator. Changes are seen by the next request.
#[derive(Clone)]
pub struct AccountHandle {
    service: Arc<Service>,
    id: Option<String>,
}

impl AccountHandle {
    fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    fn seconds(&self) -> i64 {
        self.service.now().unix_timestamp()
    }

    fn micros(&self) -> i64 {
        instant::micros_of(self.service.now())
    }

    /// How many members a list or segment has.
    pub fn size(&self, collection: &str) -> Result<usize, ChangeError> {
        let state = self.service.state_mut();
        let found = state.account(self.id())?.find_collection(collection)?;
        Ok(found.by_join().len())
    }

    /// The id of the member at this place in the order of joining, counted from 0.
    pub fn member_id(&self, collection: &str, place: usize) -> Result<Option<String>, ChangeError> {
        let state = self.service.state_mut();
        let found = state.account(self.id())?.find_collection(collection)?;
        let member = found.by_join().iter().nth(place);
        Ok(member.map(|(_, id)| id.to_string()))
    }

    /// Whether a profile is a member.
    pub fn is_member(&self, collection: &str, id: &str) -> Result<bool, ChangeError> {
        let state = self.service.state_mut();
        let account = state.account(self.id())?;
        let found = account.find_collection(collection)?;
        let id = account.profiles.find(id);
        Ok(id.is_some_and(|id| found.joined(&id).is_some()))
    }

    /// All members of a list or segment, in the order of joining, ties by id.
    pub fn members(&self, collection: &str) -> Result<Vec<Member>, ChangeError> {
        let state = self.service.state_mut();
        let account = state.account(self.id())?;
        let found = account.find_collection(collection)?;
        let members = found.by_join().iter().filter_map(|(joined, id)| {
            Some(Member {
                joined: known(*joined)
                    .and_then(|joined| OffsetDateTime::from_unix_timestamp(joined).ok()),
                profile: account.profiles.get(id)?,
            })
        });
        Ok(members.collect())
    }

    /// The ids of all lists or of all segments.
    pub fn collections(&self, kind: Kind) -> Result<Vec<String>, ChangeError> {
        let state = self.service.state();
        let collections = state.account(self.id())?.collections.values();
        let of_kind = collections.filter(|collection| collection.kind == kind);
        Ok(of_kind.map(|collection| collection.id.clone()).collect())
    }

    /// A profile by its id.
    pub fn profile(&self, id: &str) -> Result<Option<Profile>, ChangeError> {
        let state = self.service.state_mut();
        let profiles = &state.account(self.id())?.profiles;
        Ok(profiles.find(id).and_then(|id| profiles.get(&id)))
    }

    /// Puts a profile in, or in place of the one with its id. Answers with its id.
    pub fn put(&self, profile: Profile) -> Result<String, ChangeError> {
        let now = self.seconds();
        let mut state = self.service.state_mut();
        let id = state.account_mut(self.id())?.put(profile, now);
        Ok(id.to_string())
    }

    /// Changes a profile's values, and the time of its last change.
    pub fn update(&self, id: &str, change: impl FnOnce(&mut Profile)) -> Result<(), ChangeError> {
        let now = self.seconds();
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.update(id, now, change)
    }

    /// Makes a profile a member as of now, also if it is one.
    pub fn join(&self, collection: &str, id: &str) -> Result<(), ChangeError> {
        let now = self.seconds();
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.join(collection, id, now)
    }

    /// Puts a profile in and makes it a member as of now. Answers with its id.
    pub fn join_as(&self, collection: &str, profile: Profile) -> Result<String, ChangeError> {
        let id = self.put(profile)?;
        self.join(collection, &id)?;
        Ok(id)
    }

    /// Makes a member leave.
    pub fn leave(&self, collection: &str, id: &str) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.leave(collection, id)
    }

    /// Makes a profile a member, also if it is one, with this join time: it may lie in the future.
    pub fn join_at(
        &self,
        collection: &str,
        id: &str,
        joined: OffsetDateTime,
    ) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        let account = state.account_mut(self.id())?;
        account.join(collection, id, joined.unix_timestamp())
    }

    /// Merges one profile into another. For some time yet both can be read.
    pub fn merge(&self, from: &str, into: &str) -> Result<(), ChangeError> {
        let done = later(self.micros(), self.service.switches.merging_takes);
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.merge(from, into, done, done)
    }

    /// Merges one profile into another at once: lists and segments have the other. The id of the first still answers
    /// for so long.
    pub fn merge_at_once(
        &self,
        from: &str,
        into: &str,
        answers_for: Duration,
    ) -> Result<(), ChangeError> {
        let now = self.micros();
        let mut state = self.service.state_mut();
        let account = state.account_mut(self.id())?;
        account.merge(from, into, now, later(now, answers_for))?;
        account.catch_up(now);
        Ok(())
    }

    /// Deletes a profile.
    pub fn delete(&self, id: &str) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.delete(id)
    }

    /// Adds an empty list or segment.
    pub fn create_collection(&self, kind: Kind, id: &str, name: &str) -> Result<(), ChangeError> {
        let now = self.seconds();
        let mut state = self.service.state_mut();
        let account = state.account_mut(self.id())?;
        account.create_collection(kind, id, name, now);
        Ok(())
    }

    /// Renames a list or segment, or takes its name away.
    pub fn rename(&self, collection: &str, name: Option<&str>) -> Result<(), ChangeError> {
        let now = self.seconds();
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.rename(collection, name, now)
    }

    /// Begins or ends the computing of a segment, as the segment itself tells it.
    pub fn set_processing(&self, segment: &str, is_processing: bool) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        let account = state.account_mut(self.id())?;
        account.set_processing(segment, is_processing)
    }

    /// Lets the definition of a segment name these lists and segments. Its members stay as they are.
    pub fn define_by(&self, segment: &str, groups: &[&str]) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.define_by(segment, groups)
    }

    /// Changes the definition of a segment: its `updated` is now, it is emptied, and profiles join it anew.
    pub fn recompute(&self, segment: &str, how: &Recomputation) -> Result<(), ChangeError> {
        let now = self.micros();
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.recompute(segment, how, now)
    }

    /// Lets Klaviyo's count of a list or segment be so far behind from now on.
    pub fn set_count_lag(&self, collection: &str, lag: Duration) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.set_count_lag(collection, lag)
    }

    /// Deletes a list or segment.
    pub fn delete_collection(&self, collection: &str) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.delete_collection(collection)
    }

    /// Adds a key.
    pub fn add_key(&self, key: Key) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.keys.push(key);
        Ok(())
    }

    /// The journal of writes so far: what requests have asked for and what has come of it by now.
    pub fn journal(&self) -> Result<Vec<Entry>, ChangeError> {
        let state = self.service.state_mut();
        Ok(state.account(self.id())?.writes.journal.clone())
    }

    /// Adds a flow.
    pub fn add_flow(&self, flow: FlowPlan) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.writes.flows.push(flow);
        Ok(())
    }

    /// Lets a person change a consent of theirs.
    pub fn consent(&self, id: &str, channel: Channel, to: ConsentLevel) -> Result<(), ChangeError> {
        let now = self.micros();
        let mut state = self.service.state_mut();
        let account = state.account_mut(self.id())?;
        account.consent_by_person(id, channel, to, now)
    }

    /// Revokes all keys.
    pub fn revoke_keys(&self) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        state.account_mut(self.id())?.keys.clear();
        Ok(())
    }

    /// Revokes a key.
    pub fn revoke_key(&self, secret: &str) -> Result<(), ChangeError> {
        let mut state = self.service.state_mut();
        let keys = &mut state.account_mut(self.id())?.keys;
        keys.retain(|key| key.secret != secret);
        Ok(())
    }
}
