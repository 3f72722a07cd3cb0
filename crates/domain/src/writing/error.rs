//! Why a write did not succeed, and what is known of its effect.

use super::ContentRefusal;
use crate::ids::ProfileId;
use crate::quota::RetryAfter;

/// Why a write has no answer that says that it was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// 400, 413 or 422: Klaviyo refuses what was sent, or it was refused before it was sent because it can be no request.
    #[error("Klaviyo refused the content: {0}")]
    ContentRefused(ContentRefusal),
    /// 409: an identifier belongs to another profile.
    #[error("an identifier belongs to another Klaviyo profile")]
    IdentifierConflict {
        /// The profile that it belongs to, if Klaviyo names it.
        other: Option<ProfileId>,
    },
    /// 401 with Klaviyo's own error document: the key is unknown or revoked.
    #[error("Klaviyo refused the API key")]
    KeyRejected,
    /// 403 with scopes named: the key lacks them.
    #[error("the Klaviyo API key lacks the scopes {}", .0.join(", "))]
    ScopeMissing(Vec<String>),
    /// 403 for another reason, for example the account's plan.
    #[error("Klaviyo does not permit this to the account")]
    NotPermitted,
    /// 404: the profile, the list or the job was deleted, or belongs to another account.
    #[error("Klaviyo does not know it")]
    Gone,
    /// 429: the quota is used up. Nothing was done.
    #[error("Klaviyo asks to wait")]
    Throttled(RetryAfter),
    /// No connection could be made, so nothing was sent.
    #[error("Klaviyo is not available: {0}")]
    NotSent(String),
    /// It was sent, and no answer of Klaviyo's came that can be read: it may have been done, or not.
    #[error("it is not known whether Klaviyo did it: {what}")]
    OutcomeUnknown {
        /// What came instead of an answer.
        what: String,
        /// When the next request may be made, if that was said.
        retry_after: RetryAfter,
    },
    /// 410, or 404 for the revision: this version of the program is too old.
    #[error("Klaviyo has retired the API revision this program uses")]
    RevisionRetired,
    /// Any other refusal (4xx): a defect of this program.
    #[error("Klaviyo refused the request: {0}")]
    Refused(String),
}

/// What an error says of the effect of the write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Klaviyo did nothing.
    None,
    /// Klaviyo may have done it.
    Unknown,
}

impl WriteError {
    /// What is known of the effect.
    pub const fn effect(&self) -> Effect {
        match self {
            Self::OutcomeUnknown { .. } => Effect::Unknown,
            Self::ContentRefused(_)
            | Self::IdentifierConflict { .. }
            | Self::KeyRejected
            | Self::ScopeMissing(_)
            | Self::NotPermitted
            | Self::Gone
            | Self::Throttled(_)
            | Self::NotSent(_)
            | Self::RevisionRetired
            | Self::Refused(_) => Effect::None,
        }
    }

    /// Whether the same request can succeed later.
    pub const fn may_pass_later(&self) -> bool {
        matches!(
            self,
            Self::Throttled(_) | Self::NotSent(_) | Self::OutcomeUnknown { .. }
        )
    }
}
