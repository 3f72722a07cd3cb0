//! The client's writes: one request, one answer.

use std::collections::BTreeSet;

use async_trait::async_trait;
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{CollectionId, Cursor, ImportJobId, MetricId, ProfileId};
use fanfare_domain::klaviyo::{Answer, Collection, KlaviyoError, MemberLookup, MemberPage};
use fanfare_domain::ports::{AnyRoom, KlaviyoWrites};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::source::CollectionKind;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Event, Flow, FlowsOf, FoundProfile, ImportErrorPage, ImportJob, MetricPage, ProfileChanges,
    ProfileUpsert, RecordedEvents, Unsubscribe, WriteError, WrittenProfile,
};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Method, Response, StatusCode};

use super::request::WriteRequest;
use super::{definition, event, flow, import, list, profile, refusal, unsubscribe};
use crate::client::{KlaviyoHttp, authorization, rate_limits_of, unavailable};
use crate::{body, collection, member, text};

const JSON_API: &str = "application/vnd.api+json";

impl KlaviyoHttp {
    /// Sends a write, and returns the answer if its status says that it was done. `members` are the profiles that it
    /// names beside the one of its address.
    async fn write(
        &self,
        credential: &Credential,
        request: WriteRequest,
        members: &[ProfileId],
    ) -> Result<Answer<Response>, WriteError> {
        let response = self
            .http()
            .request(request.method, request.url)
            .header(AUTHORIZATION, authorization(credential))
            .header(CONTENT_TYPE, JSON_API)
            .body(request.body)
            .send()
            .await
            .map_err(|error| lost(&error))?;
        let status = response.status();
        if !request.expects.contains(&status) {
            let headers = response.headers().clone();
            // A refusal counts even if its body cannot be read or is too large.
            let body = body::read(response, body::MAX_DOCUMENT_BYTES, &AnyRoom).await;
            return Err(refusal::read(
                status,
                &headers,
                &body.unwrap_or_default(),
                members,
            ));
        }
        let rate_limits = rate_limits_of(response.headers());
        Ok(Answer {
            value: response,
            rate_limits,
        })
    }

    /// Sends a write whose answer has no body.
    async fn write_only(
        &self,
        credential: &Credential,
        request: WriteRequest,
    ) -> Result<Answer<()>, WriteError> {
        self.write_members(credential, request, &[]).await
    }

    /// The same, of a write that names profiles.
    async fn write_members(
        &self,
        credential: &Credential,
        request: WriteRequest,
        members: &[ProfileId],
    ) -> Result<Answer<()>, WriteError> {
        let answer = self.write(credential, request, members).await?;
        Ok(Answer {
            value: (),
            rate_limits: answer.rate_limits,
        })
    }

    /// Sends a write and reads its answer. One that cannot be read leaves open what was done.
    async fn write_and_read<T>(
        &self,
        credential: &Credential,
        request: WriteRequest,
        read: impl Fn(StatusCode, &str) -> Result<T, KlaviyoError>,
    ) -> Result<Answer<T>, WriteError> {
        let answer = self.write(credential, request, &[]).await?;
        let status = answer.value.status();
        let unreadable = |error: KlaviyoError| WriteError::OutcomeUnknown {
            what: format!("it accepted the request, but {error}"),
            retry_after: RetryAfter::Unknown,
        };
        let body = body::read(answer.value, body::MAX_DOCUMENT_BYTES, &AnyRoom).await;
        let value = body.and_then(|body| text::decode(&body, |text| read(status, text)));
        Ok(Answer {
            value: value.map_err(unreadable)?,
            rate_limits: answer.rate_limits,
        })
    }
}

/// The error for a write without an answer. Without a connection nothing was sent.
fn lost(error: &reqwest::Error) -> WriteError {
    let what = match unavailable(error) {
        KlaviyoError::Unavailable(what) => what,
        other => other.to_string(),
    };
    if error.is_connect() {
        WriteError::NotSent(what)
    } else if error.is_builder() {
        WriteError::Refused("the request cannot be made".to_owned())
    } else {
        WriteError::OutcomeUnknown {
            what,
            retry_after: RetryAfter::Unknown,
        }
    }
}

#[async_trait]
impl KlaviyoWrites for KlaviyoHttp {
    fn events_that_fit(&self, events: &[Event]) -> usize {
        event::that_fit(events)
    }

    fn profiles_that_fit(&self, profiles: &[ProfileUpsert]) -> usize {
        import::that_fit(profiles)
    }

    async fn create_event(
        &self,
        credential: &Credential,
        event: &Event,
    ) -> Result<Answer<()>, WriteError> {
        let request = event::create(self.origin(), event)?;
        self.write_only(credential, request).await
    }

    async fn create_events(
        &self,
        credential: &Credential,
        events: &[Event],
    ) -> Result<Answer<()>, WriteError> {
        let (request, places) = event::create_many(self.origin(), events)?;
        let answer = self.write_only(credential, request).await;
        answer.map_err(|error| match error {
            WriteError::ContentRefused(mut refusal) => {
                for row in &mut refusal.rows {
                    row.row = row.row.and_then(|row| places.get(row).copied());
                }
                WriteError::ContentRefused(refusal)
            }
            error => error,
        })
    }

