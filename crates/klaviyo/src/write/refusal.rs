//! Refusals of writes.
//!
//! What they say beyond the refusal of a read: which row and which field Klaviyo refuses, and to which profile an
//! identifier belongs. Values are not kept.

use std::borrow::Cow;
use std::collections::HashSet;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::writing::{ContentRefusal, RowRefusal, WriteError};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;

use crate::lenient::{Object, Raw, object, value};
use crate::{refusal, text};

object! {
    struct Document<'a> {
        errors: Vec<Object<Entry<'a>>>,
    }
}

object! {
    struct Entry<'a> {
        code: Raw<'a>,
        detail: Raw<'a>,
        source: Object<Source<'a>>,
        meta: Object<Meta<'a>>,
    }
}

object! {
    struct Source<'a> {
        pointer: Raw<'a>,
    }
}

object! {
    struct Meta<'a> {
        duplicate_profile_id: Raw<'a>,
    }
}

/// The most refused rows that are told of one answer.
const MAX_ROWS: usize = 10_000;

/// The error for an answer with an unexpected status. `body` is empty if it could not be read; `members` are the
/// profiles that the request named beside the one that its address names.
pub(super) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    members: &[ProfileId],
) -> WriteError {
    let what = format!("it answered {}", status.as_u16());
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        // Whoever in front of Klaviyo says so, it will say so again.
        return WriteError::ContentRefused(ContentRefusal {
            status: status.as_u16(),
            rows: rows(body),
        });
    }
    match refusal::read(status, headers, body, false, false) {
        KlaviyoError::Throttled(retry_after) => WriteError::Throttled(retry_after),
        KlaviyoError::KeyRejected => WriteError::KeyRejected,
        KlaviyoError::ScopeMissing(scopes) => WriteError::ScopeMissing(scopes),
        KlaviyoError::NotPermitted => WriteError::NotPermitted,
        KlaviyoError::NotFound => match unknown_members(body, members) {
            rows if rows.is_empty() => WriteError::Gone,
            rows => WriteError::ContentRefused(ContentRefusal {
                status: status.as_u16(),
                rows,
            }),
        },
        KlaviyoError::RevisionRetired => WriteError::RevisionRetired,
        KlaviyoError::Unavailable(what) | KlaviyoError::Invalid(what) => {
            WriteError::OutcomeUnknown {
                what,
                retry_after: RetryAfter::Unknown,
            }
        }
        KlaviyoError::Outage { what, retry_after } => {
            WriteError::OutcomeUnknown { what, retry_after }
        }
        KlaviyoError::RangeRefused | KlaviyoError::Refused(_)
            if status == StatusCode::CONFLICT && is_duplicate(body) =>
        {
            WriteError::IdentifierConflict { other: owner(body) }
        }
        KlaviyoError::RangeRefused | KlaviyoError::Refused(_)
            if matches!(
                status,
                StatusCode::BAD_REQUEST | StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY
            ) =>
        {
            WriteError::ContentRefused(ContentRefusal {
                status: status.as_u16(),
                rows: rows(body),
            })
        }
        KlaviyoError::Refused(what) => WriteError::Refused(what),
        KlaviyoError::RangeRefused
        | KlaviyoError::CursorRejected
        | KlaviyoError::ForeignLink
        | KlaviyoError::NoRoom(_) => WriteError::Refused(what),
    }
}

fn entries<T>(body: &[u8], of: impl Fn(&Entry<'_>) -> Option<T>) -> Vec<T> {
    let text = text::repaired(body);
    let Ok(document) = serde_json::from_str::<Document<'_>>(&text) else {
        return Vec::new();
    };
    let entries = document.errors.iter().take(MAX_ROWS);
    entries.filter_map(|entry| of(&entry.0)).collect()
}

/// The members that a 404 names as unknown. Whether Klaviyo refuses members at all that it does not know is not
/// documented; the text is that of its other refusals.
fn unknown_members(body: &[u8], members: &[ProfileId]) -> Vec<RowRefusal> {
    if members.is_empty() {
        return Vec::new();
    }
    let details = entries(body, |entry| value::<String>(entry.detail));
    let is_end = |c: char| c.is_whitespace() || matches!(c, '`' | '\'' | '"' | ',' | '.');
    let words: HashSet<&str> = details
        .iter()
        .filter(|detail| detail.contains("profile"))
        .flat_map(|detail| detail.split(is_end))
        .collect();
    let named = members.iter().enumerate();
    let named = named.filter(|(_, id)| words.contains(id.as_str()));
    named
        .map(|(row, _)| RowRefusal {
            row: Some(row),
            field: None,
            code: "not_found".to_owned(),
        })
        .collect()
}

fn is_duplicate(body: &[u8]) -> bool {
    let codes = entries(body, |entry| value::<String>(entry.code));
    codes.iter().any(|code| code == "duplicate_profile")
}

fn owner(body: &[u8]) -> Option<ProfileId> {
    let ids = entries(body, |entry| {
        let id: String = value(entry.meta.0.duplicate_profile_id)?;
        ProfileId::parse(id).ok()
    });
    ids.into_iter().next()
}

fn rows(body: &[u8]) -> Vec<RowRefusal> {
    entries(body, |entry| {
        let pointer: Option<Cow<'_, str>> = value(entry.source.0.pointer);
        let pointer = pointer.unwrap_or_default();
        Some(RowRefusal {
            row: row_of(&pointer),
            field: field_of(&pointer),
            code: known_code(value::<String>(entry.code).as_deref()),
        })
    })
}

/// The row that a pointer leads to: the first number in it, as in `/data/attributes/profiles/data/3/attributes/email`.
fn row_of(pointer: &str) -> Option<usize> {
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    pointer.split('/').find(is_number)?.parse().ok()
}

/// The field that a pointer leads to: its last part, unless that is one of the names that every document has. Parts that
/// have another form than Klaviyo's own names are not told: a custom property is named by a merchant.
pub(super) fn field_of(pointer: &str) -> Option<String> {
    let is_name = |part: &&str| {
        (1..=40).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
    };
    let parts = pointer.split('/').skip_while(|part| *part != "attributes");
    let last = parts.last().filter(is_name)?;
    let is_of_all = matches!(
        last,
        "data" | "attributes" | "profiles" | "events" | "relationships"
    );
    (!is_of_all).then(|| last.to_owned())
}

/// Klaviyo's code, if it has the form of one.
pub(super) fn known_code(code: Option<&str>) -> String {
    let code = code.filter(|code| refusal::is_code(code));
    code.unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_to_a_row_and_a_field() {
        let check = |pointer: &str, row, field: Option<&str>| {
            assert_eq!(row_of(pointer), row, "{pointer}");
            assert_eq!(field_of(pointer).as_deref(), field, "{pointer}");
        };
        check("/data/attributes/phone_number", None, Some("phone_number"));
        check("/data/attributes", None, None);
        check("/data/", None, None);
        check("/data", None, None);
        check("", None, None);
        check(
            "/data/attributes/profiles/data/3/attributes/email",
            Some(3),
            Some("email"),
        );
        check(
            "/data/attributes/events-bulk-create/data/12/attributes/events/data/0/attributes/time",
            Some(12),
            Some("time"),
        );
        check("/data/attributes/profiles/data/7", Some(7), None);
        check("/data/attributes/properties/a secret name", None, None);
        check(
            "/data/99999999999999999999999/attributes/email",
            None,
            Some("email"),
        );
    }
}
