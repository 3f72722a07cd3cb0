//! From bytes to what a use case takes. A request is refused whole, with every violation in it named.
//!
//! A request type derives [`deserr::Deserr`] to be decoded and a schema of `utoipa` to be documented;
//! this module has the extractors, the error that collects the violations, and types of values.

pub(crate) mod body;
mod error;
mod id;
mod interval;
mod query;
mod value;

use serde_json::{Map, Value};

pub(crate) use self::body::{Body, OptionalBody, SignedBody};
pub(crate) use self::error::{
    DecodeError, InBody, InQuery, InSecret, Place, missing, missing_object,
};
pub(crate) use self::id::{Id, IdWithin, ListRef, SegmentRef};
pub(crate) use self::interval::Interval;
pub(crate) use self::query::{NoQuery, PageParameters, PagedQuery, Query};
pub(crate) use self::value::{AtMost, First, OneTo, Text, parse_text, parsed, refuse};
use crate::error::{Violation, Violations};

/// What a body or a query string is decoded into.
pub(crate) trait Request {
    /// What is wrong between the fields that were sent. A field that is taken out of `sent` is not
    /// decoded by itself.
    fn check_together(_sent: &mut Map<String, Value>) -> Vec<Violation> {
        Vec::new()
    }
}

/// A request that may be `null`.
impl<T: Request> Request for Option<T> {
    fn check_together(sent: &mut Map<String, Value>) -> Vec<Violation> {
        T::check_together(sent)
    }
}

/// A request without fields.
#[derive(Debug, deserr::Deserr)]
#[deserr(deny_unknown_fields)]
pub(crate) struct Nothing {}

impl Request for Nothing {}

/// Decodes a value, or gives everything that is wrong with it, in the words of the place `P`.
fn decode<T, P: Place>(mut value: Value, mut violations: Violations) -> Result<T, Violations>
where
    T: Request + deserr::Deserr<DecodeError<P>>,
{
    if let Value::Object(sent) = &mut value {
        violations.extend(T::check_together(sent));
    }
    match deserr::deserialize::<T, _, DecodeError<P>>(value) {
        Ok(decoded) if violations.is_empty() => Ok(decoded),
        Ok(_) => Err(violations),
        Err(error) => {
            violations.append(error.into());
            Err(violations)
        }
    }
}
