//! The error that collects every violation while deserr decodes.

use std::marker::PhantomData;
use std::ops::ControlFlow;

use deserr::{
    DeserializeError, ErrorKind, IntoValue, MergeWithError, Value, ValueKind, ValuePointerRef,
};

use crate::error::{Key, Violation, Violations, is_showable};

/// Where a value was sent.
pub(crate) trait Place {
    /// What a member of the request is called there.
    const MEMBER: &'static str;
    /// Whether a violation may show the value; otherwise it shows its type alone.
    const IS_SHOWN: bool;
}

/// A body.
#[derive(Debug)]
pub(crate) enum InBody {}

/// A part of a request with secrets or personal data in it.
#[derive(Debug)]
pub(crate) enum InSecret {}

/// A query string.
#[derive(Debug)]
pub(crate) enum InQuery {}

impl Place for InBody {
    const MEMBER: &'static str = "field";
    const IS_SHOWN: bool = true;
}

impl Place for InSecret {
    const MEMBER: &'static str = "field";
    const IS_SHOWN: bool = false;
}

impl Place for InQuery {
    const MEMBER: &'static str = "parameter";
    const IS_SHOWN: bool = true;
}

/// The violations of a value that was sent in the place `P`.
#[derive(Debug)]
pub(crate) struct DecodeError<P> {
    violations: Violations,
    place: PhantomData<P>,
}

impl<P> From<Violation> for DecodeError<P> {
    fn from(violation: Violation) -> Self {
        Self {
            violations: violation.into(),
            place: PhantomData,
        }
    }
}

impl<P> From<DecodeError<P>> for Violations {
    fn from(error: DecodeError<P>) -> Self {
        error.violations
    }
}

impl<P, Q> MergeWithError<DecodeError<Q>> for DecodeError<P> {
    fn merge(
        collected: Option<Self>,
        other: DecodeError<Q>,
        _: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let mut violations = collected.map_or_else(Violations::default, Violations::from);
        violations.append(other.violations);
        ControlFlow::Continue(Self {
            violations,
            place: PhantomData,
        })
    }
}

impl<P: Place> DeserializeError for DecodeError<P> {
    fn error<V: IntoValue>(
        collected: Option<Self>,
        error: ErrorKind<'_, V>,
        location: ValuePointerRef<'_>,
    ) -> ControlFlow<Self, Self> {
        let violation = violation::<V, P>(error, location);
        Self::merge(collected, Self::from(violation), location)
    }
}

fn violation<V: IntoValue, P: Place>(
    error: ErrorKind<'_, V>,
    location: ValuePointerRef<'_>,
) -> Violation {
    let path = path_of(location);
    match error {
        ErrorKind::IncorrectValueKind { actual, accepted } => {
            let (rule, expected, wanted) = names(accepted.first().copied());
            Violation::new(
                path,
                rule,
                expected,
                shown::<V, P>(&actual),
                format!("must be {wanted}"),
            )
        }
        ErrorKind::MissingField { field } => missing(field, location, None),
        ErrorKind::UnknownKey { key, .. } => {
            let message = format!("is not a {} of this request", P::MEMBER);
            Violation::of_name(path, key, "never", message)
        }
        ErrorKind::UnknownValue { value, accepted } => Violation::new(
            path,
            "picklist",
            accepted.join(" | "),
            shown::<V, P>(&Value::String(value.to_owned())),
            format!("must be {}", accepted.join(" or ")),
        ),
        ErrorKind::BadSequenceLen { expected, .. } => Violation::new(
            path,
            "length",
            expected.to_string(),
            "Array",
            format!("must have {expected} elements"),
        ),
        ErrorKind::Unexpected { msg } => Violation::new(path, "check", "valid", "unknown", msg),
    }
}

/// The rule, what it expects, and the same for people.
const fn names(kind: Option<ValueKind>) -> (&'static str, &'static str, &'static str) {
    match kind {
        Some(ValueKind::Map) => ("object", "Object", "an object"),
        Some(ValueKind::Sequence) => ("array", "Array", "an array"),
        Some(ValueKind::String) => ("string", "string", "a string"),
        Some(ValueKind::Boolean) => ("boolean", "boolean", "true or false"),
        Some(ValueKind::Integer | ValueKind::NegativeInteger) => {
            ("integer", "integer", "a whole number")
        }
        Some(ValueKind::Float) => ("number", "number", "a number"),
        Some(ValueKind::Null) => ("null", "null", "null"),
        None => ("check", "valid", "another value"),
    }
}

/// The error of an object that is not there, for `missing_field_error`.
pub(crate) fn missing_object(field: &str, location: ValuePointerRef<'_>) -> DecodeError<InBody> {
    missing(field, location, Some(ValueKind::Map)).into()
}

/// A field that is not there, and of which kind it should be.
pub(crate) fn missing(
    field: &str,
    location: ValuePointerRef<'_>,
    kind: Option<ValueKind>,
) -> Violation {
    let (rule, expected, wanted) = names(kind);
    let mut path = path_of(location);
    path.push(Key::Name(field.to_owned()));
    Violation::new(
        path,
        rule,
        expected,
        "undefined",
        format!("is required: {wanted}"),
    )
}

pub(super) fn path_of(location: ValuePointerRef<'_>) -> Vec<Key> {
    let (mut path, mut location) = (Vec::new(), &location);
    loop {
        location = match location {
            ValuePointerRef::Key { key, prev } => {
                // A name that the caller chose, in an object that takes any: it may be somebody's address.
                let name = if is_showable(key) { key } else { "…" };
                path.push(Key::Name(name.to_owned()));
                prev
            }
            ValuePointerRef::Index { index, prev } => {
                path.push(Key::Index(*index));
                prev
            }
            ValuePointerRef::Origin => break,
        };
    }
    path.reverse();
    path
}

/// The value as an answer shows it: nothing that could be a key, an address or a number of a person.
pub(super) fn shown<V: IntoValue, P: Place>(value: &Value<V>) -> String {
    let (kind, text) = match value {
        Value::Null => return "null".to_owned(),
        Value::Sequence(_) => return "Array".to_owned(),
        Value::Map(_) => return "Object".to_owned(),
        Value::Boolean(value) => ("boolean", value.to_string()),
        Value::Integer(value) => ("number", value.to_string()),
        Value::NegativeInteger(value) => ("number", value.to_string()),
        Value::Float(value) => ("number", serde_json::Value::from(*value).to_string()),
        Value::String(text) => ("string", text.clone()),
    };
    if !P::IS_SHOWN || !is_showable(&text) {
        return kind.to_owned();
    }
    match value {
        Value::String(_) => serde_json::Value::from(text).to_string(),
        _ => text,
    }
}
