//! What is asked: a method, an address of Klaviyo's API, and the statuses that are an answer.

use fanfare_domain::collection::CollectionRef;
use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::KlaviyoError;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::origin::Origin;

/// The revision this program was written for; its answers' shapes depend on it.
pub(crate) const REVISION: &str = "2026-07-15";

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The status of the answer that was asked for. Any other one is a refusal.
    pub(crate) expects: StatusCode,
    /// Whether it asks for a position in a collection, which Klaviyo may have forgotten.
    pub(crate) has_cursor: bool,
}

impl Request {
    /// A request that reads: `GET`, answered by 200.
    pub(crate) fn get<'a>(
        origin: &Origin,
        path: impl IntoIterator<Item = &'a str>,
        parameters: &[(&str, &str)],
        cursor: Option<&Cursor>,
    ) -> Self {
        let mut url = origin.root().clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            // Each part is escaped as one segment: an id cannot lead to another address.
            segments.pop_if_empty().push("api").extend(path);
        }
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(parameters);
            if let Some(cursor) = cursor {
                query.append_pair("page[cursor]", cursor.as_str());
            }
        }
        Self {
            method: Method::GET,
            url,
            expects: StatusCode::OK,
            has_cursor: cursor.is_some(),
        }
    }
}

/// The id as a segment of a path. Segments of dots alone have a meaning of their own in every form of
/// escaping, so such an id cannot be asked for, and nothing in Klaviyo has it.
pub(crate) fn id_segment(of: &CollectionRef) -> Result<&str, KlaviyoError> {
    match of.id.as_str() {
        "." | ".." => Err(KlaviyoError::NotFound),
        id => Ok(id),
    }
}
