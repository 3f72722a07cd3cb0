//! How often an organization may ask: all its keys together, in fixed minutes, in this process.

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

/// All organizations' minutes begin at once, so what was counted is forgotten at once.
#[derive(Debug, Default)]
struct Minute {
    number: i64,
    spent: HashMap<OrganizationId, u32>,
}

/// What an organization has spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    requests: u32,
    now: Timestamp,
}

impl RateLimiter {
    /// Counts a request.
    pub(crate) fn spend(&self, organization: &OrganizationId, now: Timestamp) -> Spent {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now.as_micros().div_euclid(WINDOW_SECONDS * MICROS);
        if minute.number != number {
            *minute = Minute {
                number,
                spent: HashMap::new(),
            };
        }
        let requests = minute.spent.entry(organization.clone()).or_default();
        *requests = requests.saturating_add(1);
        Spent {
            requests: *requests,
            now,
        }
    }
}

impl Spent {
    /// What a request is shown that was counted for nobody.
    pub(crate) const fn nothing(now: Timestamp) -> Self {
        Self { requests: 0, now }
    }

    /// The answer to a request that was one too many.
    pub(crate) fn refusal(self) -> Option<ApiError> {
        let wait = self.resets_at() * MICROS - self.now.as_micros();
        let wait = Duration::from_micros(u64::try_from(wait).unwrap_or(0));
        (self.requests > LIMIT).then(|| ApiError::rate_limited(wait))
    }

    /// Tells of it.
    pub(crate) fn announce(self, headers: &mut HeaderMap) {
        let mut tell = |name, value: HeaderValue| {
            headers.insert(HeaderName::from_static(name), value);
        };
        tell("x-ratelimit-limit", LIMIT.into());
        tell(
            "x-ratelimit-remaining",
            LIMIT.saturating_sub(self.requests).into(),
        );
        tell("x-ratelimit-reset", self.resets_at().into());
    }

    /// The end of the minute, in seconds since the epoch.
    const fn resets_at(self) -> i64 {
        let minute = self.now.as_micros().div_euclid(WINDOW_SECONDS * MICROS);
        (minute + 1) * WINDOW_SECONDS
    }
}
