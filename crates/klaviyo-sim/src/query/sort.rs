//! Sort keys, which order resources and stand in cursors.

/// The value that a resource is sorted by. A missing value comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    Missing,
    /// In one unit for all keys that are compared.
    Time(i64),
    Text(String),
}

/// A position among sorted resources: the sort key, then the id.
pub(crate) type Position<I> = (SortKey, I);
