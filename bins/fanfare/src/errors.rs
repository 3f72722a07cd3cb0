//! Errors as the command line prints them: what happened, and what to do.

use anyhow::{Error, anyhow};
use fanfare_sync::{Entity, Error as SyncError};

/// A command with missing or wrong arguments. The exit status is 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(pub(crate) String);

/// The printed form of a use case's error.
pub(crate) fn explain(error: SyncError) -> Error {
    match error {
        SyncError::NotFound(Entity::Organization) => {
            anyhow!("there is no such organization; `fanfare org list` shows those there are")
        }
        SyncError::NotFound(Entity::SecretKey) => {
            anyhow!(
                "the organization has no such key that is not revoked; `fanfare key list` shows its keys"
            )
        }
        SyncError::Invalid(faults) => {
            let messages: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
            anyhow!(messages.join("; "))
        }
        SyncError::KeyNotFound => {
            anyhow!("Klaviyo is not connected; connect it with `fanfare klaviyo connect`")
        }
        SyncError::KeyRejected => anyhow!(
            "Klaviyo refuses the API key: it was mistyped or revoked; connect a private API key \
             with `fanfare klaviyo connect`"
        ),
        SyncError::ScopeMissing(scopes) => anyhow!(
            "the Klaviyo API key lacks {}; scopes cannot be added to a key, so make a new one in \
             Klaviyo and connect it with `fanfare klaviyo connect`",
            scopes.join(", ")
        ),
        SyncError::AccountDiffers { connected, offered } => anyhow!(
            "the key belongs to the Klaviyo account {offered}, and {connected} is connected; \
             --confirm-account-change connects it nevertheless"
        ),
        SyncError::KlaviyoThrottled(wait) => anyhow!(
            "Klaviyo's quota is used up; try again in {} s",
            wait.as_secs() + 1
        ),
        SyncError::Seal(error) => Error::from(error).context(
            "the stored Klaviyo API key cannot be opened; connect it anew with \
             `fanfare klaviyo connect`",
        ),
        other => other.into(),
    }
}
