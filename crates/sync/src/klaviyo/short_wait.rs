//! Calls that a user waits for.

use std::time::Duration;

use fanfare_domain::failure::{Remedy, remedy};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::waiting::Waiting;
use fanfare_domain::writing::WriteError;

use super::client::KlaviyoClient;
use super::quota::{CallError, Quota};
use crate::error::Error;

/// How long a user's request waits for quota at most.
const QUOTA_TIMEOUT: Duration = Duration::from_secs(2);

/// The pause before a call that failed is made once more.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// How soon a call must have failed to be made once more: a user waits no second time for an answer that does not
/// come.
const FAILED_SOON: Duration = Duration::from_secs(5);

impl KlaviyoClient {
    /// Makes a call for a user, which comes before the calls of syncs. It waits a short time for quota; a longer wait is
    /// [`Error::KlaviyoThrottled`] instead. A call that failed and that a run would make again is made once more.
    pub(crate) async fn with_short_wait<T, F>(&self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let clock = &self.quota.clock;
        let mut deadline = clock.now().plus(QUOTA_TIMEOUT);
        let mut may_retry = true;
        loop {
            let began = clock.now();
            match Quota::for_user(call()).await {
                Ok(value) => return Ok(value),
                Err(CallError::NotBefore(Waiting { until, .. })) => {
                    let wait = until.since(clock.now());
                    if until > deadline {
                        return Err(Error::KlaviyoThrottled(wait));
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(CallError::Store(error)) => return Err(error.into()),
                Err(CallError::Klaviyo(error)) => {
                    let is_passing =
                        matches!(remedy(&error), Remedy::Retry(_) | Remedy::Reposition(_));
                    let now = clock.now();
                    if !may_retry || !is_passing || now.since(began) > FAILED_SOON {
                        return Err(Error::from_klaviyo(error));
                    }
                    may_retry = false;
                    deadline = now.plus(QUOTA_TIMEOUT + RETRY_PAUSE);
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }
}

impl KlaviyoClient {
    /// Makes a write for a user, who waits a short time for quota. It is never sent twice: what is not known to be done is an
    /// error.
    pub(crate) async fn write_with_short_wait<T, F>(&self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, CallError<WriteError>>>,
    {
        let clock = &self.quota.clock;
        let deadline = clock.now().plus(QUOTA_TIMEOUT);
        loop {
            match call().await {
                Ok(value) => return Ok(value),
                Err(CallError::NotBefore(Waiting { until, .. })) => {
                    let wait = until.since(clock.now());
                    if until > deadline {
                        return Err(Error::KlaviyoThrottled(wait));
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(CallError::Store(error)) => return Err(error.into()),
                Err(CallError::Klaviyo(error)) => {
                    return Err(match error {
                        WriteError::KeyRejected => Error::KeyRejected,
                        WriteError::ScopeMissing(scopes) => Error::ScopeMissing(scopes),
                        WriteError::NotPermitted => Error::ScopeMissing(Vec::new()),
                        WriteError::Gone => Error::KlaviyoUnreachable(KlaviyoError::NotFound),
                        other => {
                            Error::KlaviyoUnreachable(KlaviyoError::Refused(other.to_string()))
                        }
                    });
                }
            }
        }
    }
}

impl Error {
    /// The error that a user gets for an error of Klaviyo's. Use cases handle "not found" themselves, because
    /// they know what was not found.
    fn from_klaviyo(error: KlaviyoError) -> Self {
        match error {
            KlaviyoError::KeyRejected => Self::KeyRejected,
            KlaviyoError::ScopeMissing(scopes) => Self::ScopeMissing(scopes),
            other => Self::KlaviyoUnreachable(other),
        }
    }
}
