//! The store and its unit of work.

use async_trait::async_trait;

use super::{Audiences, Connections, Consumers, Leases, Pages, Runs, Sources};
use crate::ids::OrganizationId;

/// Opens units of work.
///
/// An adapter MUST make tenancy structural: a unit sees and touches rows of its organization only,
/// whatever a statement forgets.
#[async_trait]
pub trait Store: Send + Sync {
    /// Opens a unit for reading, on one consistent state of the store. Writes through it fail with
    /// [`StoreError::ReadOnly`]. It waits for no writer.
    async fn read(&self, organization: &OrganizationId) -> Result<Box<dyn UnitOfWork>, StoreError>;

    /// Opens a unit for writing. It MUST exclude every other writing unit of the same organization
    /// until it ends, in this process and in others: what it reads stays true until it commits.
    async fn begin(&self, organization: &OrganizationId)
    -> Result<Box<dyn UnitOfWork>, StoreError>;
}

/// Everything that one organization's rows allow, in one transaction.
///
/// Dropping a unit without [`UnitOfWork::commit`] MUST leave no trace. No unit is held open across
/// a call to Klaviyo.
#[async_trait]
pub trait UnitOfWork:
    Connections + Sources + Audiences + Consumers + Pages + Runs + Leases + Send
{
    /// The organization it was opened for.
    fn organization(&self) -> &OrganizationId;

    /// Makes everything durable at once, or nothing.
    ///
    /// After an error other than [`StoreError::ReadOnly`] it is unknown whether the commit took
    /// place; the caller reads the state anew before it goes on.
    #[must_use = "an uncommitted unit leaves no trace"]
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// What can go wrong with a store. Expected conflicts are values of their own in each port.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is not there, busy beyond patience, or cut the connection: try again later.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A write through a unit that was opened for reading.
    #[error("a unit of work opened for reading cannot write")]
    ReadOnly,
    /// A row holds what no program of ours writes.
    #[error("the database holds an unreadable value in {0}")]
    Corrupt(String),
    /// Anything else: a fault of ours.
    #[error("the database refused a statement")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl StoreError {
    /// Whether the same call can succeed later.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}
