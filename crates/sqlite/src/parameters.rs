//! How sets of texts and lengths of time travel. The text shared with Postgres calls these names.

use std::time::Duration;

use fanfare_sql_rows::{JsonText, json};
use serde::Serialize;

/// A column that holds a set of texts: one JSON array.
pub(crate) type TextsColumn = JsonText;

/// A set of texts as a parameter: one JSON array.
pub(crate) fn texts<T: Serialize>(texts: &[T]) -> String {
    json(texts)
}

/// A length of time as a parameter: microseconds, as instants are.
pub(crate) fn duration(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}
