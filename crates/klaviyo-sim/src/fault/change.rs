//! Changes of an account, in the middle of a scan or at once.

use std::time::Duration;

use crate::key::Key;
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
    /// A profile joins, also if it is a member, and Klaviyo tells a join time so far in the future.
    JoinAhead(MemberRef, Duration),
    /// The time of a profile's last change is now, or so far in the future.
    Touch(MemberRef, Duration),
    /// Klaviyo tells no join time of a member any more.
    ForgetJoin(MemberRef, UnknownJoin),
    /// The first profile is merged into the second. For some time yet nothing shows it.
    Merge(MemberRef, MemberRef),
    /// The first profile is merged into the second at once: lists and segments have the second. The first one's id
    /// still answers for so long.
    MergeAtOnce(MemberRef, MemberRef, Duration),
    /// A profile is deleted.
    Delete(MemberRef),
    /// The list or segment is deleted.
    DeleteCollection,
    /// The list or segment gets another name.
    Rename(String),
    /// The segment begins to be computed, or is done, as it tells itself.
    Process(bool),
    /// The definition of the segment is changed: it is emptied, and computed anew.
    Recompute(Recomputation),
    /// Klaviyo's count of the list or segment is so far behind from now on.
    LagCount(Duration),
    /// The key of the request is revoked; without a request, all of the account's keys.
    RevokeKey,
    /// The account has one more key.
    AddKey(Key),
    /// The key of the request loses a scope.
    DropScope(String),
}

/// How a segment is computed anew after its definition was changed: it is empty, and profiles join it one after the
/// other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recomputation {
    /// How many join in a minute; with none it stays empty.
    pub per_minute: u32,
    /// Whether Klaviyo says meanwhile that it is computing. It does not always.
    pub is_told: bool,
    /// The ids of those who join, in this order; `None` is those who were in it.
    pub members: Option<Vec<String>>,
}

impl Recomputation {
    /// Those who were in it join again, so many in a minute, and Klaviyo says that it computes.
    pub const fn at(per_minute: u32) -> Self {
        Self {
            per_minute,
            is_told: true,
            members: None,
        }
    }

    /// The same, but Klaviyo does not say it.
    #[must_use]
    pub const fn untold(mut self) -> Self {
        self.is_told = false;
        self
    }

    /// The same with these profiles.
    #[must_use]
    pub fn of(mut self, ids: impl IntoIterator<Item = String>) -> Self {
        self.members = Some(ids.into_iter().collect());
        self
    }
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
