//! The other side: what is asked of Klaviyo, and everything it may answer.

use async_trait::async_trait;

use crate::connection::KlaviyoKey;
use crate::ids::{AccountId, CollectionId, Cursor};
use crate::profile::Profile;
use crate::quota::{RateLimits, RetryAfter};
use crate::source::{CollectionKind, CollectionRef};
use crate::time::Timestamp;

/// Klaviyo's REST API, revision 2026-07-15.
///
/// Each call is one request. An adapter never retries, never waits and never follows a link to
/// another origin; it trusts nothing it is sent. It MUST hold answers to a size, and calls to a
/// time, and MUST keep the key out of every error.
#[async_trait]
pub trait Klaviyo: Send + Sync {
    /// `GET /api/accounts`: whose key this is. Scope `accounts:read`.
    async fn account(&self, key: &KlaviyoKey) -> Result<Answer<Account>, KlaviyoError>;

    /// `GET /api/lists` or `/api/segments`, ten a page. Scope `lists:read` or `segments:read`.
    async fn collections(
        &self,
        key: &KlaviyoKey,
        kind: CollectionKind,
        cursor: Option<&Cursor>,
    ) -> Result<Answer<CollectionPage>, KlaviyoError>;

    /// `GET /api/lists/{id}` or `/api/segments/{id}`; with `count` also how many profiles it has,
    /// from another bucket of the quota.
    async fn collection(
        &self,
        key: &KlaviyoKey,
        collection: &CollectionRef,
        count: bool,
    ) -> Result<Answer<Collection>, KlaviyoError>;

    /// `GET /api/lists/{id}/profiles` or the segment's, a hundred a page by join time. Scopes of
    /// the collection and `profiles:read`.
    async fn members(
        &self,
        key: &KlaviyoKey,
        collection: &CollectionRef,
        from: &MembersFrom,
    ) -> Result<Answer<MemberPage>, KlaviyoError>;

    /// Tries whether the key has a capability, with the smallest request that needs it.
    async fn probe(
        &self,
        key: &KlaviyoKey,
        capability: Capability,
    ) -> Result<Answer<()>, KlaviyoError>;
}

/// What a key may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `lists:read`
    ReadLists,
    /// `profiles:read`
    ReadProfiles,
    /// `segments:read`
    ReadSegments,
}

impl Capability {
    /// Klaviyo's name of the scope.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::ReadLists => "lists:read",
            Self::ReadProfiles => "profiles:read",
            Self::ReadSegments => "segments:read",
        }
    }
}

/// An answer, with the quota its headers announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// `RateLimit-Limit`, where it was there and readable.
    pub rate_limits: Option<RateLimits>,
}

/// A Klaviyo account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
}

/// A list or segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// Klaviyo's id.
    pub id: CollectionId,
    /// Its name, where it has one.
    pub name: Option<String>,
    /// When it was made, as Klaviyo wrote it.
    pub created: Option<Timestamp>,
    /// When it was last changed (membership aside).
    pub updated: Option<Timestamp>,
    /// `single_opt_in` or `double_opt_in`; lists only.
    pub opt_in_process: Option<String>,
    /// Whether it is in use; segments only.
    pub is_active: Option<bool>,
    /// Whether Klaviyo is still computing it; segments only.
    pub is_processing: Option<bool>,
    /// How many profiles it has, where asked for and known.
    pub profile_count: Option<u64>,
}

/// A page of lists or segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionPage {
    /// Its items.
    pub items: Vec<Collection>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// Where to begin reading members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersFrom {
    /// Those who joined at this time or later; parts of a second are cut off.
    pub joined_from: Option<Timestamp>,
    /// At this position, if given, of the same range.
    pub cursor: Option<Cursor>,
}

/// A page of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// Its profiles.
    pub profiles: Vec<Profile>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// What Klaviyo, or the network in between, answers instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KlaviyoError {
    /// 401: the key is unknown or revoked.
    #[error("Klaviyo refused the API key")]
    KeyRejected,
    /// 403 with scopes named: the key lacks them.
    #[error("the Klaviyo API key lacks the scopes {}", .0.join(", "))]
    ScopeMissing(Vec<String>),
    /// 403 for another reason, such as the account's plan.
    #[error("Klaviyo does not permit this to the account")]
    NotPermitted,
    /// 404: gone, or another account's.
    #[error("Klaviyo does not know it")]
    NotFound,
    /// 400 on a request with a cursor: Klaviyo has forgotten the position.
    #[error("Klaviyo no longer takes the cursor")]
    CursorRejected,
    /// 429.
    #[error("Klaviyo asks to wait")]
    Throttled(RetryAfter),
    /// No answer, a time-out, 5xx, or a challenge of the network in front of Klaviyo.
    #[error("Klaviyo is not available: {0}")]
    Unavailable(String),
    /// An answer that cannot be used: not JSON, wrong shape, cut off, too large.
    #[error("Klaviyo's answer cannot be used: {0}")]
    Invalid(String),
    /// A link to another origin.
    #[error("Klaviyo's answer links to another origin")]
    ForeignLink,
    /// 410, or 404 for the revision: this program is too old.
    #[error("Klaviyo has retired the API revision this program uses")]
    RevisionRetired,
    /// Any other refusal (4xx): a fault of ours.
    #[error("Klaviyo refused the request: {0}")]
    Refused(String),
}
