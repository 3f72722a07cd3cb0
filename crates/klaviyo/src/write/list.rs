//! `POST` and `DELETE /api/lists/{id}/relationships/profiles`, and `POST /api/lists`.

use fanfare_domain::ids::{CollectionId, ProfileId};
use fanfare_domain::writing::{MAX_LISTED, WriteError};
use reqwest::{Method, StatusCode};
use serde::Serialize;

use super::request::{Data, New, WriteRequest, profiles, refused_row, segment};
use crate::origin::Origin;

/// Adds members (`POST`) or removes them (`DELETE`).
pub(super) fn members(
    method: Method,
    origin: &Origin,
    list: &CollectionId,
    ids: &[ProfileId],
) -> Result<WriteRequest, WriteError> {
    if ids.is_empty() || ids.len() > MAX_LISTED {
        return Err(refused_row(None, None, "wrong_number_of_profiles"));
    }
    let body = Data {
        data: profiles(ids),
    };
    let path = [
        "lists",
        segment(list.as_str())?,
        "relationships",
        "profiles",
    ];
    WriteRequest::new(method, origin, path, &body, &[StatusCode::NO_CONTENT])
}

#[derive(Serialize)]
struct Attributes<'a> {
    name: &'a str,
}

/// Makes a list.
pub(super) fn create(origin: &Origin, name: &str) -> Result<WriteRequest, WriteError> {
    let body = Data {
        data: New {
            of: "list",
            attributes: Attributes { name },
        },
    };
    WriteRequest::new(
        Method::POST,
        origin,
        ["lists"],
        &body,
        &[StatusCode::CREATED],
    )
}
