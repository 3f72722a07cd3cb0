//! The rate limit of an organization: all its keys together, in fixed minutes, over all processes of the API.
//!
//! The store counts, and its clock says which minute it is. This process takes a few requests of the minute at a time
//! and admits callers out of them, so that most requests ask no store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::rate_limit::{Minute, REQUESTS_PER_MINUTE, next_batch};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Integration;

use crate::error::ApiError;

/// What this process has taken of each organization's requests.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter(Mutex<HashMap<OrganizationId, Arc<tokio::sync::Mutex<Share>>>>);

/// What this process has of an organization's minute. The request that asks the store holds its lock: the others wait for that
/// answer.
#[derive(Debug)]
struct Share {
    /// The minute, by the store's clock.
    minute: Minute,
    /// When it ends, by this process's clock.
    ends_at: Timestamp,
    /// How many requests were taken at once, the last time.
    batch: u32,
    /// How many of those are left.
    own: u32,
    /// How many were left in the store then.
    left: u32,
}

/// How much of its rate limit an organization has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimitUse {
    is_admitted: bool,
    remaining: u32,
    minute: Minute,
    /// How long the minute still lasts.
    rest: Duration,
}

impl RateLimiter {
    /// Counts a request, and says whether it is within the limit.
    pub(crate) async fn count(
        &self,
        application: &Integration,
        organization: &OrganizationId,
    ) -> RateLimitUse {
        let share = self.share_of(organization);
        let mut share = share.lock().await;
        let now = application.clock().now();
        if share.is_over(now) {
            *share = Share::of_new_minute(now);
        }
        if share.own == 0 && share.left > 0 {
            share.take_more(application, organization).await;
        }
        let is_admitted = share.own > 0;
        share.own = share.own.saturating_sub(1);
        RateLimitUse {
            is_admitted,
            remaining: share.own + share.left,
            minute: share.minute,
            rest: share.ends_at.since(application.clock().now()),
        }
    }

    fn share_of(&self, organization: &OrganizationId) -> Arc<tokio::sync::Mutex<Share>> {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(tokio::sync::Mutex::new(Share::of_new_minute(
                Timestamp::EPOCH,
            )))
        };
        Arc::clone(shares.entry(organization.clone()).or_insert_with(new))
    }
}

impl Share {
    /// Nothing was taken of the minute yet, as far as this process knows.
    fn of_new_minute(now: Timestamp) -> Self {
        let minute = Minute::of(now);
        Self {
            minute,
            ends_at: minute.end(),
            batch: 0,
            own: 0,
            left: REQUESTS_PER_MINUTE,
        }
    }

    /// Whether the minute has passed. An end that is further away than a minute is of a clock that was set back.
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends_at || self.ends_at.since(now) > Duration::from_mins(1)
    }

    /// Takes more requests from the store. While the store cannot be asked, this process counts alone until the
    /// minute ends: a limit that fails must not turn callers away.
    async fn take_more(&mut self, application: &Integration, organization: &OrganizationId) {
        let wanted = next_batch(self.batch, self.left);
        match application.take_requests(organization, wanted).await {
            Ok(taken) => {
                let minute = taken.count.minute;
                let rest = minute.end().since(taken.now).min(Duration::from_mins(1));
                *self = Self {
                    minute,
                    ends_at: application.clock().now().plus(rest),
                    batch: wanted,
                    own: taken.granted,
                    left: REQUESTS_PER_MINUTE.saturating_sub(taken.count.taken),
                };
            }
            Err(error) => {
                tracing::warn!(
                    organizationId = organization.as_str(),
                    error = &error as &dyn std::error::Error,
                    "the store could not count an organization's requests: this process counts alone for a minute"
                );
                self.own = std::mem::take(&mut self.left);
            }
        }
    }
}

impl RateLimitUse {
    /// The use of a request without a known organization.
    pub(crate) fn none(now: Timestamp) -> Self {
        let share = Share::of_new_minute(now);
        Self {
            is_admitted: true,
            remaining: REQUESTS_PER_MINUTE,
            minute: share.minute,
            rest: share.ends_at.since(now),
        }
    }

    /// The error of a request above the limit.
    pub(crate) fn refusal(self) -> Option<ApiError> {
        (!self.is_admitted).then(|| ApiError::rate_limited(self.rest))
    }

    /// Adds the headers to an answer.
    pub(crate) fn write_to(self, headers: &mut HeaderMap) {
        let mut set = |name, value: HeaderValue| {
            headers.insert(HeaderName::from_static(name), value);
        };
        set("x-ratelimit-limit", REQUESTS_PER_MINUTE.into());
        set("x-ratelimit-remaining", self.remaining.into());
        // In seconds since the epoch.
        let resets_at = self.minute.end().as_micros() / 1_000_000;
        set("x-ratelimit-reset", resets_at.into());
    }
}
