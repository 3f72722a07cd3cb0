//! Klaviyo's part that writes, in memory: what it has recorded, what it was asked, and faults that a test orders.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{CollectionId, Cursor, ImportJobId, MetricId, ProfileId};
use fanfare_domain::klaviyo::{Answer, Collection, KlaviyoError, MemberLookup, MemberPage};
use fanfare_domain::ports::KlaviyoWrites;
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    ContentRefusal, Event, Flow, FlowsOf, FoundProfile, ImportErrorPage, ImportJob, MAX_EVENTS,
    MetricPage, PersonalText, ProfileChanges, ProfileUpsert, RecordedEvents, RowRefusal,
    Unsubscribe, WriteError, WrittenProfile,
};

use crate::fake_lists::Lists;
use crate::memory::yield_point;

pub use crate::fake_lists::{Direction, ListCall};

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteFault {
    /// It is done, and its answer is lost.
    AnswerLost,
    /// It is not done, and its answer is lost.
    RequestLost,
    /// It is refused with this error.
    Refused(WriteError),
}

/// A call that makes events, by their unique ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventCall {
    /// One event.
    Single(String),
    /// Several at once.
    Bulk(Vec<String>),
}

/// A Klaviyo that keeps events. Clones are the same.
#[derive(Clone, Default)]
pub struct FakeWrites(Arc<Mutex<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) lists: Lists,
    calls: Vec<EventCall>,
    recorded: Vec<Event>,
    known: BTreeSet<(String, String, String)>,
    pub(crate) faults: VecDeque<WriteFault>,
    /// Unique ids whose content is refused.
    refused: BTreeSet<String>,
    /// Whether a refusal says which row it is about.
    names_rows: bool,
}

impl FakeWrites {
    /// What was asked, in order.
    pub fn calls(&self) -> Vec<EventCall> {
        self.state().calls.clone()
    }

    /// The events that are recorded, each once, in the order in which they came.
    pub fn recorded(&self) -> Vec<Event> {
        self.state().recorded.clone()
    }

    /// Their unique ids.
    pub fn unique_ids(&self) -> Vec<String> {
        let recorded = self.recorded();
        let ids = recorded.iter().map(|event| event.unique_id.to_string());
        ids.collect()
    }

    /// Makes the next calls go wrong, one after the other.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = WriteFault>) {
        self.state().faults.extend(faults);
    }

    /// Lets no further call go wrong.
    pub fn forget_faults(&self) {
        self.state().faults.clear();
    }

    /// Refuses the content of the event with this unique id. `names_rows` says whether a refusal tells which one it is.
    pub fn refuse(&self, unique_id: &str, names_rows: bool) {
        let mut state = self.state();
        state.refused.insert(unique_id.to_owned());
        state.names_rows = names_rows;
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, call: EventCall, events: &[Event]) -> Result<Answer<()>, WriteError> {
        yield_point().await;
        let fault = {
            let mut state = self.state();
            state.calls.push(call);
            let fault = state.faults.pop_front();
            match &fault {
                Some(WriteFault::Refused(error)) => return Err(error.clone()),
                Some(WriteFault::RequestLost) => {}
                Some(WriteFault::AnswerLost) | None => state.record(events)?,
            }
            fault
        };
        yield_point().await;
        match fault {
            None => Ok(Answer {
                value: (),
                rate_limits: None,
            }),
            Some(_) => Err(WriteError::OutcomeUnknown {
                what: "nothing came".to_owned(),
                retry_after: RetryAfter::Unknown,
            }),
        }
    }
}

impl State {
    fn record(&mut self, events: &[Event]) -> Result<(), WriteError> {
        let is_refused = |event: &Event| self.refused.contains(event.unique_id.as_str());
        if let Some(row) = events.iter().position(is_refused) {
            let named = RowRefusal {
                row: Some(row),
                field: None,
                code: "invalid".to_owned(),
            };
            return Err(WriteError::ContentRefused(ContentRefusal {
                status: 400,
                rows: self.names_rows.then_some(named).into_iter().collect(),
            }));
        }
        for event in events {
            let person = &event.person;
            let email = person.email.as_ref().map(PersonalText::as_str);
            let phone = person.phone.as_ref().map(PersonalText::as_str);
            let profile = person.profile.as_ref().map(ProfileId::as_str);
            let person = profile.or(email).or(phone).unwrap_or_default().to_owned();
            let key = (
                person,
                event.metric.to_string(),
                event.unique_id.to_string(),
            );
            if self.known.insert(key) {
                self.recorded.push(event.clone());
            }
        }
        Ok(())
    }
}

