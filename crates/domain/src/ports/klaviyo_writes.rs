//! Writes to Klaviyo.

use std::collections::BTreeSet;

use async_trait::async_trait;

use crate::connection::Credential;
use crate::ids::{CollectionId, Cursor, ImportJobId, MetricId, ProfileId};
use crate::klaviyo::{Answer, Collection, KlaviyoError, MemberLookup, MemberPage};
use crate::time::Timestamp;
use crate::writing::{
    Event, Flow, FlowsOf, FoundProfile, ImportErrorPage, ImportJob, MetricPage, ProfileChanges,
    ProfileUpsert, RecordedEvents, Unsubscribe, WriteError, WrittenProfile,
};

/// The part of Klaviyo's REST API that writes, and the reads that a write needs before and after it.
///
/// Each call is one request, as with [`super::Klaviyo`]. An adapter never sends a request a second time: a write whose
/// answer was lost is [`WriteError::OutcomeUnknown`], and the caller decides. There is no call that subscribes
/// somebody, lifts a suppression or adds one, and none may be added.
#[async_trait]
pub trait KlaviyoWrites: Send + Sync {
    /// How many of these events, from the first, one request holds by their number and by the bytes that they have on
    /// the wire. It is 1 at least, unless there are none: an event that is too large is refused when it is sent.
    fn events_that_fit(&self, events: &[Event]) -> usize;

    /// The same of the profiles of an import job.
    fn profiles_that_fit(&self, profiles: &[ProfileUpsert]) -> usize;

    /// `POST /api/events`. The answer says that the event is valid, not that it is kept. Scope `events:write`.
    async fn create_event(
        &self,
        credential: &Credential,
        event: &Event,
    ) -> Result<Answer<()>, WriteError>;

    /// `POST /api/event-bulk-create-jobs`: as many events as fit. Klaviyo refuses all of them for one that it refuses,
    /// and for two with the same profile, metric and unique id; of such a pair only the first is sent. A row that a refusal
    /// names is the place of the event among these. Scope `events:write`.
    async fn create_events(
        &self,
        credential: &Credential,
        events: &[Event],
    ) -> Result<Answer<()>, WriteError>;

    /// `PATCH /api/profiles/{id}` with the changed values alone. Scope `profiles:write`.
    async fn update_profile(
        &self,
        credential: &Credential,
        profile: &ProfileId,
        changes: &ProfileChanges,
    ) -> Result<Answer<WrittenProfile>, WriteError>;

    /// `POST /api/profile-import`: makes a profile, or changes the one that has its identifiers. Scope `profiles:write`.
    async fn upsert_profile(
        &self,
        credential: &Credential,
        profile: &ProfileUpsert,
    ) -> Result<Answer<WrittenProfile>, WriteError>;

    /// `POST /api/profile-bulk-import-jobs`: as many profiles as fit, without a list. The job empties no value.
    /// Scopes `lists:write` and `profiles:write`.
    async fn start_import(
        &self,
        credential: &Credential,
        profiles: &[ProfileUpsert],
    ) -> Result<Answer<ImportJob>, WriteError>;

    /// `GET /api/profile-bulk-import-jobs/{id}`: how far a job is. Scopes `lists:read` and `profiles:read`.
    async fn import_job(
        &self,
        credential: &Credential,
        job: &ImportJobId,
    ) -> Result<Answer<ImportJob>, KlaviyoError>;

    /// `GET /api/profile-bulk-import-jobs/{id}/import-errors`, a hundred on a page. A job that is complete may have
    /// some. Scope `profiles:read`.
    async fn import_errors(
        &self,
        credential: &Credential,
        job: &ImportJobId,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<ImportErrorPage>, KlaviyoError>;

    /// `GET /api/profile-bulk-import-jobs/{id}/profiles`, a hundred on a page, in no known order. Scope `profiles:read`.
    async fn imported_profiles(
        &self,
        credential: &Credential,
        job: &ImportJobId,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<MemberPage>, KlaviyoError>;

    /// `GET /api/profiles`: those that there are with one of a few e-mails or phone numbers,
    /// [`crate::writing::MAX_LOOKED_FOR`] at most, with their consents. Scope `profiles:read`.
    async fn find_profiles(
        &self,
        credential: &Credential,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError>;

    /// `GET /api/profiles`: those that there are of a few ids, [`crate::writing::MAX_LOOKED_FOR`] at most, with their external
    /// ids. Scope `profiles:read`.
    async fn look_at_profiles(
        &self,
        credential: &Credential,
        ids: &[ProfileId],
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError>;

    /// `POST /api/lists/{id}/relationships/profiles`, [`crate::writing::MAX_LISTED`] profiles at most. Who is a member
    /// already stays one. It gives no consent. Scopes `lists:write` and `profiles:write`.
    async fn add_to_list(
        &self,
        credential: &Credential,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Answer<()>, WriteError>;

    /// `DELETE /api/lists/{id}/relationships/profiles`, the same. It takes no consent.
    async fn remove_from_list(
        &self,
        credential: &Credential,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Answer<()>, WriteError>;

    /// `POST /api/lists`: a new, empty list with the account's own opt-in process. Klaviyo allows 150 a day, and two lists may
    /// have one name: a call whose answer was lost may have made one. Scope `lists:write`.
    async fn create_list(
        &self,
        credential: &Credential,
        name: &str,
    ) -> Result<Answer<Collection>, WriteError>;

    /// `GET /api/lists/{id}/flow-triggers`, or the same of a segment or a metric: the flows that it starts. Scope `flows:read`
    /// and that of what starts them.
    async fn flows(
        &self,
        credential: &Credential,
        of: &FlowsOf,
    ) -> Result<Answer<Vec<Flow>>, KlaviyoError>;

    /// `GET /api/segments/{id}` with its definition: the lists and segments that it is computed from, which Klaviyo names by ids alone.
    /// Scope `segments:read`.
    async fn segment_groups(
        &self,
        credential: &Credential,
        segment: &CollectionId,
    ) -> Result<Answer<BTreeSet<CollectionId>>, KlaviyoError>;

    /// `GET /api/metrics`: a page of the account's metrics. Scope `metrics:read`.
    async fn metrics(
        &self,
        credential: &Credential,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<MetricPage>, KlaviyoError>;

    /// `GET /api/events`: a page of the events of a metric from a time on, to see whether they arrived. Scope `events:read`.
    async fn recorded_events(
        &self,
        credential: &Credential,
        metric: &MetricId,
        since: Timestamp,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<RecordedEvents>, KlaviyoError>;

    /// `POST /api/profile-subscription-bulk-delete-jobs`: ends consent, for [`crate::writing::MAX_UNSUBSCRIBED`] people at most.
    /// Scopes `lists:write`, `profiles:write` and `subscriptions:write`.
    async fn unsubscribe(
        &self,
        credential: &Credential,
        unsubscribe: &Unsubscribe,
    ) -> Result<Answer<()>, WriteError>;
}
