//! Errors of the use cases.

use std::time::Duration;

use fanfare_domain::collection::CollectionKind;
use fanfare_domain::events::NoEnvelope;
use fanfare_domain::history::MAX_SNAPSHOTS;
use fanfare_domain::ids::{AccountId, AudienceId};
use fanfare_domain::ports::{KlaviyoError, SealError, StoreError};
use fanfare_domain::push::{ConfirmationRefused, MustConfirm};
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
    /// A snapshot of an audience's members.
    Snapshot,
    /// Something that Klaviyo is to be told.
    Delivery,
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
            Self::Snapshot => "Snapshot",
            Self::Delivery => "Delivery",
        })
    }
}

/// One field of a request that is not valid. It never holds the field's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldViolation {
    /// The field, dotted: `klaviyo.apiKey`.
    pub field: String,
    /// What is wrong, and what would be valid.
    pub message: String,
}

/// Why a push needs another confirmation than the one that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotConfirmed {
    /// None was given, for a push that needs one for this reason.
    Missing(MustConfirm),
    /// The one that was given is none.
    Refused(ConfirmationRefused),
}

/// Why a use case failed. It has written nothing then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The organization has no entity with this id.
    #[error("{0} not found")]
    NotFound(Entity),
    /// Fields of the request are not valid.
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
    /// Klaviyo gives no usable answer.
    #[error("Klaviyo is unreachable")]
    KlaviyoUnreachable(#[source] KlaviyoError),
    /// Klaviyo's pages of all lists or segments do not end.
    #[error("Klaviyo's pages of {what} do not end after {pages} pages")]
    EndlessCollections {
        /// The name of the kind.
        what: &'static str,
        /// How many pages were read.
        pages: u64,
    },
    /// Klaviyo's quota is used up for this long.
    #[error("Klaviyo is busy")]
    KlaviyoThrottled(Duration),
    /// The source has an active run.
    #[error("a sync is already in progress")]
    SyncInProgress,
    /// The audience's source is archived with it.
    #[error("the audience has no sync source")]
    NoSyncSource,
    /// The audience is filled by hand.
    #[error("the audience is not a synced list")]
    NotSynced,
    /// The audience is filled from Klaviyo.
    #[error("the audience is a synced list")]
    Synced,
    /// The audience was deleted.
    #[error("the audience is archived")]
    Archived,
    /// The audience is kept in no Klaviyo list.
    #[error("the audience is kept in no Klaviyo list")]
    NoKeptList,
    /// Another audience is kept in the list.
    #[error("another audience is kept in the list")]
    ListTaken(AudienceId),
    /// The list feeds the audience: this is the chain from the one to the other.
    #[error("the list feeds the audience that it would keep")]
    CircularSync(Vec<String>),
    /// A person has to confirm what the push would do.
    #[error("the push needs a confirmation")]
    ConfirmationRequired(NotConfirmed),
    /// The run has ended.
    #[error("the sync run has already finished")]
    RunFinished,
    /// The audience has as many snapshots as it may have.
    #[error("the audience has {MAX_SNAPSHOTS} snapshots already")]
    TooManySnapshots,
    /// The webhook is not signed with a secret of the organization's, or not lately, or there is no such organization.
    #[error("the webhook's signature is invalid")]
    SignatureInvalid,
    /// The body of a webhook is no envelope.
    #[error("the webhook's body is no envelope")]
    NoEnvelope(#[source] NoEnvelope),
    /// No secret for webhooks was made.
    #[error("no secret for webhooks was made")]
    NoWebhookSecret,
    /// So many webhooks of the organization wait that no more are taken for a moment.
    #[error("too many webhooks of the organization wait")]
    IntakeBusy,
    /// Another consumer has the e-mail.
    #[error("another consumer has the e-mail")]
    EmailExists,
    /// The person was erased.
    #[error("the person was erased")]
    PersonErased,
    /// The person is not in the list from which they are to be unsubscribed.
    #[error("the person is not in the list")]
    NotInList,
    /// The delivery was sent or dropped.
    #[error("the delivery cannot be retried")]
    NotRetriable,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A stored key cannot be decrypted.
    #[error("the stored Klaviyo API key cannot be read")]
    Seal(#[from] SealError),
    /// The key by which erased people are recognized cannot be decrypted.
    #[error("the stored key of erased people's hashes cannot be read")]
    ErasureKey(#[source] SealError),
    /// An event that the run's status does not allow: a defect of this program.
    #[error("a run was handled out of turn")]
    Transition(#[from] InvalidTransition),
}

impl Error {
    /// Whether the same call can succeed once the store is back.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }

    /// One field of the request is not valid.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation {
            field: field.to_owned(),
            message: message.into(),
        }])
    }
}
