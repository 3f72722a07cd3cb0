//! The rate limit of an organization: all its keys together, in fixed minutes, over all processes of the API.
//!
//! The store counts, and its clock says which minute it is. This process takes a few requests of the minute at a time
//! and admits callers out of them, so that most requests ask no store. Checks at the door are counted apart: one for each
//! person, the first of whom is counted before the body is read.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::rate_limit::{Counted, Minute, next_batch};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Integration;

use super::Principal;
use crate::error::ApiError;

/// What this process has taken of each organization's requests and checks.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter(Mutex<HashMap<(OrganizationId, Counted), SharedShare>>);

type SharedShare = Arc<tokio::sync::Mutex<Share>>;

/// What this process has of an organization's minute. The request that asks the store holds its lock: the others wait for that
/// answer.
#[derive(Debug)]
struct Share {
    counted: Counted,
    /// The minute, by the store's clock.
    minute: Minute,
    /// When it ends, by this process's clock.
    ends_at: Timestamp,
    /// How many were taken at once, the last time.
    batch: u32,
    /// How many of those are left.
    own: u32,
    /// How many were left in the store then.
    left: u32,
}

/// How much of its rate limit an organization has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimitUse {
    counted: Counted,
    is_admitted: bool,
    remaining: u32,
    minute: Minute,
    /// How long the minute still lasts.
    rest: Duration,
}

impl RateLimiter {
    /// Counts so many requests or checks, and says whether all of them are within the limit: else none is counted.
    pub(crate) async fn count(
        &self,
        application: &Integration,
        organization: &OrganizationId,
        counted: Counted,
        wanted: u32,
    ) -> RateLimitUse {
        let share = self.share_of(organization, counted);
        let mut share = share.lock().await;
        let now = application.clock().now();
        if share.is_over(now) {
            *share = share.next(now);
        }
        if share.own < wanted && share.left > 0 {
            share.take_more(application, organization, wanted).await;
        }
        let is_admitted = share.own >= wanted;
        if is_admitted {
            share.own -= wanted;
        }
        RateLimitUse {
            counted,
            is_admitted,
            remaining: share.own + share.left,
            minute: share.minute,
            rest: share.ends_at.since(application.clock().now()),
        }
    }

    fn share_of(&self, organization: &OrganizationId, counted: Counted) -> SharedShare {
        let mut shares = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || {
            Arc::new(tokio::sync::Mutex::new(Share::of_new_minute(
                counted,
                Timestamp::EPOCH,
            )))
        };
        let key = (organization.clone(), counted);
        Arc::clone(shares.entry(key).or_insert_with(new))
    }
}

impl Share {
    /// Nothing was taken of the minute yet, as far as this process knows.
    fn of_new_minute(counted: Counted, now: Timestamp) -> Self {
        let minute = Minute::of(now);
        Self {
            counted,
            minute,
            ends_at: minute.end(),
            batch: 0,
            own: 0,
            left: counted.per_minute(),
        }
    }

    /// Of the minute after this one. Who was fast a moment ago will be fast now: it does not begin with single ones again, for each of
    /// which everybody would wait for the store.
    fn next(&self, now: Timestamp) -> Self {
        let is_recent = now >= self.ends_at && now.since(self.ends_at) < Duration::from_mins(1);
        Self {
            batch: if is_recent { self.batch / 2 } else { 0 },
            ..Self::of_new_minute(self.counted, now)
        }
    }

    /// Whether the minute has passed. An end that is further away than a minute is of a clock that was set back.
    fn is_over(&self, now: Timestamp) -> bool {
        now >= self.ends_at || self.ends_at.since(now) > Duration::from_mins(1)
    }

    /// Takes more from the store, so many at least if they are left. While the store cannot be asked, this process counts
    /// alone until the minute ends: a limit that fails must not turn callers away.
    async fn take_more(
        &mut self,
        application: &Integration,
        organization: &OrganizationId,
        needed: u32,
    ) {
        let counted = self.counted;
        let batch = next_batch(counted, self.batch, self.left);
        let wanted = batch.max(needed - self.own);
        let taken = application.take_requests(organization, counted, wanted);
        match taken.await {
            Ok(taken) => {
                let minute = taken.count.minute;
                let rest = minute.end().since(taken.now).min(Duration::from_mins(1));
                // What is left of another minute is gone with it.
                let kept = if minute == self.minute { self.own } else { 0 };
                *self = Self {
                    counted,
                    minute,
                    ends_at: application.clock().now().plus(rest),
                    batch,
                    own: kept + taken.granted,
                    left: counted.per_minute().saturating_sub(taken.count.taken),
                };
            }
            Err(error) => {
                tracing::warn!(
                    organizationId = organization.as_str(),
                    error = &error as &dyn std::error::Error,
                    "the store could not count an organization's requests: this process counts alone for a minute"
                );
                self.own += std::mem::take(&mut self.left);
            }
        }
    }
}

/// Counts the people of a check whom the authentication has not counted yet.
pub(crate) struct CheckLimit {
    limiter: web::Data<RateLimiter>,
    request: HttpRequest,
}

impl FromRequest for CheckLimit {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let limiter = request.app_data::<web::Data<RateLimiter>>().cloned();
        let limit = limiter.map(|limiter| Self {
            limiter,
            request: request.clone(),
        });
        ready(limit.ok_or_else(|| ApiError::internal("the API was put together without its parts")))
    }
}

impl CheckLimit {
    /// Counts a check that asks for so many people, or refuses it.
    pub(crate) async fn count(
        &self,
        application: &Integration,
        principal: &Principal,
        people: usize,
    ) -> Result<(), ApiError> {
        let more = u32::try_from(people.saturating_sub(1)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let organization = &principal.organization;
        let used = self
            .limiter
            .count(application, organization, Counted::Checks, more)
            .await;
        self.request.extensions_mut().insert(used);
        used.refusal().map_or(Ok(()), Err)
    }
}

impl RateLimitUse {
    /// The use of a request without a known organization.
    pub(crate) fn none(now: Timestamp) -> Self {
        let share = Share::of_new_minute(Counted::Requests, now);
        Self {
            counted: share.counted,
            is_admitted: true,
            remaining: share.left,
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
        set("x-ratelimit-limit", self.counted.per_minute().into());
        set("x-ratelimit-remaining", self.remaining.into());
        // In seconds since the epoch.
        let resets_at = self.minute.end().as_micros() / 1_000_000;
        set("x-ratelimit-reset", resets_at.into());
    }
}
