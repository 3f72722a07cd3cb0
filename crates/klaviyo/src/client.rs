//! The client: one request, one answer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::collection::{CollectionKind, CollectionRef};
use fanfare_domain::connection::Credential;
use fanfare_domain::ids::{Cursor, ProfileId};
use fanfare_domain::klaviyo::{
    Account, Answer, Capability, ChangedFrom, Collection, CollectionPage, KlaviyoError,
    MemberLookup, MemberPage, MembersFrom,
};
use fanfare_domain::ports::{AnswerRoom, AnyRoom, Klaviyo};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::RateLimits;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, redirect, retry};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use secrecy::ExposeSecret;

use crate::origin::Origin;
use crate::request::{REVISION, Request};
use crate::{account, body, collection, member, probe, profile, rate_limits, refusal, text};

/// The timeouts of a call.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// How long connecting may take.
    pub connect: Duration,
    /// How long to wait for the first part of an answer, and for each further part.
    pub read: Duration,
    /// How long the whole call may take, from connecting to the last byte of the answer.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            read: Duration::from_secs(15),
            total: Duration::from_secs(30),
        }
    }
}

/// Why a client could not be created.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The machine's certificates cannot be used.
    #[error("the system's certificates cannot be used; install the package ca-certificates")]
    Tls(#[source] rustls::Error),
    /// The HTTP client cannot be created.
    #[error("the HTTP client cannot be made")]
    Client(#[source] reqwest::Error),
}

/// Klaviyo's API over HTTP. Clones share their connections.
#[derive(Debug, Clone)]
pub struct KlaviyoHttp {
    client: Client,
    origin: Origin,
}

/// Klaviyo's name of the version header.
const REVISION_HEADER: HeaderName = HeaderName::from_static("revision");

/// Asks Klaviyo for a 410 instead of an answer in the format of another revision.
const NO_FALL_FORWARD: HeaderName =
    HeaderName::from_static("x-klaviyo-revision-fall-forward-opt-out");

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");

impl KlaviyoHttp {
    /// A client of the API at this origin. Proxies from the environment are not used, so that the key is sent
    /// only to the origin.
    pub fn new(origin: Origin, timeouts: Timeouts) -> Result<Self, BuildError> {
        let headers = HeaderMap::from_iter([
            (ACCEPT, HeaderValue::from_static("application/vnd.api+json")),
            (REVISION_HEADER, HeaderValue::from_static(REVISION)),
            (NO_FALL_FORWARD, HeaderValue::from_static("1")),
        ]);
        let client = Client::builder()
            .tls_backend_preconfigured(tls(&origin)?)
            .user_agent(concat!("fanfare-klaviyo/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.read)
            .timeout(timeouts.total)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .build()
            .map_err(BuildError::Client)?;
        Ok(Self { client, origin })
    }

    /// The origin to which requests are sent.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The HTTP client.
    pub(crate) const fn http(&self) -> &Client {
        &self.client
    }

    pub(crate) async fn send<T>(
        &self,
        credential: &Credential,
        request: Request,
        read: impl Fn(&str) -> Result<T, KlaviyoError>,
    ) -> Result<Answer<T>, KlaviyoError> {
        let max = body::MAX_DOCUMENT_BYTES;
        let body = self.body(credential, request, max, &AnyRoom).await?;
        Ok(Answer {
            value: text::decode(&body.value, read)?,
            rate_limits: body.rate_limits,
        })
    }

    /// Sends a request for a page, which has up to [`body::MAX_BODY_BYTES`] and no more than there is room for. Reading it takes
    /// milliseconds, so that another thread does it: whoever waits for several pages goes on meanwhile.
    pub(crate) async fn send_for_page<T: Send + 'static>(
        &self,
        credential: &Credential,
        request: Request,
        room: &dyn AnswerRoom,
        read: impl Fn(&str, &Origin) -> Result<T, KlaviyoError> + Send + 'static,
    ) -> Result<Answer<T>, KlaviyoError> {
        let max = body::MAX_BODY_BYTES;
        let body = self.body(credential, request, max, room).await?;
        let origin = self.origin.clone();
        let decode = move || text::decode(&body.value, |text| read(text, &origin));
        let value = match tokio::task::spawn_blocking(decode).await {
            Ok(read) => read?,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => return Err(stopping()),
            },
        };
        Ok(Answer {
            value,
            rate_limits: body.rate_limits,
        })
    }

    /// Sends a request, and returns its answer's body of up to `max` bytes.
    async fn body(
        &self,
        credential: &Credential,
        request: Request,
        max: usize,
        room: &dyn AnswerRoom,
    ) -> Result<Answer<Vec<u8>>, KlaviyoError> {
        let response = self
            .client
            .request(request.method, request.url)
            .header(AUTHORIZATION, authorization(credential))
            .send()
            .await
            .map_err(|error| unavailable(&error))?;
        let status = response.status();
        if status != request.expects {
            let headers = response.headers().clone();
            // A refusal counts even if its body cannot be read or is too large.
            let body = body::read(response, body::MAX_REFUSAL_BYTES, &AnyRoom).await;
            let body = body.unwrap_or_default();
            return Err(refusal::read(
                status,
                &headers,
                &body,
                request.has_cursor,
                request.has_range,
            ));
        }
        let rate_limits = rate_limits_of(response.headers());
        Ok(Answer {
            value: body::read(response, max, room).await?,
            rate_limits,
        })
    }
}

/// TLS with the provider `ring`, which is used here only and not installed for the process. For an `http`
/// origin the client trusts no certificate, so that it also works on a machine without certificates.
fn tls(origin: &Origin) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(BuildError::Tls)?;
    let config = if origin.is_secure() {
        config.with_platform_verifier().map_err(BuildError::Tls)?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    Ok(config.with_no_client_auth())
}

/// The rate limits that an answer announces.
pub(crate) fn rate_limits_of(headers: &HeaderMap) -> Option<RateLimits> {
    let value = headers.get(RATE_LIMIT)?;
    rate_limits::parse(value.to_str().ok()?)
}

pub(crate) fn authorization(credential: &Credential) -> HeaderValue {
    let Credential::ApiKey(key) = credential;
    let text = format!("Klaviyo-API-Key {}", key.secret().expose_secret());
    // `ApiKey` permits only visible ASCII.
    let mut value =
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Klaviyo-API-Key"));
    value.set_sensitive(true);
    value
}

/// The error for a call without an answer. It does not hold the address, which can contain a cursor.
pub(crate) fn unavailable(error: &reqwest::Error) -> KlaviyoError {
    KlaviyoError::Unavailable(
        if error.is_connect() {
            "no connection could be made"
        } else if error.is_timeout() {
            "it did not answer in time"
        } else {
            "the connection broke before an answer"
        }
        .to_owned(),
    )
}

/// The error for an answer that nobody reads any more.
fn stopping() -> KlaviyoError {
    KlaviyoError::Unavailable("the program stops".to_owned())
}

#[async_trait]
impl Klaviyo for KlaviyoHttp {
    async fn account(&self, credential: &Credential) -> Result<Answer<Account>, KlaviyoError> {
        let request = account::request(&self.origin);
        self.send(credential, request, account::read).await
    }

    async fn collections(
        &self,
        credential: &Credential,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError> {
        let request = collection::page_request(&self.origin, kind, cursor);
        self.send(credential, request, |text| {
            collection::read_page(text, &self.origin)
        })
        .await
    }

    async fn collection(
        &self,
        credential: &Credential,
        of: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError> {
        let request = collection::request(&self.origin, of, count)?;
        self.send(credential, request, |text| collection::read(text, of.kind))
            .await
    }

    async fn members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        from: &MembersFrom,
        room: &dyn AnswerRoom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        let request = member::request(&self.origin, collection, from)?;
        self.send_for_page(credential, request, room, member::read_page)
            .await
    }

    async fn find_members(
        &self,
        credential: &Credential,
        collection: &CollectionRef,
        lookup: &MemberLookup,
    ) -> Result<Answer<Vec<Profile>>, KlaviyoError> {
        let request = member::lookup_request(&self.origin, collection, lookup)?;
        self.send(credential, request, |text| {
            member::read_page(text, &self.origin).map(|page| page.profiles)
        })
        .await
    }

    async fn profiles(
        &self,
        credential: &Credential,
        ids: &[ProfileId],
    ) -> Result<Answer<Vec<Profile>>, KlaviyoError> {
        let request = profile::by_id_request(&self.origin, ids);
        self.send(credential, request, |text| {
            member::read_page(text, &self.origin).map(|page| page.profiles)
        })
        .await
    }

    async fn changed_profiles(
        &self,
        credential: &Credential,
        from: &ChangedFrom,
        room: &dyn AnswerRoom,
    ) -> Result<Answer<MemberPage>, KlaviyoError> {
        let request = profile::changed_request(&self.origin, from);
        self.send_for_page(credential, request, room, member::read_page)
            .await
    }

    async fn probe(
        &self,
        credential: &Credential,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError> {
        let request = probe::request(&self.origin, capability);
        self.send(credential, request, probe::read).await
    }
}

#[cfg(test)]
mod tests {
    use fanfare_domain::connection::ApiKey;
    use secrecy::SecretString;

    use super::*;

    #[test]
    fn the_header_with_the_key_is_not_printed() {
        let key = ApiKey::parse(&SecretString::from("pk_canary0123456789")).unwrap();
        let line = authorization(&key.into());
        assert_eq!(line, "Klaviyo-API-Key pk_canary0123456789");
        assert!(line.is_sensitive());
        assert_eq!(format!("{line:?}"), "Sensitive");
    }
}
