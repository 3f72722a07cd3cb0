//! JSON:API documents.

use std::fmt::Display;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// A document with a page of resources.
#[derive(Serialize)]
pub(crate) struct Many<T> {
    pub(crate) data: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) included: Option<Vec<Value>>,
    pub(crate) links: Links,
}

/// A document with one resource.
#[derive(Serialize)]
pub(crate) struct One<T> {
    pub(crate) data: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) included: Option<Vec<Value>>,
}

/// The links of a page; all but the first may be `null`.
#[derive(Serialize)]
pub(crate) struct Links {
    #[serde(rename = "self")]
    pub(crate) itself: String,
    pub(crate) next: Option<String>,
    pub(crate) prev: Option<String>,
}

/// A resource's type and id alone.
#[derive(Serialize)]
pub(crate) struct Identifier<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    #[serde(serialize_with = "show")]
    pub(crate) id: &'a dyn Display,
}

/// Writes something as the text that it shows as.
pub(super) fn show<S: Serializer>(what: &impl Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(what)
}

/// Something written as the text that it shows as, without being made one first.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
