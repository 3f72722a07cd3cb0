//! Changes of an account in the middle of a scan.

use crate::profiles::Profile;
use crate::state::{UNKNOWN_FIRST, UNKNOWN_LAST};

/// A change of the account, made just before the request is answered. The list or segment is the one in
/// the request's path.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// So many new profiles join.
    Join(u32),
    /// This new profile joins.
    JoinAs(Box<Profile>),
    /// A member leaves.
    Leave(MemberRef),
    /// A member leaves and joins again.
    Rejoin(MemberRef),
    /// Klaviyo tells no join time of a member any more.
    ForgetJoin(MemberRef, UnknownJoin),
    /// The first profile is merged into the second.
    Merge(MemberRef, MemberRef),
    /// A profile is deleted.
    Delete(MemberRef),
    /// The list or segment is deleted.
    DeleteCollection,
    /// The list or segment gets another name.
    Rename(String),
    /// The segment begins to be computed, or is done, as it tells itself.
    Process(bool),
    /// The definition of the segment is changed: nobody is in it, until profiles join.
    Redefine,
    /// The key of the request is revoked.
    RevokeKey,
    /// The key of the request loses a scope.
    DropScope(String),
}

/// Which member a change concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberRef {
    /// The member who joined first.
    First,
    /// The member who joined last.
    Last,
    /// The member at this position in the order of joining, counted from 1.
    Nth(usize),
    /// The profile with this id.
    Id(String),
}

/// Where a member without a join time comes in the order of joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownJoin {
    /// Before all others.
    First,
    /// After all others.
    Last,
}

impl UnknownJoin {
    /// The place in the order of joining.
    pub(crate) const fn joined(self) -> i64 {
        match self {
            Self::First => UNKNOWN_FIRST,
            Self::Last => UNKNOWN_LAST,
        }
    }
}
