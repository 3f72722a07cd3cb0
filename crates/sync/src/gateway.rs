//! Klaviyo behind its quota: no call is made that the ledger does not grant, and what an answer
//! teaches of the quota goes back to the ledger, for every process to heed.

use std::time::Duration;

use fanfare_domain::ports::{Answer, KlaviyoError, StoreError};
use fanfare_domain::quota::{Endpoint, RateLimits, Reservation};
use fanfare_domain::time::Timestamp;

use crate::error::Error;
use crate::integration::Ports;
use crate::rate_limit_block::RateLimitBlocks;

/// How long somebody who waits for an answer is kept waiting for quota.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long a call waits until other processes know that Klaviyo asked for block.
const TELLING: Duration = Duration::from_secs(1);

/// The pause between two tries to tell them.
const TELL_AGAIN: Duration = Duration::from_secs(1);

/// Why a call gave no value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The quota is used up, or Klaviyo asked for block, until then.
    #[error("Klaviyo may not be asked before {0}")]
    NotBefore(Timestamp),
    /// Klaviyo answered something else.
    #[error("Klaviyo answered otherwise")]
    Klaviyo(#[source] KlaviyoError),
    /// The ledger failed.
    #[error("the quota ledger failed")]
    Store(#[from] StoreError),
}

/// The one way to Klaviyo.
pub(crate) struct Gateway<'a> {
    ports: &'a Ports,
    blocks: &'a RateLimitBlocks,
}

impl<'a> Gateway<'a> {
    pub(crate) const fn new(ports: &'a Ports, blocks: &'a RateLimitBlocks) -> Self {
        Self { ports, blocks }
    }

    /// Makes one call if the quota allows it now.
    pub(crate) async fn call<T, F>(
        &self,
        account: &str,
        endpoint: Endpoint,
        call: F,
    ) -> Result<T, CallError>
    where
        F: Future<Output = Result<Answer<T>, KlaviyoError>>,
    {
        let Ports { ledger, clock, .. } = self.ports;
        // The plentiful bucket first: what is taken from it in vain is not missed.
        if let Some(base) = endpoint.base() {
            self.reserve(account, base).await?;
        }
        let assumed = self.reserve(account, endpoint).await?;
        // Somebody in this process may have been asked for block since.
        let now = clock.now();
        let buckets = || endpoint.base().into_iter().chain([endpoint]);
        let block = buckets().filter_map(|bucket| self.blocks.until(account, bucket, now));
        if let Some(until) = block.max() {
            return Err(CallError::NotBefore(until));
        }
        match call.await {
            Ok(answer) => {
                if let Some(limits) = answer.rate_limits.filter(|limits| *limits != assumed) {
                    ledger.learn(account, endpoint, limits, clock.now()).await?;
                }
                Ok(answer.value)
            }
            Err(KlaviyoError::Throttled(retry_after)) => {
                let now = clock.now();
                let until = retry_after.until(now);
                // Klaviyo does not say which of the two buckets is empty.
                for bucket in buckets() {
                    self.blocks.begin(account, bucket, until, now);
                }
                let telling = tell(
                    self.ports.clone(),
                    account.to_owned(),
                    buckets().collect(),
                    until,
                );
                // Apart from this call, which may be dropped, or have to answer before the ledger does.
                drop(tokio::time::timeout(TELLING, tokio::spawn(telling)).await);
                Err(CallError::NotBefore(until))
            }
            Err(error) => Err(CallError::Klaviyo(error)),
        }
    }

    async fn reserve(&self, account: &str, endpoint: Endpoint) -> Result<RateLimits, CallError> {
        let Ports { ledger, clock, .. } = self.ports;
        match ledger.reserve(account, endpoint, clock.now()).await? {
            Reservation::Granted(limits) => Ok(limits),
            Reservation::NotBefore(until) => Err(CallError::NotBefore(until)),
        }
    }

    /// Keeps the block that was asked for under one name of an account under another one, too.
    pub(crate) async fn inherit_block(&self, from: &str, to: &str) -> Result<(), StoreError> {
        if from == to {
            return Ok(());
        }
        let Ports { ledger, clock, .. } = self.ports;
        let now = clock.now();
        for endpoint in Endpoint::ALL {
            let bucket = ledger.bucket(from, *endpoint, now).await?;
            if let Some(until) = bucket.blocked_until.filter(|until| *until > now) {
                ledger.block(to, *endpoint, until, now).await?;
            }
        }
        Ok(())
    }

    /// Makes one call for somebody who is waiting: a short wait for quota is sat out, a longer one
    /// is [`Error::KlaviyoThrottled`].
    pub(crate) async fn ask<T, F>(
        &self,
        account: &str,
        endpoint: Endpoint,
        call: impl Fn() -> F,
    ) -> Result<T, Error>
    where
        F: Future<Output = Result<Answer<T>, KlaviyoError>>,
    {
        let deadline = self.ports.clock.now().plus(PATIENCE);
        loop {
            match self.call(account, endpoint, call()).await {
                Ok(value) => return Ok(value),
                Err(CallError::NotBefore(until)) => {
                    let now = self.ports.clock.now();
                    if until > deadline {
                        return Err(Error::KlaviyoThrottled(until.since(now)));
                    }
                    tokio::time::sleep(until.since(now)).await;
                }
                Err(CallError::Store(error)) => return Err(error.into()),
                Err(CallError::Klaviyo(error)) => return Err(Error::from_klaviyo(error)),
            }
        }
    }
}

/// Tells the ledger of a block, again and again while the store is away: until it knows, other processes
/// may ask.
async fn tell(ports: Ports, account: String, buckets: Vec<Endpoint>, until: Timestamp) {
    for bucket in buckets {
        loop {
            let now = ports.clock.now();
            match ports.ledger.block(&account, bucket, until, now).await {
                Err(error) if error.is_transient() && now < until => {
                    tokio::time::sleep(TELL_AGAIN).await;
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "Klaviyo's Retry-After could not be shared");
                    break;
                }
                Ok(()) => break,
            }
        }
    }
}

impl Error {
    /// What an error of Klaviyo's is to somebody who asked for an answer. "Not found" is for the
    /// caller to name first.
    pub(crate) fn from_klaviyo(error: KlaviyoError) -> Self {
        match error {
            KlaviyoError::KeyRejected => Self::KeyRejected,
            KlaviyoError::ScopeMissing(scopes) => Self::ScopeMissing(scopes),
            other => Self::KlaviyoUnreachable(other),
        }
    }
}
