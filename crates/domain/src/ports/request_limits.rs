//! The rate limit of organizations, as all processes of the API count it together.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::OrganizationId;
use crate::rate_limit::{Counted, TakenRequests};

/// Requests and checks that organizations make to the API: a control table for each.
#[async_trait]
pub trait RequestLimits: Send + Sync {
    /// Takes `wanted` of the organization's present minute, or those that are left
    /// ([`RequestCount::take`](crate::rate_limit::RequestCount::take)). Which minute it is, the store's clock says. An
    /// adapter MUST apply each call atomically; a crash of the store may forget the latest.
    async fn take_requests(
        &self,
        organization: &OrganizationId,
        counted: Counted,
        wanted: u32,
    ) -> Result<TakenRequests, StoreError>;
}
