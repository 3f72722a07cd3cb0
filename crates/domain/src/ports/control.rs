//! The control tables: they belong to no organization's unit and hold no personal data.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{KeyId, OrganizationId};
use crate::organization::{KeyHash, Organization, SecretKey};
use crate::quota::{Bucket, Endpoint, RateLimits, Reservation};
use crate::time::Timestamp;
use crate::work::SchedulingCandidate;

/// Organizations and their secret keys.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Adds an organization with its first key, both or none.
    async fn create_organization(
        &self,
        organization: &Organization,
        key: &SecretKey,
    ) -> Result<(), StoreError>;

    /// An organization.
    async fn organization(&self, id: &OrganizationId) -> Result<Option<Organization>, StoreError>;

    /// All organizations by id, at most `first`, after `after`.
    async fn organizations(
        &self,
        first: u32,
        after: Option<&OrganizationId>,
    ) -> Result<Vec<Organization>, StoreError>;

    /// Adds a key to an organization that is there.
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

/// The queue of due work, across organizations. [`super::Leases`] is the same queue, seen from one of them.
#[async_trait]
pub trait WorkQueue: Send + Sync {
    /// Notifies workers of work that is due and leased to none: a pause is over, a lease has run out, or a
    /// notification was lost. Work of which a worker was just notified is left alone for ten seconds, so that
    /// a busy worker's job queue does not fill with repeats. At most `limit` notifications; returns how many.
    async fn notify(&self, limit: u32) -> Result<u64, StoreError>;

    /// What is to be done next: of the work that is due now and leased to no worker, some of the organization
    /// that has the fewest leases, or else got one longest ago; of its work what is due for longest, or else
    /// was claimed least often. So no organization waits behind all work of one that has much.
    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError>;

    /// How much work of the organization is leased to workers now.
    async fn leased(&self, organization: &OrganizationId) -> Result<u64, StoreError>;

    /// Work that is due or leased now: the gauge of work there is.
    async fn backlog(&self) -> Result<u64, StoreError>;
}

/// Klaviyo's quotas as all our processes together use them, by account and bucket.
///
/// `account` is Klaviyo's account id where known, else a name for the organization's connection.
/// The rules are those of [`Bucket`]; an adapter MUST apply each call atomically.
#[async_trait]
pub trait QuotaLedger: Send + Sync {
    /// Takes one request out of the quota ([`Bucket::reserve`]).
    async fn reserve(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Reservation, StoreError>;

    /// Takes note of the limits that Klaviyo announced.
    async fn learn(
        &self,
        account: &str,
        endpoint: Endpoint,
        limits: RateLimits,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// Takes note that Klaviyo asked for silence ([`Bucket::block`]).
    async fn block(
        &self,
        account: &str,
        endpoint: Endpoint,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The bucket as it stands; a new one where nothing is known.
    async fn bucket(
        &self,
        account: &str,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<Bucket, StoreError>;
}
