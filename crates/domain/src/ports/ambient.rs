//! Time and the master key.

use secrecy::SecretString;

use crate::connection::SealedKey;
use crate::ids::OrganizationId;
use crate::time::Timestamp;

/// The source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Seals Klaviyo keys with the master key, and opens them.
///
/// An adapter MUST bind the ciphertext to the organization, so that a key that was moved to another
/// organization's row does not open. It MUST NOT show a key or its ciphertext in `Debug` or errors.
pub trait KeySealer: Send + Sync {
    /// Seals a key for an organization.
    fn seal(&self, organization: &OrganizationId, key: &SecretString) -> SealedKey;

    /// Opens a key that was sealed for this organization.
    fn open(
        &self,
        organization: &OrganizationId,
        sealed: &SealedKey,
    ) -> Result<SecretString, SealError>;
}

/// A sealed key that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed with a master key that is not configured.
    #[error("the key was sealed with master key version {0}, which is not configured")]
    UnknownVersion(u32),
    /// The master key or the organization is another one, or the bytes are damaged.
    #[error("the sealed key does not open: another master key, another organization, or damage")]
    DoesNotOpen,
}
