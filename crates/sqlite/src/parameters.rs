//! How sets of texts travel. The text shared with Postgres calls these names.

use fanfare_sql_rows::{JsonText, json};
use serde::Serialize;

/// A column that holds a set of texts: one JSON array.
pub(crate) type TextsColumn = JsonText;

/// A set of texts as a parameter: one JSON array.
pub(crate) fn texts<T: Serialize>(texts: &[T]) -> String {
    json(texts)
}
