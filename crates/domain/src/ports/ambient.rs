//! Time and the master keys.

use secrecy::SecretString;

use crate::connection::{OpenedKey, SealedKey};
use crate::ids::OrganizationId;
use crate::time::Timestamp;

/// The source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;
}

/// Seals Klaviyo keys with the present master key, and opens them with that one or one of before.
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
    ) -> Result<OpenedKey, SealError>;
}

/// A sealed key that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed in a form that this version does not know.
    #[error("the key was sealed in form {0}, which this version of the program does not know")]
    UnknownForm(u32),
    /// No configured master key opens it: another one sealed it, the organization is another one, or the
    /// bytes are damaged.
    #[error(
        "no master key opens the sealed key: another one sealed it, for another organization, or it is damaged"
    )]
    DoesNotOpen,
}
