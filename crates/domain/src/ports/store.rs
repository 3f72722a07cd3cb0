//! The store and its unit of work.

use async_trait::async_trait;

use super::{
    Audiences, Connections, Consumers, Contacts, Deliveries, Erasures, History, KeptLists, Leases,
    Pages, Retention, Runs, Schedules, Sources, Webhooks,
};
use crate::door::{DoorRead, People};
use crate::ids::{AudienceId, OrganizationId};
use crate::time::Timestamp;

/// Opens units of work.
///
/// An adapter MUST enforce tenancy itself: a unit reads and writes only rows of its organization, even if a
/// statement forgets to restrict them.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens a unit for reading one consistent state of the store. Writes through it fail with
    /// [`StoreError::ReadOnly`]. It does not wait for writing units.
    async fn read(&self, organization: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Opens a unit for searching: it reads as [`Store::read`] does, by means of its own, of which an organization
    /// has a share. What else the store does never waits for searches. While the organization's share is in use it
    /// waits for two seconds, then it fails with [`StoreError::TooManySearches`]; a search through it that takes
    /// longer than two seconds fails with [`StoreError::SearchTooLong`].
    async fn search(
        &self,
        organization: &OrganizationId,
    ) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// What [`members_among`](Audiences::members_among) says, for checks at the door: by means of its own, of which an
    /// organization has a share. What else the store does never waits for checks, nor they for it.
    async fn check_members(
        &self,
        organization: &OrganizationId,
        audience: &AudienceId,
        people: &People,
    ) -> Result<Option<DoorRead>, StoreError>;

    /// Opens a unit for writing. Until it ends, it MUST exclude every other writing unit of the same
    /// organization, in this process and in others, so that what it reads stays true until it commits.
    async fn begin(&self, organization: &OrganizationId)
    -> Result<Box<dyn UnitOfWork>, StoreError>;
}

/// All reads and writes of one organization's rows, in one transaction.
///
/// Dropping a unit without [`UnitOfWork::commit`] MUST undo all its writes. No unit is held open during a
/// call to Klaviyo.
#[async_trait]
pub trait UnitOfWork:
    Connections
    + Sources
    + Audiences
    + Consumers
    + Pages
    + Runs
    + Leases
    + Schedules
    + Erasures
    + History
    + Retention
    + Deliveries
    + Webhooks
    + Contacts
    + KeptLists
    + Send
{
    /// The organization that it was opened for.
    fn organization(&self) -> &OrganizationId;

    /// When a writing unit began to write, by the store's clock: after every writing unit of the organization before
    /// it had ended. Memberships that it begins or ends do so at the [`moment`](crate::history::moment) of this time.
    /// A unit for reading fails with [`StoreError::ReadOnly`].
    fn writing_since(&self) -> Result<Timestamp, StoreError>;

    /// Makes all writes durable, or none.
    ///
    /// After an error other than [`StoreError::ReadOnly`] it is unknown whether the commit took
    /// place; the caller reads the state again before it goes on.
    #[must_use = "an uncommitted unit leaves no trace"]
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// What can go wrong with a store. Conflicts that are expected are return values of each port instead.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is not reachable, was busy for too long, or closed the connection: try again later.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The organization has as many searches under way as it may have.
    #[error("the organization has too many searches under way")]
    TooManySearches,
    /// A search took longer than a search may.
    #[error("the search took longer than it may")]
    SearchTooLong,
    /// A write through a unit that was opened for reading.
    #[error("a unit of work opened for reading cannot write")]
    ReadOnly,
    /// A row holds a value that no version of this program writes.
    #[error("the database holds an unreadable value in {0}")]
    Corrupt(String),
    /// A row holds a value that only a newer version of this program reads.
    #[error("a newer version of this program has written {0}")]
    Newer(String),
    /// Any other error: a defect of this program.
    #[error("the database refused a statement")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same call can succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }

    /// Whether a row was found that this version of the program cannot read.
    pub const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Newer(_))
    }
}
