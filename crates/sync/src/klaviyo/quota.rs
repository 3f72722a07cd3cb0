//! The quota against which calls are counted: only calls that the ledger grants are made, and what an answer
//! says about the quota is stored in the ledger, for all processes.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::failure::{asks_to_wait_until, write_asks_to_wait_until};
use fanfare_domain::klaviyo::{Answer, KlaviyoError};
use fanfare_domain::ports::{Clock, QuotaLedger, StoreError};
use fanfare_domain::quota::{Bucket, Endpoint, Kept, Priority, RateLimits, Reservation, Share};
use fanfare_domain::time::Timestamp;
use fanfare_domain::waiting::{WaitReason, Waiting};
use fanfare_domain::writing::WriteError;
use tokio::time::Instant;

use super::leased_requests::{LeasedRequests, Taker};
use super::rate_limit_block::RateLimitBlocks;

/// How long a call waits for a rate-limit block to be stored in the ledger, where other processes see it.
const SHARE_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause between two attempts to write the block to the ledger.
const SHARE_RETRY_PAUSE: Duration = Duration::from_secs(1);

tokio::task_local! {
    /// Set while a user waits for the calls that are made: such calls come before those of syncs.
    static USER_WAITS: ();
}

/// Why a call gave no value.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError<E: std::error::Error + 'static = KlaviyoError> {
    /// The quota is used up, or a rate-limit block is in force.
    #[error("no request to Klaviyo is allowed before {}", .0.until)]
    NotBefore(Waiting),
    /// Klaviyo refused the call, or gave no usable answer.
    #[error("the call to Klaviyo failed")]
    Klaviyo(#[source] E),
    /// The ledger failed.
    #[error("the quota ledger failed")]
    Store(#[from] StoreError),
}

const fn retry_after(until: Timestamp) -> Waiting {
    Waiting {
        until,
        why: WaitReason::RetryAfter,
    }
}

/// A rate-limit block that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitBlock {
    /// What Klaviyo takes no request for.
    pub endpoint: Endpoint,
    /// Until when.
    pub until: Timestamp,
    /// How long that is from now on.
    pub wait: Duration,
}

/// The quota, as the ledger and this process know it.
#[derive(Clone)]
pub(super) struct Quota {
    pub(super) ledger: Arc<dyn QuotaLedger>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) share: Share,
    blocks: RateLimitBlocks,
    leased: LeasedRequests,
}

impl Quota {
    pub(super) fn new(ledger: Arc<dyn QuotaLedger>, clock: Arc<dyn Clock>) -> Self {
        Self {
            ledger,
            clock,
            share: Share::WHOLE,
            blocks: RateLimitBlocks::default(),
            leased: LeasedRequests::default(),
        }
    }

    /// Does what a user waits for: the calls that it makes come before those of syncs.
    pub(super) async fn for_user<T>(doing: impl Future<Output = T>) -> T {
        USER_WAITS.scope((), doing).await
    }

    /// Makes one call if the quota allows it now.
    pub(super) async fn count<T>(
        &self,
        connection: &OpenConnection,
        endpoint: Endpoint,
        call: impl Future<Output = Result<Answer<T>, KlaviyoError>>,
    ) -> Result<T, CallError> {
        let priority = match USER_WAITS.try_with(|()| ()) {
            Ok(()) => Priority::User,
            Err(_) => Priority::Sync(Kept::default()),
        };
        self.count_as(priority, connection, endpoint, call).await
    }

    /// The same for a write.
    pub(super) async fn count_write<T>(
        &self,
        connection: &OpenConnection,
        endpoint: Endpoint,
        call: impl Future<Output = Result<Answer<T>, WriteError>>,
    ) -> Result<T, CallError<WriteError>> {
        let priority = if endpoint.is_of_workers() {
            Priority::Unshared
        } else {
            Priority::Sync(Kept::default())
        };
        self.count_any(
            priority,
            connection,
            endpoint,
            call,
            write_asks_to_wait_until,
        )
        .await
    }

    /// The same for a caller of this priority.
    pub(super) async fn count_as<T>(
        &self,
        priority: Priority,
        connection: &OpenConnection,
        endpoint: Endpoint,
        call: impl Future<Output = Result<Answer<T>, KlaviyoError>>,
    ) -> Result<T, CallError> {
        self.count_any(priority, connection, endpoint, call, asks_to_wait_until)
            .await
    }

