//! The rate limit of an organization: all its keys together, in fixed minutes, in this process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::time::Timestamp;

use crate::error::ApiError;

/// Requests that an organization may make in a minute.
const LIMIT: u32 = 1_000;

const MICROS: i64 = 1_000_000;
const WINDOW_SECONDS: i64 = 60;

/// Counts requests of the present minute.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter(Mutex<Minute>);

/// The minutes of all organizations begin together, so all counts are dropped together.
#[derive(Debug, Default)]
struct Minute {
    number: i64,
    requests: HashMap<OrganizationId, u32>,
}

/// How much of its rate limit an organization has used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimitUse {
    requests: u32,
    now: Timestamp,
}

impl RateLimiter {
    /// Counts a request.
    pub(crate) fn count(&self, organization: &OrganizationId, now: Timestamp) -> RateLimitUse {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_micros().div_euclid(WINDOW_SECONDS * MICROS);
        if minute.number != number {
            *minute = Minute {
                number,
                requests: HashMap::new(),
            };
        }
        let requests = minute.requests.entry(organization.clone()).or_default();
        *requests = requests.saturating_add(1);
        RateLimitUse {
            requests: *requests,
            now,
        }
    }
}

impl RateLimitUse {
    /// The use of a request without a known organization.
    pub(crate) const fn none(now: Timestamp) -> Self {
        Self { requests: 0, now }
    }

    /// The error of a request above the limit.
    pub(crate) fn refusal(self) -> Option<ApiError> {
        let wait = self.resets_at() * MICROS - self.now.as_micros();
        let wait = Duration::from_micros(u64::try_from(wait).unwrap_or(0));
        (self.requests > LIMIT).then(|| ApiError::rate_limited(wait))
    }

    /// Adds the headers to an answer.
    pub(crate) fn write_to(self, headers: &mut HeaderMap) {
        let mut set = |name, value: HeaderValue| {
            headers.insert(HeaderName::from_static(name), value);
        };
        set("x-ratelimit-limit", LIMIT.into());
        set(
            "x-ratelimit-remaining",
            LIMIT.saturating_sub(self.requests).into(),
        );
        set("x-ratelimit-reset", self.resets_at().into());
    }

    /// The end of the minute, in seconds since the epoch.
    const fn resets_at(self) -> i64 {
        let minute = self.now.as_micros().div_euclid(WINDOW_SECONDS * MICROS);
        (minute + 1) * WINDOW_SECONDS
    }
}
