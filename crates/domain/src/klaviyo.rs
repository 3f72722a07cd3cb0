//! What requests to Klaviyo and its answers hold, as values that the rules may use.

use std::time::Duration;

use crate::collection::CollectionKind;
use crate::ids::{AccountId, CollectionId, Cursor};
use crate::profile::Profile;
use crate::quota::{Endpoint, RateLimits, RetryAfter};
use crate::time::Timestamp;

/// Something that a credential may permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Reading the collections of a kind.
    ReadCollections(CollectionKind),
    /// Reading profiles: the scope `profiles:read`.
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

    /// Klaviyo's name of the resource type that it permits reading.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::ReadCollections(kind) => kind.noun(),
            Self::ReadProfiles => "profile",
        }
    }

    /// The first segment, after `/api`, of the URL path where they are read.
    pub const fn path(self) -> &'static str {
        match self {
            Self::ReadCollections(kind) => kind.descriptor().path,
            Self::ReadProfiles => "profiles",
        }
    }

    /// The quota's endpoint of the call that tests it.
    pub const fn endpoint(self) -> Endpoint {
        match self {
            Self::ReadCollections(kind) => kind.descriptor().endpoints.browse,
            Self::ReadProfiles => Endpoint::Profiles,
        }
    }
}

/// An answer, with the rate limits that its headers announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<T> {
    /// What the body held.
    pub value: T,
    /// The header `RateLimit-Limit`; `None` if it was absent or unreadable.
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
    /// Its name, if it has one.
    pub name: Option<String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When it was last changed, apart from its membership.
    pub updated: Option<Timestamp>,
    /// `single_opt_in` or `double_opt_in`; lists only.
    pub opt_in_process: Option<String>,
    /// Whether it is in use; segments only.
    pub is_active: Option<bool>,
    /// Whether Klaviyo is still computing it; segments only.
    pub is_processing: Option<bool>,
    /// How many profiles it has; `None` unless it was requested and is known.
    pub profile_count: Option<u64>,
}

/// How long after a change of its definition a segment counts as still being computed, in minutes: Klaviyo does not always
/// say so.
const MINUTES_OF_COMPUTING: u64 = 15;

impl Collection {
    /// Whether it is a segment that Klaviyo is still computing, so that a profile that is not in it says nothing: Klaviyo
    /// says so, or it was changed a short time ago. A change that lies further ahead than that says nothing.
    pub fn is_being_computed(&self, kind: CollectionKind, now: Timestamp) -> bool {
        let recent = Duration::from_mins(MINUTES_OF_COMPUTING);
        let is_changed = |at: Timestamp| now.since(at) < recent && at.since(now) < recent;
        kind == CollectionKind::Segment
            && (self.is_processing == Some(true) || self.updated.is_some_and(is_changed))
    }
}

/// A page of lists or segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectionPage {
    /// Its items.
    pub items: Vec<Collection>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// The order in which members are requested.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum MemberOrder {
    /// By join time, the earliest first.
    #[default]
    EarliestFirst,
    /// By join time, the latest first.
    LatestFirst,
    /// As Klaviyo likes, because it refuses to sort by join time.
    Unsorted,
}

/// Where to begin reading members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersFrom {
    /// The order of the members.
    pub order: MemberOrder,
    /// Only members who joined at this time or later; fractions of a second are cut off.
    pub joined_from: Option<Timestamp>,
    /// Only members who joined before this time; fractions of a second are cut off.
    pub joined_before: Option<Timestamp>,
    /// The position in that range; `None` for its beginning.
    pub cursor: Option<Cursor>,
}

/// Where to begin reading the profiles that have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFrom {
    /// Only profiles that have changed after this time; fractions of a second are cut off.
    pub after: Timestamp,
    /// The position in that range; `None` for its beginning.
    pub cursor: Option<Cursor>,
}

/// By what members are looked for.
#[derive(Clone, PartialEq, Eq)]
pub enum MemberLookup {
    /// E-mails.
    Emails(Vec<String>),
    /// Phone numbers.
    Phones(Vec<String>),
}

/// The values are personal.
impl std::fmt::Debug for MemberLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Emails(texts) => write!(f, "Emails({} texts)", texts.len()),
            Self::Phones(texts) => write!(f, "Phones({} texts)", texts.len()),
        }
    }
}

/// A page of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberPage {
    /// Its profiles.
    pub profiles: Vec<Profile>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

/// Why a call to Klaviyo gave no answer that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KlaviyoError {
    /// 401 with Klaviyo's own error document: the key is unknown or revoked.
    #[error("Klaviyo refused the API key")]
    KeyRejected,
    /// 403 with scopes named: the key lacks them.
    #[error("the Klaviyo API key lacks the scopes {}", .0.join(", "))]
    ScopeMissing(Vec<String>),
    /// 403 for another reason, for example the account's plan.
    #[error("Klaviyo does not permit this to the account")]
    NotPermitted,
    /// 404: it was deleted, or belongs to another account.
    #[error("Klaviyo does not know it")]
    NotFound,
    /// 400 on a request with a cursor: Klaviyo has forgotten the position.
    #[error("Klaviyo refused the cursor of the next page")]
    CursorRejected,
    /// 400 for the filter or the order that was requested.
    #[error("Klaviyo refused the filter or the order of the request")]
    RangeRefused,
    /// 429: the quota is used up.
    #[error("Klaviyo asks to wait")]
    Throttled(RetryAfter),
    /// No answer, a timeout, 5xx, or any refusal of the network in front of Klaviyo.
    #[error("Klaviyo is not available: {0}")]
    Unavailable(String),
    /// The same, where the answer says when the next request may be made.
    #[error("Klaviyo is not available for a while: {what}")]
    Outage {
        /// What was answered.
        what: String,
        /// When the next request may be made.
        retry_after: RetryAfter,
    },
    /// An answer that cannot be used: not JSON, of another shape, cut off, or too large.
    #[error("Klaviyo's answer cannot be used: {0}")]
    Invalid(String),
    /// The answer came to this many bytes, and there was no more room for it. It says nothing of Klaviyo.
    #[error("there was no room for an answer of {0} bytes")]
    NoRoom(usize),
    /// The answer's link to the next page leads to another origin.
    #[error("Klaviyo's answer links to another origin")]
    ForeignLink,
    /// 410, or 404 for the revision: this version of the program is too old.
    #[error("Klaviyo has retired the API revision this program uses")]
    RevisionRetired,
    /// Any other refusal (4xx): a defect of this program.
    #[error("Klaviyo refused the request: {0}")]
    Refused(String),
}
