//! Fixed windows of a second and a minute, per account and bucket.

use std::collections::HashMap;

use crate::endpoint::{Endpoint, Limit, Parameter};
use crate::switches::Switches;

/// How many requests are allowed.
#[derive(Debug, Clone, Default)]
pub enum Quota {
    /// As Klaviyo documents it.
    #[default]
    Klaviyo,
    /// No limit, which is what the headers say too.
    Unlimited,
    /// Klaviyo's, but for these endpoints.
    With(HashMap<Endpoint, Limit>),
}

/// What has a quota of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    Endpoint(Endpoint),
    Parameter(Parameter),
}

impl Bucket {
    /// Whether headers speak of it rather than of the endpoint: only one parameter is seen in them.
    const fn is_shown(self) -> bool {
        matches!(self, Self::Parameter(Parameter::ProfileCount(_)))
    }
}

/// What the headers of an answer tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) limit: Limit,
    /// Of this second's requests.
    pub(crate) remaining: u32,
    /// Whole seconds until the next second's.
    pub(crate) reset: u64,
}

/// Too many requests: ask again after so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceeded(pub(crate) u64);

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// The counters of all accounts. Times are microseconds since the epoch.
pub(crate) struct Counters {
    quota: Quota,
    begins_with_requests: bool,
    separates_ids: bool,
    accounts: HashMap<String, HashMap<Bucket, Counter>>,
}

#[derive(Default)]
struct Counter {
    burst: Window,
    steady: Window,
    /// Requests before this are refused whatever the windows say: a `Retry-After` was given.
    blocked_until: i64,
    /// The last `Retry-After` given, whether it is enforced or not.
    retry_after_until: i64,
}

#[derive(Default)]
struct Window {
    began: i64,
    used: u32,
}

impl Window {
    fn roll(&mut self, now: i64, length: i64, begins_with_requests: bool) {
        if now >= self.began + length || now < self.began {
            let began = if begins_with_requests {
                now
            } else {
                now - now.rem_euclid(length)
            };
            *self = Self { began, used: 0 };
        }
    }
}

impl Counters {
    pub(crate) fn new(quota: Quota, switches: &Switches) -> Self {
        Self {
            quota,
            begins_with_requests: switches.windows_begin_with_requests,
            separates_ids: switches.separates_ids,
            accounts: HashMap::new(),
        }
    }

    /// Counts a request in all of its buckets, or in none if one is used up.
    pub(crate) fn take(
        &mut self,
        account: &str,
        endpoint: Endpoint,
        parameters: &[Parameter],
        now: i64,
    ) -> Result<Allowance, Exceeded> {
        let buckets = self.buckets(endpoint, parameters);
        let begins_with_requests = self.begins_with_requests;
        for &bucket in &buckets {
            let limit = self.limit(bucket);
            let counter = self.counter(account, bucket);
            counter.burst.roll(now, SECOND, begins_with_requests);
            counter.steady.roll(now, MINUTE, begins_with_requests);
            let until = if now < counter.blocked_until {
                counter.blocked_until
            } else if counter.steady.used >= limit.steady {
                counter.steady.began + MINUTE
            } else if counter.burst.used >= limit.burst {
                counter.burst.began + SECOND
            } else {
                continue;
            };
            let seconds = whole_seconds(until - now).max(1);
            counter.retry_after_until = now + seconds * SECOND;
            if now >= counter.blocked_until {
                counter.blocked_until = counter.retry_after_until;
            }
            return Err(Exceeded(seconds.unsigned_abs()));
        }
        let mut shown = None;
        for bucket in buckets {
            let limit = self.limit(bucket);
            let counter = self.counter(account, bucket);
            counter.burst.used += 1;
            counter.steady.used += 1;
            if shown.is_none() || bucket.is_shown() {
                let reset = (counter.burst.began + SECOND - 1 - now).max(0) / SECOND;
                shown = Some(Allowance {
                    limit,
                    remaining: limit.burst.saturating_sub(counter.burst.used),
                    reset: reset.unsigned_abs(),
                });
            }
        }
        shown.ok_or(Exceeded(1))
    }

    /// Takes note of a `Retry-After` that did not come from the windows. It speaks of the quota that the
    /// headers of the answer would have shown. Until then further requests are refused, if it was meant as
    /// a quota.
    pub(crate) fn note_retry_after(
        &mut self,
        account: &str,
        endpoint: Endpoint,
        parameters: &[Parameter],
        until: i64,
        refuses: bool,
    ) {
        let buckets = self.buckets(endpoint, parameters);
        let shown = buckets.iter().copied().find(|bucket| bucket.is_shown());
        let bucket = shown.unwrap_or_else(|| self.bucket(endpoint));
        let counter = self.counter(account, bucket);
        counter.retry_after_until = counter.retry_after_until.max(until);
        if refuses {
            counter.blocked_until = counter.blocked_until.max(until);
        }
    }

    /// Until when this should not have been asked, if that is not over.
    pub(crate) fn retry_after(
        &self,
        account: &str,
        endpoint: Endpoint,
        parameters: &[Parameter],
        now: i64,
    ) -> Option<i64> {
        let counters = self.accounts.get(account)?;
        let buckets = self.buckets(endpoint, parameters);
        let until = buckets
            .iter()
            .filter_map(|bucket| Some(counters.get(bucket)?.retry_after_until));
        until.max().filter(|until| now < *until)
    }

    fn buckets(&self, endpoint: Endpoint, parameters: &[Parameter]) -> Vec<Bucket> {
        let mut buckets = vec![self.bucket(endpoint)];
        buckets.extend(parameters.iter().map(|of| Bucket::Parameter(*of)));
        buckets
    }

    fn bucket(&self, endpoint: Endpoint) -> Bucket {
        Bucket::Endpoint(match endpoint {
            Endpoint::MemberIds(kind) if !self.separates_ids => Endpoint::Members(kind),
            other => other,
        })
    }

    fn limit(&self, bucket: Bucket) -> Limit {
        match (&self.quota, bucket) {
            (Quota::Unlimited, _) => Limit::NONE,
            (_, Bucket::Parameter(parameter)) => parameter.limit(),
            (Quota::With(limits), Bucket::Endpoint(endpoint)) => {
                limits.get(&endpoint).copied().unwrap_or(endpoint.limit())
            }
            (Quota::Klaviyo, Bucket::Endpoint(endpoint)) => endpoint.limit(),
        }
    }

    fn counter(&mut self, account: &str, bucket: Bucket) -> &mut Counter {
        let counters = self.accounts.entry(account.to_owned()).or_default();
        counters.entry(bucket).or_default()
    }
}

fn whole_seconds(micros: i64) -> i64 {
    micros.div_euclid(SECOND) + i64::from(micros.rem_euclid(SECOND) > 0)
}
