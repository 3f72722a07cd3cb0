//! Klaviyo's part that writes, in memory: what it has recorded, what it was asked, and faults that a test orders.

mod events;
mod imports;
mod profiles;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{CollectionId, Cursor, ImportJobId, MetricId, ProfileId};
use fanfare_domain::klaviyo::{Answer, Collection, KlaviyoError, MemberLookup, MemberPage};
use fanfare_domain::ports::{Clock, KlaviyoWrites};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Event, Flow, FlowsOf, FoundProfile, ImportErrorPage, ImportJob, MAX_EVENTS, Metric, MetricPage,
    ProfileChanges, ProfileUpsert, RecordedEvents, Unsubscribe, WriteError, WrittenProfile,
};

use crate::fake_klaviyo::FakeKlaviyo;
use crate::fake_lists::Lists;
use crate::memory::yield_point;

pub use self::imports::Jobs;
use self::profiles::Account;
pub use self::profiles::ProfileCall;
pub use crate::fake_lists::{Direction, ListCall};

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteFault {
    /// It is done, and its answer is lost.
    AnswerLost,
    /// It is not done, and its answer is lost.
    RequestLost,
    /// It is answered as if it were done, and is not.
    NoEffect,
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
    /// How often it was asked what it has recorded.
    reads: usize,
    /// The account whose profiles are written, if there is one.
    account: Option<Account>,
    profile_calls: Vec<ProfileCall>,
    jobs: Vec<imports::Job>,
    jobs_go: Jobs,
}

impl FakeWrites {
    /// The same, which writes the profiles of the Klaviyo whose lists it has, by this clock.
    #[must_use]
    pub fn with_profiles(self, clock: Arc<dyn Clock>) -> Self {
        {
            let mut state = self.state();
            let klaviyo = state.lists.klaviyo.clone();
            state.account = klaviyo.map(|klaviyo| Account { klaviyo, clock });
        }
        self
    }

    /// The part that writes of this Klaviyo, whose profiles it changes by this clock.
    pub fn of(klaviyo: &FakeKlaviyo, clock: Arc<dyn Clock>) -> Self {
        Self::default().with_profiles_of(klaviyo, clock)
    }

    /// The same, which changes this Klaviyo's profiles too, by this clock.
    #[must_use]
    pub fn with_profiles_of(self, klaviyo: &FakeKlaviyo, clock: Arc<dyn Clock>) -> Self {
        self.state().account = Some(Account {
            klaviyo: klaviyo.clone(),
            clock,
        });
        self
    }

    /// What was asked of profiles and of consents, in order.
    pub fn profile_calls(&self) -> Vec<ProfileCall> {
        self.state().profile_calls.clone()
    }

    fn account(&self) -> Option<Account> {
        self.state().account.clone()
    }

    async fn take_profile(&self, call: ProfileCall) -> Result<Answer<WrittenProfile>, WriteError> {
        yield_point().await;
        let Some(account) = self.account() else {
            return none();
        };
        let fault = {
            let mut state = self.state();
            // Who changes nothing asks whether it may.
            let asks = matches!(&call, ProfileCall::Update(_, changes) if changes.is_empty());
            if !asks {
                state.profile_calls.push(call.clone());
            }
            state.faults.pop_front()
        };
        let value = match &fault {
            Some(WriteFault::Refused(error)) => return Err(error.clone()),
            // A change is answered with the profile as it is then: without effect there is no answer.
            Some(WriteFault::RequestLost | WriteFault::NoEffect) => None,
            Some(WriteFault::AnswerLost) | None => Some(account.apply(&call)?),
        };
        yield_point().await;
        match (fault, value) {
            (None, Some(value)) => Ok(Answer {
                value,
                rate_limits: None,
            }),
            _ => Err(WriteError::OutcomeUnknown {
                what: "nothing came".to_owned(),
                retry_after: RetryAfter::Unknown,
            }),
        }
    }

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

    /// How often it was asked for its metrics, or for what it has recorded.
    pub fn reads(&self) -> usize {
        self.state().reads
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
                Some(WriteFault::RequestLost | WriteFault::NoEffect) => {}
                Some(WriteFault::AnswerLost) | None => state.record(events)?,
            }
            fault
        };
        yield_point().await;
        match fault {
            None | Some(WriteFault::NoEffect) => Ok(answer(())),
            Some(_) => Err(WriteError::OutcomeUnknown {
                what: "nothing came".to_owned(),
                retry_after: RetryAfter::Unknown,
            }),
        }
    }
}

