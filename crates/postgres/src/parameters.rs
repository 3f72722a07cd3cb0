//! How sets of texts travel. The text shared with SQLite calls these names.

/// A column that holds a set of texts: an array.
pub(crate) type TextsColumn = Vec<String>;

/// A set of texts as a parameter: an array.
pub(crate) fn texts<T>(texts: &[T]) -> &[T] {
    texts
}
