//! Klaviyo's quota, as Fanfare shows it.

use fanfare_sync::{EndpointQuota, KlaviyoQuota};
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;

/// The quota of the Klaviyo account: what Klaviyo allows, and what is used of it now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KlaviyoQuota)]
pub(crate) struct Quota {
    /// Klaviyo's id of the account; null if it has not told it.
    #[schema(example = "AbC123")]
    account_id: Option<String>,
    /// The percent of the limits that syncs may use. What a user waits for may use all.
    #[schema(example = 100)]
    share: u32,
    /// The endpoints in use, and the costly parameters that Klaviyo counts apart.
    endpoints: Vec<QuotaOfEndpoint>,
}

/// The quota of one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KlaviyoEndpointQuota)]
struct QuotaOfEndpoint {
    /// `accounts`, `lists`, `list`, `list_count`, `list_profiles`, `segments`, `segment`, `segment_count`,
    /// `segment_profiles` or `profiles`; others may come.
    #[schema(example = "list_profiles")]
    endpoint: &'static str,
    burst: Burst,
    steady: Steady,
    /// Until when Klaviyo takes no request; null if it takes some.
    blocked_until: Option<Time>,
    /// How many of the organization's syncs wait for it.
    waiting_runs: u64,
}

/// The requests of one second.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KlaviyoBurstQuota)]
struct Burst {
    /// Requests that Klaviyo allows.
    limit: u32,
    /// Requests that were taken.
    used: u32,
}

/// The requests of one minute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = KlaviyoSteadyQuota)]
struct Steady {
    /// Requests that Klaviyo allows.
    limit: u32,
    /// Requests that were taken.
    used: u32,
    /// When they are counted from zero again.
    resets_at: Time,
}

impl From<KlaviyoQuota> for Quota {
    fn from(quota: KlaviyoQuota) -> Self {
        Self {
            account_id: quota.account.map(|account| account.to_string()),
            share: quota.share.percent(),
            endpoints: quota.endpoints.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<EndpointQuota> for QuotaOfEndpoint {
    fn from(of: EndpointQuota) -> Self {
        let bucket = of.bucket;
        Self {
            endpoint: of.endpoint.as_str(),
            burst: Burst {
                limit: bucket.limits.burst,
                used: bucket.burst.used,
            },
            steady: Steady {
                limit: bucket.limits.steady,
                used: bucket.steady.used,
                resets_at: Time(bucket.resets_at()),
            },
            blocked_until: Time::maybe(bucket.blocked_until),
            waiting_runs: of.waiting_runs,
        }
    }
}
