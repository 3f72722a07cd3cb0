//! The control tables: they belong to no organization's unit and hold no personal data.

use async_trait::async_trait;

use super::StoreError;
use crate::ids::{KeyId, OrganizationId, RunId};
use crate::organization::{KeyHash, Organization, SecretKey};
use crate::quota::{Bucket, Endpoint, RateLimits, Reservation};
use crate::time::Timestamp;

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

/// A run that is waiting for a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRun {
    /// Whose it is.
    pub organization: OrganizationId,
    /// The run.
    pub run: RunId,
}

/// The run whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulingCandidate {
    /// It.
    pub due: DueRun,
    /// Runs of its organization that are held now.
    pub held: u64,
}

impl SchedulingCandidate {
    /// Whether an organization that holds `held` runs should leave one to it: even with one more, its own
    /// would hold fewer.
    pub const fn should_preempt(&self, held: u64) -> bool {
        self.held + 1 < held
    }
}

/// The queue of due runs, across organizations.
#[async_trait]
pub trait DueRuns: Send + Sync {
    /// Rings the bell for runs that are due and that nobody works on: a pause is over, a lease has
    /// run out, or a ring was lost. A run just rung for is left alone for ten seconds, so that a
    /// busy worker's queue does not fill with repeats. At most `limit`; returns how many.
    async fn notify(&self, limit: u32) -> Result<u64, StoreError>;

    /// Of the runs that are due now and held by nobody, the one whose turn it is: one of the organization
    /// that holds the fewest, or else was served longest ago; of its runs the one that is due for longest,
    /// or else was claimed least often. So nobody waits behind all runs of somebody who has many.
    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError>;

    /// The organization's runs that are held now.
    async fn held(&self, organization: &OrganizationId) -> Result<u64, StoreError>;

    /// Runs due now or held now: the gauge of work there is.
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