    async fn update_profile(
        &self,
        credential: &Credential,
        profile: &ProfileId,
        changes: &ProfileChanges,
    ) -> Result<Answer<WrittenProfile>, WriteError> {
        let request = profile::update(self.origin(), profile, changes)?;
        self.write_and_read(credential, request, |_, text| {
            profile::read_written(text, false)
        })
        .await
    }

    async fn upsert_profile(
        &self,
        credential: &Credential,
        profile: &ProfileUpsert,
    ) -> Result<Answer<WrittenProfile>, WriteError> {
        let request = profile::upsert(self.origin(), profile)?;
        self.write_and_read(credential, request, |status, text| {
            profile::read_written(text, status == StatusCode::CREATED)
        })
        .await
    }

    async fn start_import(
        &self,
        credential: &Credential,
        profiles: &[ProfileUpsert],
    ) -> Result<Answer<ImportJob>, WriteError> {
        let request = import::start(self.origin(), profiles)?;
        self.write_and_read(credential, request, |_, text| import::read(text))
            .await
    }

    async fn import_job(
        &self,
        credential: &Credential,
        job: &ImportJobId,
    ) -> Result<Answer<ImportJob>, KlaviyoError> {
        let request = import::request(self.origin(), job)?;
        self.send(credential, request, import::read).await
    }

    async fn import_errors(
        &self,
        credential: &Credential,
        job: &ImportJobId,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<ImportErrorPage>, KlaviyoError> {
        let request = import::errors_request(self.origin(), job, cursor)?;
        // A page holds a hundred profiles as they were sent.
        self.send_for_page(credential, request, &AnyRoom, import::read_errors)
            .await
    }

    async fn imported_profiles(
        &self,
        credential: &Credential,
        job: &ImportJobId,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        let request = import::profiles_request(self.origin(), job, cursor)?;
        self.send_for_page(credential, request, &AnyRoom, member::read_page)
            .await
    }

    async fn find_profiles(
        &self,
        credential: &Credential,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError> {
        let request = profile::find_request(self.origin(), lookup);
        self.send_for_page(credential, request, &AnyRoom, |text, _| {
            member::read_found(text)
        })
        .await
    }

    async fn look_at_profiles(
        &self,
        credential: &Credential,
        ids: &[ProfileId],
    ) -> Result<Answer<Vec<FoundProfile>>, KlaviyoError> {
        let request = profile::look_request(self.origin(), ids);
        self.send_for_page(credential, request, &AnyRoom, |text, _| {
            member::read_found(text)
        })
        .await
    }

    async fn add_to_list(
        &self,
        credential: &Credential,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Answer<()>, WriteError> {
        let request = list::members(Method::POST, self.origin(), list, profiles)?;
        self.write_members(credential, request, profiles).await
    }

    async fn remove_from_list(
        &self,
        credential: &Credential,
        list: &CollectionId,
        profiles: &[ProfileId],
    ) -> Result<Answer<()>, WriteError> {
        let request = list::members(Method::DELETE, self.origin(), list, profiles)?;
        self.write_members(credential, request, profiles).await
    }

    async fn create_list(
        &self,
        credential: &Credential,
        name: &str,
    ) -> Result<Answer<Collection>, WriteError> {
        let request = list::create(self.origin(), name)?;
        self.write_and_read(credential, request, |_, text| {
            collection::read(text, CollectionKind::List)
        })
        .await
    }

    async fn flows(
        &self,
        credential: &Credential,
        of: &FlowsOf,
    ) -> Result<Answer<Vec<Flow>>, KlaviyoError> {
        let request = flow::request(self.origin(), of)?;
        self.send(credential, request, flow::read).await
    }

    async fn segment_groups(
        &self,
        credential: &Credential,
        segment: &CollectionId,
    ) -> Result<Answer<BTreeSet<CollectionId>>, KlaviyoError> {
        let request = definition::request(self.origin(), segment)?;
        self.send(credential, request, definition::read).await
    }

    async fn metrics(
        &self,
        credential: &Credential,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<MetricPage>, KlaviyoError> {
        let request = flow::metrics_request(self.origin(), cursor);
        self.send(credential, request, |text| {
            flow::read_metrics(text, self.origin())
        })
        .await
    }

    async fn recorded_events(
        &self,
        credential: &Credential,
        metric: &MetricId,
        since: Timestamp,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<RecordedEvents>, KlaviyoError> {
        let request = event::recorded_request(self.origin(), metric, since, cursor)?;
        self.send_for_page(credential, request, &AnyRoom, event::read_recorded)
            .await
    }

    async fn unsubscribe(
        &self,
        credential: &Credential,
        unsubscribe: &Unsubscribe,
    ) -> Result<Answer<()>, WriteError> {
        let request = unsubscribe::request(self.origin(), unsubscribe)?;
        self.write_only(credential, request).await
    }
}
