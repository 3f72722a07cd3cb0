//! Changes of an account in the middle of a scan.

use crate::profiles::Profile;

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
    /// The first profile is merged into the second.
    Merge(MemberRef, MemberRef),
    /// A profile is deleted.
    Delete(MemberRef),
    /// The list or segment is deleted.
    DeleteCollection,
    /// The list or segment gets another name.
    Rename(String),
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
