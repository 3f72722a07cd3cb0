//! Values that requests have in common, each with its bounds.

use std::fmt::Display;

use deserr::{Deserr, IntoValue, Sequence, Value, ValuePointerRef};
use fanfare_domain::ids::{AudienceId, CollectionId, ConsumerId, InvalidId, ProfileId, SourceId};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Patch;

use super::error::{DecodeError, Place, path_of, shown};
use crate::cursor;
use crate::error::Violation;

/// Text of so many characters that a store can keep and a page can show.
#[derive(Debug)]
pub(crate) struct Text<const MIN: usize, const MAX: usize>(pub(crate) String);

/// An array of at most so many elements.
#[derive(Debug)]
pub(crate) struct AtMost<T, const MAX: usize>(pub(crate) Vec<T>);

/// An array of at least one and at most so many elements.
#[derive(Debug)]
pub(crate) struct OneTo<T, const MAX: usize>(pub(crate) Vec<T>);

/// How many items of a page are asked for.
#[derive(Debug)]
pub(crate) struct First<const DEFAULT: u32, const MAX: u32>(pub(crate) u32);

/// The key of the item after which a page begins.
#[derive(Debug)]
pub(crate) struct Cursor(pub(crate) String);

/// A string that `parse` takes; its error is the message of the violation.
pub(crate) fn parse_text<V: IntoValue, P: Place, T, E: Display>(
    value: Value<V>,
    location: ValuePointerRef<'_>,
    rule: &'static str,
    expected: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, DecodeError<P>> {
    let received = shown::<V, P>(&value);
    let text: Result<String, DecodeError<P>> = String::deserialize_from_value(value, location);
    let text = text?;
    parse(&text).map_err(|error| {
        DecodeError::from(Violation::new(
            path_of(location),
            rule,
            expected,
            received,
            error.to_string(),
        ))
    })
}

/// The violation of a value that is not taken whatever it is.
pub(crate) fn refuse<V: IntoValue, P: Place>(
    value: &Value<V>,
    location: ValuePointerRef<'_>,
    expected: &str,
    message: &str,
) -> DecodeError<P> {
    DecodeError::from(Violation::new(
        path_of(location),
        "check",
        expected,
        shown::<V, P>(value),
        message,
    ))
}

/// An id of Klaviyo's in a request. What Klaviyo itself sends may be any text, but no id of its has blanks or letters
/// beyond ASCII, so such a text is something else, like a list's name, and the caller is told so.
pub(crate) fn klaviyo_id<'t, T>(
    text: &'t str,
    parse: impl FnOnce(&'t str) -> Result<T, InvalidId>,
) -> Result<T, &'static str> {
    let is_visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let id = parse(text).ok().filter(|_| is_visible);
    id.ok_or("not an id: 1 to 255 visible ASCII characters are expected")
}

impl<const MIN: usize, const MAX: usize> From<Text<MIN, MAX>> for String {
    fn from(text: Text<MIN, MAX>) -> Self {
        text.0
    }
}

impl<P: Place, T: Deserr<DecodeError<P>>, const MAX: usize> Deserr<DecodeError<P>>
    for AtMost<T, MAX>
{
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        if let Value::Sequence(elements) = &value
            && elements.len() > MAX
        {
            return Err(DecodeError::from(Violation::new(
                path_of(location),
                "max_length",
                format!("<={MAX}"),
                elements.len().to_string(),
                format!("at most {MAX} are taken at once; send the rest afterwards"),
            )));
        }
        Vec::deserialize_from_value(value, location).map(Self)
    }
}

impl<P: Place, T: Deserr<DecodeError<P>>, const MAX: usize> Deserr<DecodeError<P>>
    for OneTo<T, MAX>
{
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        let AtMost(elements) = AtMost::<T, MAX>::deserialize_from_value(value, location)?;
        if elements.is_empty() {
            let message = format!("must have 1 to {MAX} elements");
            let violation = Violation::new(path_of(location), "min_length", ">=1", "0", message);
            return Err(violation.into());
        }
        Ok(Self(elements))
    }
}

impl<T, const MAX: usize> Default for AtMost<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<const DEFAULT: u32, const MAX: u32> Default for First<DEFAULT, MAX> {
    fn default() -> Self {
        Self(DEFAULT)
    }
}

/// A field that may be left out, or be null.
impl<P: Place, T: Deserr<DecodeError<P>>> Deserr<DecodeError<P>> for Patch<T> {
    fn deserialize_from_value<V: IntoValue>(
        value: Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, DecodeError<P>> {
        Option::deserialize_from_value(value, location).map(Self::Set)
    }
}

/// Decodes types from a string: the broken rule, what it expects, and the function that parses.
macro_rules! parsed {
    ($($type:ty $([$($generics:tt)+])?: $rule:literal, $expected:expr, $parse:expr;)+) => {$(
        impl<P: $crate::decode::Place $(, $($generics)+)?> deserr::Deserr<$crate::decode::DecodeError<P>> for $type {
            fn deserialize_from_value<V: deserr::IntoValue>(
                value: deserr::Value<V>,
                location: deserr::ValuePointerRef<'_>,
            ) -> Result<Self, $crate::decode::DecodeError<P>> {
                $crate::decode::parse_text(value, location, $rule, $expected, $parse)
            }
        }
    )+};
}
pub(crate) use parsed;

parsed! {
    Text<MIN, MAX> [const MIN: usize, const MAX: usize]:
        "length", &format!(">={MIN} & <={MAX}"), |text: &str| {
            let text = text.trim();
            let is_kept = |c: char| !c.is_control() || c == '\n' || c == '\t';
            let fits = (MIN..=MAX).contains(&text.chars().count()) && text.chars().all(is_kept);
            fits.then(|| Self(text.to_owned())).ok_or_else(|| {
                format!("must be {MIN} to {MAX} characters without control characters")
            })
        };
    // Query parameters have their numbers in digits.
    First<DEFAULT, MAX> [const DEFAULT: u32, const MAX: u32]:
        "integer", &format!(">=1 & <={MAX}"), |text: &str| {
            let number = text.parse().ok().filter(|number| (1..=MAX).contains(number));
            let number = number.map(Self);
            number.ok_or_else(|| format!("must be a whole number from 1 to {MAX}"))
        };
    AudienceId: "id", "id", |text: &str| Self::parse(text);
    SourceId: "id", "id", |text: &str| Self::parse(text);
    ConsumerId: "id", "id", |text: &str| Self::parse(text);
    CollectionId: "id", "Klaviyo's id", |text: &str| klaviyo_id(text, Self::parse::<&str>);
    ProfileId: "id", "Klaviyo's id", |text: &str| klaviyo_id(text, Self::parse::<&str>);
    Timestamp: "iso_timestamp", "date-time", |text| {
        Self::parse(text).ok_or("must be a date and time like 2026-01-31T09:15:00Z")
    };
    Cursor: "cursor", "cursor", |text| {
        let key = cursor::decode(text).map(Self);
        key.ok_or("is not a cursor; send the endCursor of a page as it was")
    };
}
