//! Calls that a user waits for.

use std::time::Duration;

use fanfare_domain::klaviyo::KlaviyoError;

use super::client::KlaviyoClient;
use super::quota::CallError;
use crate::error::Error;

/// How long a user's request waits for quota at most.
const QUOTA_TIMEOUT: Duration = Duration::from_secs(2);

impl KlaviyoClient {
    /// Makes a call for a user. It waits a short time for quota; a longer wait is
    /// [`Error::KlaviyoThrottled`] instead.
    pub(crate) async fn with_short_wait<T, F>(&self, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, CallError>>,
    {
        let clock = &self.quota.clock;
        let deadline = clock.now().plus(QUOTA_TIMEOUT);
        loop {
            match call().await {
                Ok(value) => return Ok(value),
                Err(CallError::NotBefore(until)) => {
                    let wait = until.since(clock.now());
                    if until > deadline {
                        return Err(Error::KlaviyoThrottled(wait));
                    }
                    tokio::time::sleep(wait).await;
                }
                Err(CallError::Store(error)) => return Err(error.into()),
                Err(CallError::Klaviyo(error)) => return Err(Error::from_klaviyo(error)),
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
