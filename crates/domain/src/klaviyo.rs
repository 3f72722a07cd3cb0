//! What Klaviyo is asked with and what it answers, as values that the rules may use.

use crate::collection::CollectionKind;
use crate::ids::{AccountId, CollectionId, Cursor};
use crate::profile::Profile;
use crate::quota::{Endpoint, RateLimits, RetryAfter};
use crate::time::Timestamp;

/// What a credential may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// To read the collections of a kind.
    ReadCollections(CollectionKind),
    /// `profiles:read`
    ReadProfiles,
}

impl Capability {
    /// Klaviyo's name of the scope.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::ReadCollections(kind) => kind.descriptor().scope,
            Self::ReadProfiles => "profiles:read",
        }
    }

    /// Klaviyo's type of the resources that can be read with it.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ReadCollections(kind) => kind.noun(),
            Self::ReadProfiles => "profile",
        }
    }

    /// The segment of the URL's path where they are read.
    pub const fn path(self) -> &'static str {
        match self {
            Self::ReadCollections(kind) => kind.descriptor().path,
            Self::ReadProfiles => "profiles",
        }
    }

    /// Where the quota counts the call that tries it.
    pub const fn endpoint(self) -> Endpoint {
        match self {
            Self::ReadCollections(kind) => kind.descriptor().endpoints.browse,
            Self::ReadProfiles => Endpoint::Profiles,
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
