//! A write: a request with a body, and the shapes that all bodies share.

use fanfare_domain::ids::ProfileId;
use fanfare_domain::writing::{ContentRefusal, RowRefusal, WriteError};
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::value::RawValue;
use url::Url;

use crate::origin::Origin;

/// A request that writes.
#[derive(Debug)]
pub(super) struct WriteRequest {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Vec<u8>,
    /// The statuses that say that it was done, or accepted.
    pub(super) expects: &'static [StatusCode],
}

impl WriteRequest {
    pub(super) fn new<'a>(
        method: Method,
        origin: &Origin,
        path: impl IntoIterator<Item = &'a str>,
        body: &impl Serialize,
        expects: &'static [StatusCode],
    ) -> Result<Self, WriteError> {
        let mut url = origin.root().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // Each part is escaped as one segment, so that an id cannot change the rest of the address.
            segments.pop_if_empty().push("api").extend(path);
        }
        let body = serde_json::to_vec(body)
            .map_err(|_| WriteError::Refused("it cannot be written as JSON".to_owned()))?;
        Ok(Self {
            method,
            url,
            body,
            expects,
        })
    }
}

/// How many bytes a part of a body takes.
pub(super) fn bytes(part: &impl Serialize) -> usize {
    serde_json::to_vec(part).map_or(usize::MAX / 2, |json| json.len())
}

/// `{"data": …}`, around a document and around everything that it relates to.
#[derive(Debug, Serialize)]
pub(super) struct Data<T> {
    pub(super) data: T,
}

/// A resource without an id of its own.
#[derive(Debug, Serialize)]
pub(super) struct New<A> {
    #[serde(rename = "type")]
    pub(super) of: &'static str,
    pub(super) attributes: A,
}

/// A resource that is only referred to.
#[derive(Debug, Serialize)]
pub(super) struct Reference<'a> {
    #[serde(rename = "type")]
    pub(super) of: &'static str,
    pub(super) id: &'a str,
}

/// JSON that is sent as it is. What cannot be read as JSON was never taken as such.
pub(super) fn raw(json: &str) -> Option<&RawValue> {
    serde_json::from_str(json).ok()
}

/// The refusal of a row before it is sent: Klaviyo would refuse it, and all the others with it.
pub(super) fn refused_row(row: Option<usize>, field: Option<&str>, code: &str) -> WriteError {
    WriteError::ContentRefused(ContentRefusal {
        status: 400,
        rows: vec![RowRefusal {
            row,
            field: field.map(str::to_owned),
            code: code.to_owned(),
        }],
    })
}

/// The id as a segment of a path. Segments of only one or two dots have a special meaning however they are
/// escaped, and nothing in Klaviyo has such an id.
pub(super) fn segment(id: &str) -> Result<&str, WriteError> {
    match id {
        "." | ".." => Err(WriteError::Gone),
        id => Ok(id),
    }
}

/// References to profiles.
pub(super) fn profiles(ids: &[ProfileId]) -> Vec<Reference<'_>> {
    let references = ids.iter().map(|id| Reference {
        of: "profile",
        id: id.as_str(),
    });
    references.collect()
}
