//! The control tables: they belong to no organization's unit and hold no personal data.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{KeyId, OrganizationId};
use crate::organization::{KeyHash, Organization, SecretKey};
use crate::quota::{Bucket, Demand, Endpoint, RateLimits, Reservation};
use crate::time::Timestamp;
use crate::work::SchedulingCandidate;

/// Organizations and their secret keys.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Adds an organization together with its first key.
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError>;

    /// An organization, by id.
    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError>;

    /// All organizations by id, at most `first`, after `after`.
    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError>;

    /// Adds a key to an existing organization.
    async fn add_key(&self, key: &SecretKey) -> Result<(), StoreError>;

    /// The key with this hash, unless revoked.
    async fn find_key(&self, hash: &KeyHash) -> Result<Option<SecretKey>, StoreError>;

    /// An organization's keys by id, revoked ones too.
    async fn keys(&self, organization: &OrganizationId) -> Result<Vec<SecretKey>, StoreError>;

    /// Revokes a key of the organization. `false` if it has no such unrevoked key.
    async fn revoke_key(
        &self,
        organization: &OrganizationId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError>;
}

/// The queue of due work of all organizations. [`super::Leases`] is the same queue for one organization.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Notifies workers of work that is due and leased to no worker: a pause is over, a lease has run out, or
    /// a notification was lost. After a notification the same work is not notified again for ten seconds, so
    /// that the job queue of a busy worker does not fill with repeats. Sends at most `limit` notifications;
    /// returns how many.
    ///
    /// If the store's clock has been set back, what was written before is put right first
    /// ([`was_clock_set_back`](crate::lease::was_clock_set_back)).
    async fn notify(&self, limit: u32) -> Result<u64, StoreError>;

    /// What a worker should do next. Only work that is due now and leased to no worker is considered. The
    /// organization with the fewest leases comes first, and of several the one that got a lease longest ago;
    /// of its work, that which has been due for longest, and of several that which was claimed least often.
    /// So no organization waits until all work of another one is done.
    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError>;

    /// How much work of the organization is leased to workers now, as a count.
    async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError>;

    /// How much work is due or leased now, as a count, for the metric of the backlog.
    async fn backlog(&self) -> Result<u64, StoreError>;

    /// Organizations with continuous audiences that are due at `now` ([`Schedules`](super::Schedules)), at most
    /// `limit`, the one that has waited for longest first. Of very many audiences that are due, those that have waited
    /// for longest are looked at.
    async fn organizations_with_due_schedules(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<OrganizationId>, StoreError>;
}

/// Klaviyo's quotas by account and bucket, as all processes of Fanfare together use them.
///
/// `account` is the id of the Klaviyo account if known, or else a name for the organization's connection.
/// The rules are those of [`Bucket`]; an adapter MUST apply each call atomically.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// Takes requests out of the quota ([`Bucket::reserve`]).
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        demand: &Demand,
        now: Timestamp,
    ) -> Result<Reservation, StoreError>;

    /// Stores the limits that Klaviyo announced.
    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Stores a rate-limit block ([`Bucket::block`]).
    async fn block(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Deletes up to `limit` buckets that no request has used since a time and that are not blocked since: a new
    /// bucket says the same. Returns how many.
    async fn delete_unused(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Ends a rate-limit block ([`Bucket::unblock`]).
    async fn unblock(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The bucket's present state; a new bucket if nothing is stored.
    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError>;
}
