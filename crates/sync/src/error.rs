//! Why a use case did not do what was asked.

use std::time::Duration;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::ids::AccountId;
use fanfare_domain::ports::{KlaviyoError, SealError, StoreError};
use fanfare_domain::run::InvalidTransition;

/// What was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// An audience.
    Audience,
    /// A consumer.
    Consumer,
    /// A sync source.
    SyncSource,
    /// A sync run.
    SyncRun,
    /// A list or segment in Klaviyo.
    KlaviyoCollection(CollectionKind),
    /// An organization.
    Organization,
    /// A secret key.
    SecretKey,
}

impl std::fmt::Display for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Audience => "Audience",
            Self::Consumer => "Consumer",
            Self::SyncSource => "Sync source",
            Self::SyncRun => "Sync run",
            Self::KlaviyoCollection(kind) => kind.descriptor().entity,
            Self::Organization => "Organization",
            Self::SecretKey => "Secret key",
        })
    }
}

/// A fault in one field of what was sent. It never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field, dotted: `klaviyo.apiKey`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub message: String,
}

/// Why a use case did not do what was asked. Nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none of that id in the organization.
    #[error("{0} not found")]
    NotFound(Entity),
    /// What was sent cannot be taken.
    #[error("the request does not validate")]
    Invalid(Vec<FieldViolation>),
    /// No Klaviyo key is stored.
    #[error("no Klaviyo API key is stored")]
    KeyNotFound,
    /// Klaviyo refuses the key.
    #[error("Klaviyo refuses the API key")]
    KeyRejected,
    /// The key lacks these scopes.
    #[error("the Klaviyo API key lacks scopes")]
    ScopeMissing(Vec<String>),
    /// The key belongs to another Klaviyo account than the one connected.
    #[error("the Klaviyo account differs")]
    AccountDiffers {
        /// The account connected.
        connected: AccountId,
        /// The new key's account.
        offered: AccountId,
    },
    /// Klaviyo does not answer usably.
    #[error("Klaviyo is unreachable")]
    KlaviyoUnreachable(#[source] KlaviyoError),
    /// Klaviyo's quota is used up for so long.
    #[error("Klaviyo is busy")]
    KlaviyoThrottled(Duration),
    /// The source has an active run.
    #[error("a sync is already in progress")]
    SyncInProgress,
    /// The audience's source is archived with it.
    #[error("the audience has no sync source")]
    NoSyncSource,
    /// The run has ended.
    #[error("the sync run has already finished")]
    RunFinished,
    /// The store.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A stored key does not open.
    #[error("the stored Klaviyo API key cannot be read")]
    Seal(#[from] SealError),
    /// A transition that cannot be: a fault of ours.
    #[error("a run was handled out of turn")]
    Transition(#[from] InvalidTransition),
}

impl Error {
    /// Whether the same call can succeed once the store is back.
    pub(crate) const fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation {
            field: field.to_owned(),
            message: message.into(),
        }])
    }
}
