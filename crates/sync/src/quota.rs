//! Klaviyo's quota as it is now: what Klaviyo allows, what is used of it, and who waits for it.

use std::collections::HashMap;

use fanfare_domain::connection::quota_account;
use fanfare_domain::ids::{AccountId, OrganizationId};
use fanfare_domain::pass::Phase;
use fanfare_domain::quota::{Bucket, Endpoint, Share};
use fanfare_domain::run::SourceRun;
use fanfare_domain::waiting::WaitReason;

use crate::error::Error;
use crate::integration::Integration;
use crate::saving::load_run;

/// The quota of an organization's Klaviyo account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KlaviyoQuota {
    /// The account, if Klaviyo has told it.
    pub account: Option<AccountId>,
    /// The share of the quota that syncs use.
    pub share: Share,
    /// The endpoints that have been asked, by anybody who uses the account here.
    pub endpoints: Vec<EndpointQuota>,
}

/// The quota of one endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndpointQuota {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its limits, and what is used now.
    pub bucket: Bucket,
    /// How many of the organization's runs wait for it.
    pub waiting_runs: u64,
}

impl Integration {
    /// The quota of the organization's Klaviyo account as it is now.
    pub async fn klaviyo_quota(
        &self,
        organization: &OrganizationId,
    ) -> Result<KlaviyoQuota, Error> {
        let stored = self.stored_connection(organization).await?;
        let account = quota_account(organization, stored.account.as_ref());
        let mut waiting = self.waiting_runs(organization).await?;
        let buckets = self.klaviyo.buckets(&account).await?.into_iter();
        let endpoints = buckets.map(|(endpoint, bucket)| EndpointQuota {
            endpoint,
            bucket,
            waiting_runs: waiting.remove(&endpoint).unwrap_or(0),
        });
        Ok(KlaviyoQuota {
            endpoints: endpoints.collect(),
            account: stored.account,
            share: self.klaviyo.share(),
        })
    }

    /// How many of the organization's runs wait for quota, by the endpoint that they ask next.
    async fn waiting_runs(
        &self,
        organization: &OrganizationId,
    ) -> Result<HashMap<Endpoint, u64>, Error> {
        let now = self.now();
        let mut unit = self.read(organization).await?;
        let mut waiting = HashMap::new();
        for id in unit.active_runs().await? {
            let run = match load_run(unit.as_mut(), &id).await {
                Ok(run) => run,
                // It waits for a newer version of the program, or for its end.
                Err(Error::Store(error)) if error.is_unreadable() => None,
                Err(error) => return Err(error),
            };
            let waits = run.filter(|run| {
                let why = run.run().waiting_at(now).map(|waiting| waiting.why);
                matches!(why, Some(WaitReason::Quota | WaitReason::RetryAfter))
            });
            if let Some(endpoint) = waits.as_ref().and_then(next_endpoint) {
                *waiting.entry(endpoint).or_default() += 1;
            }
        }
        Ok(waiting)
    }
}

/// The endpoint that a run asks next; `None` if it asks Klaviyo nothing more.
fn next_endpoint(run: &SourceRun) -> Option<Endpoint> {
    let endpoints = &run.source().collection.kind.descriptor().endpoints;
    match run.run().pass.phase() {
        Phase::Opening => Some(endpoints.single),
        Phase::Reading(_) => Some(endpoints.members),
        Phase::ComparingCounts => Some(endpoints.count),
        Phase::ReadingChanges(_) => Some(Endpoint::Profiles),
        Phase::AddingMembers { .. } | Phase::CheckingRemovals | Phase::RemovingMembers { .. } => {
            None
        }
    }
}
