//! Columns to values and back.

use fanfare_domain::ids::InvalidId;
use fanfare_domain::ports::StoreError;
use fanfare_domain::search::folded;

/// Who makes the rows that a sync writes.
pub const SYSTEM_ACTOR: &str = "system:klaviyo";

/// A value that no program of ours writes, at `table.column`.
pub fn corrupt(place: &str) -> StoreError {
    StoreError::Corrupt(place.to_owned())
}

/// A write that the store's own rules forbid.
pub fn refused(why: &'static str) -> StoreError {
    StoreError::Refused(why.into())
}

/// The value of a row, if there is a row.
pub fn one<R, T: TryFrom<R, Error = StoreError>>(row: Option<R>) -> Result<Option<T>, StoreError> {
    row.map(T::try_from).transpose()
}

/// The values of rows, in their order.
pub fn all<R, T: TryFrom<R, Error = StoreError>>(rows: Vec<R>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().map(T::try_from).collect()
}

/// An id, which `column` (`table.column`) holds as text.
pub fn id<T>(
    text: String,
    parse: impl FnOnce(String) -> Result<T, InvalidId>,
    column: &str,
) -> Result<T, StoreError> {
    parse(text).map_err(|_| corrupt(column))
}

/// A value of an enum, which `column` holds as its wire text.
pub fn parse_enum<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    column: &str,
) -> Result<T, StoreError> {
    parse(text).ok_or_else(|| corrupt(column))
}

/// A number of rows or of anything that is never negative.
pub fn count(number: i64, column: &str) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| corrupt(column))
}

/// The same, for numbers that stay small.
pub fn to_u32(number: i64, column: &str) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| corrupt(column))
}

/// A count as a column: the integers of both databases are signed.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A value as JSON text.
///
/// # Panics
///
/// Where the value cannot be JSON, such as a map whose keys are no texts. Our values can.
pub fn json<T: serde::Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("plain values of texts and numbers become JSON")
}

/// What a column holds as JSON.
pub fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(column))
}

/// A pattern for `search_text LIKE … ESCAPE '\'` that finds the text anywhere, its own wildcards taken literally.
pub fn contains_pattern(search: &str) -> String {
    let mut pattern = String::from("%");
    for c in folded(search).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::contains_pattern;

    #[test]
    fn a_pattern_is_of_the_folded_text_whose_wildcards_are_literal() {
        assert_eq!(contains_pattern(r"5%_\A"), r"%5\%\_\\a%");
    }
}
