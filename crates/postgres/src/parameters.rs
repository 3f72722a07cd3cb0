//! How sets of texts and lengths of time travel. The text shared with SQLite calls these names.

use std::time::Duration;

/// A column that holds a set of texts: an array.
pub(crate) type TextsColumn = Vec<String>;

/// A set of texts as a parameter: an array.
pub(crate) fn texts<T>(texts: &[T]) -> &[T] {
    texts
}

/// A length of time as a parameter: seconds.
pub(crate) fn duration(length: Duration) -> f64 {
    length.as_secs_f64()
}
