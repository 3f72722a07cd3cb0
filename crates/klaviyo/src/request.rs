//! A request: a method, an address of Klaviyo's API, and the status that is expected.

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::KlaviyoError;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::cursor;
use crate::origin::Origin;

/// The revision of Klaviyo's API that this program was written for. The format of answers depends on it.
pub(crate) const REVISION: &str = "2026-07-15";

/// A request that can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The status of a successful answer. Any other one is a refusal.
    pub(crate) expects: StatusCode,
    /// Whether it has a cursor, which Klaviyo may no longer accept.
    pub(crate) has_cursor: bool,
    /// Whether it asks for a range of members, which could be read without one.
    pub(crate) has_range: bool,
}

impl Request {
    /// A request that reads: `GET`, with the expected status 200.
    pub(crate) fn get<'a>(
        origin: &Origin,
        path: impl IntoIterator<Item = &'a str>,
        parameters: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Self {
        let mut url = origin.root().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // Each part is escaped as one segment, so that an id cannot change the rest of the address.
            segments.pop_if_empty().push("api").extend(path);
        }
        url.query_pairs_mut().extend_pairs(parameters);
        if let Some(cursor) = cursor {
            let query = url.query().unwrap_or_default();
            let query = format!("{query}&{}", cursor::pair(cursor));
            url.set_query(Some(&query));
        }
        Self {
            method: Method::GET,
            url,
            expects: StatusCode::OK,
            has_cursor: cursor.is_some(),
            has_range: false,
        }
    }
}

/// The id as a segment of a path. Segments of only one or two dots have a special meaning however they are
/// escaped, so no request can have such an id, and no collection in Klaviyo has one.
pub(crate) fn id_segment(of: &CollectionRef) -> Result<&str, KlaviyoError> {
    match of.id.as_str() {
        "." | ".." => Err(KlaviyoError::NotFound),
        id => Ok(id),
    }
}