const fn answer<T>(value: T) -> Answer<T> {
    Answer {
        value,
        rate_limits: None,
    }
}

fn none<T>() -> Result<T, WriteError> {
    let what = "this Klaviyo keeps events alone, or profiles where it has an account".to_owned();
    Err(WriteError::Refused(what))
}

fn nothing<T>() -> Result<T, KlaviyoError> {
    let what = "this Klaviyo keeps events alone, or profiles where it has an account".to_owned();
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
        profile: &ProfileId,
        changes: &ProfileChanges,
    ) -> Result<Answer<WrittenProfile>, WriteError> {
        let call = ProfileCall::Update(profile.clone(), changes.clone());
        self.take_profile(call).await
    }

    async fn upsert_profile(
        &self,
        _: &Credential,
        profile: &ProfileUpsert,
    ) -> Result<Answer<WrittenProfile>, WriteError> {
        self.take_profile(ProfileCall::Upsert(profile.clone()))
            .await
    }

    async fn start_import(
        &self,
        _: &Credential,
        rows: &[ProfileUpsert],
    ) -> Result<Answer<ImportJob>, WriteError> {
        self.start_job(rows).await
    }

    async fn import_job(
        &self,
        _: &Credential,
        job: &ImportJobId,
    ) -> Result<Answer<ImportJob>, KlaviyoError> {
        self.job(job).await
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
        yield_point().await;
        // Who has lists knows also who is suppressed.
        let has_lists = self.state().lists.klaviyo.is_some();
        let Some(account) = self.account().filter(|_| !has_lists) else {
            return self.find_by(lookup).await;
        };
        let mut value = account.looked_for(lookup);
        self.state().lists.mark_suppressed(&mut value);
        yield_point().await;
        Ok(Answer {
            value,
            rate_limits: None,
        })
    }

    async fn look_at_profiles(
        &self,
        _: &Credential,
        ids: &[ProfileId],
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError> {
        yield_point().await;
        let Some(account) = self.account() else {
            return nothing();
        };
        let value = account.find(|profile| ids.contains(&profile.id));
        yield_point().await;
        Ok(Answer {
            value,
            rate_limits: None,
        })
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

    async fn segment_groups(
        &self,
        _: &Credential,
        segment: &CollectionId,
    ) -> Result<Answer<BTreeSet<CollectionId>>, KlaviyoError> {
        self.groups_of(segment).await
    }

    async fn metrics(
        &self,
        _: &Credential,
        _: Option<&Cursor>,
    ) -> Result<Answer<MetricPage>, KlaviyoError> {
        let mut state = self.state();
        state.reads += 1;
        let names: BTreeSet<&str> = state
            .recorded
            .iter()
            .map(|one| one.metric.as_str())
            .collect();
        let items = names.into_iter().filter_map(|name| {
            Some(Metric {
                id: MetricId::parse(format!("M {name}")).ok()?,
                name: Some(name.to_owned()),
            })
        });
        let page = MetricPage {
            items: items.collect(),
            next: None,
        };
        Ok(answer(page))
    }

    async fn recorded_events(
        &self,
        _: &Credential,
        metric: &MetricId,
        since: Timestamp,
        _: Option<&Cursor>,
    ) -> Result<Answer<RecordedEvents>, KlaviyoError> {
        let mut state = self.state();
        state.reads += 1;
        let is_of =
            |event: &&Event| format!("M {}", event.metric) == metric.as_str() && event.at >= since;
        let recorded = state.recorded.iter().filter(is_of);
        let page = RecordedEvents {
            unique_ids: recorded.map(|event| event.unique_id.clone()).collect(),
            next: None,
        };
        Ok(answer(page))
    }

    async fn unsubscribe(
        &self,
        _: &Credential,
        unsubscribe: &Unsubscribe,
    ) -> Result<Answer<()>, WriteError> {
        let call = ProfileCall::Unsubscribe(unsubscribe.scope().clone());
        let answer = self.take_profile(call).await?;
        Ok(Answer {
            value: (),
            rate_limits: answer.rate_limits,
        })
    }
}