fn none<T>() -> Result<T, WriteError> {
    let what = "this Klaviyo keeps events alone".to_owned();
    Err(WriteError::Refused(what))
}

fn nothing<T>() -> Result<T, KlaviyoError> {
    let what = "this Klaviyo keeps events alone".to_owned();
    Err(KlaviyoError::Refused(what))
}

#[async_trait]
impl KlaviyoWrites for FakeWrites {
    fn events_that_fit(&self, events: &[Event]) -> usize {
        events.len().min(MAX_EVENTS)
    }

    fn profiles_that_fit(&self, profiles: &[ProfileUpsert]) -> usize {
        profiles.len()
    }

    async fn create_event(&self, _: &Credential, event: &Event) -> Result<Answer<()>, WriteError> {
        let call = EventCall::Single(event.unique_id.to_string());
        self.take(call, std::slice::from_ref(event)).await
    }

    async fn create_events(
        &self,
        _: &Credential,
        events: &[Event],
    ) -> Result<Answer<()>, WriteError> {
        let ids = events.iter().map(|event| event.unique_id.to_string());
        self.take(EventCall::Bulk(ids.collect()), events).await
    }

    async fn update_profile(
        &self,
        _: &Credential,
        _: &ProfileId,
        _: &ProfileChanges,
    ) -> Result<Answer<WrittenProfile>, WriteError> {
        none()
    }

    async fn upsert_profile(
        &self,
        _: &Credential,
        _: &ProfileUpsert,
    ) -> Result<Answer<WrittenProfile>, WriteError> {
        none()
    }

    async fn start_import(
        &self,
        _: &Credential,
        _: &[ProfileUpsert],
    ) -> Result<Answer<ImportJob>, WriteError> {
        none()
    }

    async fn import_job(
        &self,
        _: &Credential,
        _: &ImportJobId,
    ) -> Result<Answer<ImportJob>, KlaviyoError> {
        nothing()
    }

    async fn import_errors(
        &self,
        _: &Credential,
        _: &ImportJobId,
        _: Option<&Cursor>,
    ) -> Result<Answer<ImportErrorPage>, KlaviyoError> {
        nothing()
    }

    async fn imported_profiles(
        &self,
        _: &Credential,
        _: &ImportJobId,
        _: Option<&Cursor>,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        nothing()
    }

    async fn find_profiles(
        &self,
        _: &Credential,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError> {
        self.find_by(lookup).await
    }

    async fn add_to_list(
        &self,
        _: &Credential,
        list: &CollectionId,
        ids: &[ProfileId],
    ) -> Result<Answer<()>, WriteError> {
        self.change_list(Direction::Add, list, ids).await
    }

    async fn remove_from_list(
        &self,
        _: &Credential,
        list: &CollectionId,
        ids: &[ProfileId],
    ) -> Result<Answer<()>, WriteError> {
        self.change_list(Direction::Remove, list, ids).await
    }

    async fn create_list(
        &self,
        _: &Credential,
        name: &str,
    ) -> Result<Answer<Collection>, WriteError> {
        self.make_list(name).await
    }

    async fn flows(&self, _: &Credential, _: &FlowsOf) -> Result<Answer<Vec<Flow>>, KlaviyoError> {
        self.flows_of_lists().await
    }

    async fn metrics(
        &self,
        _: &Credential,
        _: Option<&Cursor>,
    ) -> Result<Answer<MetricPage>, KlaviyoError> {
        nothing()
    }

    async fn recorded_events(
        &self,
        _: &Credential,
        _: &MetricId,
        _: Timestamp,
        _: Option<&Cursor>,
    ) -> Result<Answer<RecordedEvents>, KlaviyoError> {
        nothing()
    }

    async fn unsubscribe(&self, _: &Credential, _: &Unsubscribe) -> Result<Answer<()>, WriteError> {
        none()
    }
}