    /// The same for a call with errors of any type; `asks` says until when one asks for no further request.
    async fn count_any<T, E: std::error::Error + 'static>(
        &self,
        priority: Priority,
        connection: &OpenConnection,
        endpoint: Endpoint,
        call: impl Future<Output = Result<Answer<T>, E>>,
        asks: fn(&E, Timestamp) -> Option<Timestamp>,
    ) -> Result<T, CallError<E>> {
        let account = connection.quota_account.as_str();
        let asked = Instant::now();
        // The larger bucket first: a request that is taken out of it in vain matters less.
        if let Some(base) = endpoint.base() {
            self.reserve(account, base, priority).await?;
        }
        let known = self.reserve(account, endpoint, priority).await?;
        // Another call of this process may have been asked to wait since.
        let now = self.clock.now();
        let buckets = || endpoint.base().into_iter().chain([endpoint]);
        let blocks = buckets().filter_map(|bucket| self.blocks.until(account, bucket, now, asked));
        if let Some(until) = blocks.max() {
            return Err(CallError::NotBefore(retry_after(until)));
        }
        match call.await {
            Ok(answer) => {
                if let Some(limits) = answer.rate_limits.filter(|limits| *limits != known) {
                    let now = self.clock.now();
                    self.ledger.learn(account, endpoint, limits, now).await?;
                }
                Ok(answer.value)
            }
            Err(error) => {
                let now = self.clock.now();
                let Some(until) = asks(&error, now) else {
                    return Err(CallError::Klaviyo(error));
                };
                // Klaviyo does not say which of the two buckets is meant.
                for bucket in buckets() {
                    self.blocks.begin(account, bucket, until, now);
                    self.leased.drop_of(account, bucket);
                }
                let buckets = buckets().collect();
                let sharing = self.clone().share(account.to_owned(), buckets, until);
                // A task of its own, because this call may be dropped or have to end before the ledger answers.
                drop(tokio::time::timeout(SHARE_TIMEOUT, tokio::spawn(sharing)).await);
                Err(CallError::NotBefore(retry_after(until)))
            }
        }
    }

    async fn reserve<E: std::error::Error + 'static>(
        &self,
        account: &str,
        endpoint: Endpoint,
        priority: Priority,
    ) -> Result<RateLimits, CallError<E>> {
        let taker = Taker {
            ledger: self.ledger.as_ref(),
            clock: self.clock.as_ref(),
            share: self.share,
        };
        let taking = self.leased.take(account, endpoint, priority, &taker);
        match taking.await? {
            Reservation::Granted(lease) => Ok(lease.limits),
            Reservation::NotBefore(until) => Err(CallError::NotBefore(Waiting {
                until,
                why: WaitReason::Quota,
            })),
            Reservation::Blocked(until) => Err(CallError::NotBefore(retry_after(until))),
        }
    }

    /// Writes a block to the ledger, and tries again while the store is not available: until the block is
    /// stored, other processes may send requests.
    async fn share(self, account: String, buckets: Vec<Endpoint>, until: Timestamp) {
        for bucket in buckets {
            loop {
                let now = self.clock.now();
                match self.ledger.block(&account, bucket, until, now).await {
                    Err(error) if error.is_transient() && now < until => {
                        tokio::time::sleep(SHARE_RETRY_PAUSE).await;
                    }
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "Klaviyo's Retry-After could not be shared");
                        break;
                    }
                    Ok(()) => {
                        self.blocks.shared(&account, bucket, until);
                        break;
                    }
                }
            }
        }
    }

    /// Copies the rate-limit blocks of one quota account to another one. Both are the same Klaviyo account,
    /// under the name that the quota was counted by before and the name that it has now.
    pub(super) async fn inherit_blocks(&self, from: &str, to: &str) -> Result<(), StoreError> {
        if from == to {
            return Ok(());
        }
        let now = self.clock.now();
        for endpoint in Endpoint::ALL {
            let bucket = self.ledger.bucket(from, *endpoint, now).await?;
            if let Some(until) = bucket.blocked(now) {
                self.ledger.block(to, *endpoint, until, now).await?;
            }
        }
        Ok(())
    }

    /// The buckets of an account that have been used, as they are now.
    pub(super) async fn buckets(
        &self,
        account: &str,
    ) -> Result<Vec<(Endpoint, Bucket)>, StoreError> {
        let now = self.clock.now();
        let mut buckets = Vec::new();
        for endpoint in Endpoint::ALL.iter().copied() {
            let bucket = self.ledger.bucket(account, endpoint, now).await?;
            if !bucket.is_new(endpoint, now) {
                buckets.push((endpoint, bucket.at(now)));
            }
        }
        Ok(buckets)
    }

    /// The rate-limit blocks of an account that are in force.
    pub(super) async fn blocks(&self, account: &str) -> Result<Vec<RateLimitBlock>, StoreError> {
        let now = self.clock.now();
        let mut blocks = Vec::new();
        for endpoint in Endpoint::ALL.iter().copied() {
            let bucket = self.ledger.bucket(account, endpoint, now).await?;
            if let Some(until) = bucket.blocked(now) {
                let wait = until.since(now);
                blocks.push(RateLimitBlock {
                    endpoint,
                    until,
                    wait,
                });
            }
        }
        Ok(blocks)
    }

    /// Ends an account's rate-limit block of one endpoint, for all processes.
    pub(super) async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.ledger.unblock(account, endpoint, now).await
    }

    /// The least time that so many requests of a sync take by the quota that is free now.
    pub(super) async fn estimate(
        &self,
        account: &str,
        endpoint: Endpoint,
        requests: u64,
    ) -> Result<Duration, StoreError> {
        let now = self.clock.now();
        let bucket = self.ledger.bucket(account, endpoint, now).await?;
        Ok(bucket.for_syncs(self.share).estimate(requests, now))
    }
}
