//! Refusals: the error for an answer with a status that the request does not expect.
//!
//! It depends on the status, the media type and Klaviyo's error `code`, and as little as possible on the text of
//! a `detail`, which may change within a revision. A `detail` can quote personal data, so none is kept.

use std::borrow::Cow;

use fanfare_domain::ports::KlaviyoError;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;

use crate::lenient::{Object, Raw, value};
use crate::retry_after;

/// The parts of a JSON:API error document that are needed.
#[derive(Default, Deserialize)]
struct Document<'a> {
    #[serde(borrow, default)]
    errors: Vec<Object<Entry<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(borrow)]
    code: Raw<'a>,
    #[serde(borrow)]
    detail: Raw<'a>,
    #[serde(borrow)]
    source: Object<Source<'a>>,
}

/// What of the request an error is about.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Source<'a> {
    #[serde(borrow)]
    parameter: Raw<'a>,
}

impl<'a> Document<'a> {
    /// The document, or one without errors if the body is something else.
    fn parse(body: &'a [u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether an error is about the filter or the order of the request.
    fn is_about_range(&self) -> bool {
        let parameters = self.errors.iter().map(|entry| entry.0.source.0.parameter);
        parameters
            .filter_map(value::<Cow<'_, str>>)
            .any(|parameter| matches!(&*parameter, "filter" | "sort"))
    }

    fn details(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.errors.iter().filter_map(|entry| value(entry.0.detail))
    }
}

/// The error for a refusal of Klaviyo or of the network in front of it. `body` is empty if it could not be
/// read.
pub(crate) fn read(
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    has_cursor: bool,
    has_range: bool,
) -> KlaviyoError {
    let document = || Document::parse(body);
    match status {
        StatusCode::UNAUTHORIZED => KlaviyoError::KeyRejected,
        StatusCode::FORBIDDEN => forbidden(headers, &document()),
        StatusCode::NOT_FOUND => not_found(&document()),
        StatusCode::GONE => KlaviyoError::RevisionRetired,
        StatusCode::TOO_MANY_REQUESTS => KlaviyoError::Throttled(retry_after::parse(
            headers.get(RETRY_AFTER).and_then(|v| v.to_str().ok()),
        )),
        StatusCode::REQUEST_TIMEOUT => unavailable(status),
        StatusCode::BAD_REQUEST if is_range_refused(&document(), has_cursor, has_range) => {
            KlaviyoError::RangeRefused
        }
        StatusCode::BAD_REQUEST if has_cursor => KlaviyoError::CursorRejected,
        status if status.is_server_error() => unavailable(status),
        status if status.is_client_error() => refused(status, &document()),
        // A redirect could send the key to another origin; other successes hold no document.
        status => KlaviyoError::Invalid(format!("an unexpected status, {}", status.as_u16())),
    }
}

fn unavailable(status: StatusCode) -> KlaviyoError {
    KlaviyoError::Unavailable(format!("it answered {}", status.as_u16()))
}

/// Whether a 400 refuses the request's filter or order. Klaviyo names the parameter; where it names none, a request
/// with a range and without a cursor has nothing else that it could refuse in one list and not in another.
fn is_range_refused(document: &Document<'_>, has_cursor: bool, has_range: bool) -> bool {
    let may_be_range = has_range && !has_cursor && !document.errors.is_empty();
    document.is_about_range() || may_be_range
}

/// A 403: a scope is missing, or the account's plan does not allow the call. Or the answer is not Klaviyo's: the
/// network in front of it asks for a browser, which is temporary.
fn forbidden(headers: &HeaderMap, document: &Document<'_>) -> KlaviyoError {
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.to_ascii_lowercase().contains("json"));
    if headers.contains_key("cf-mitigated") || !is_json || document.errors.is_empty() {
        return KlaviyoError::Unavailable(
            "the network in front of it asks for a browser (403)".to_owned(),
        );
    }
    let mut scopes: Vec<String> = document
        .details()
        .flat_map(|detail| scopes_in(&detail))
        .collect();
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() {
        KlaviyoError::NotPermitted
    } else {
        KlaviyoError::ScopeMissing(scopes)
    }
}

/// The words that have the form of a scope, `resource:read` or `resource:write`.
fn scopes_in(detail: &str) -> Vec<String> {
    let is_end = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '.' | '`' | '\'' | '"');
    detail
        .split(is_end)
        .filter(|word| {
            word.split_once(':').is_some_and(|(resource, action)| {
                let is_name = |c: u8| c.is_ascii_lowercase() || matches!(c, b'-' | b'_');
                (1..=40).contains(&resource.len())
                    && resource.bytes().all(is_name)
                    && matches!(action, "read" | "write")
            })
        })
        .map(str::to_owned)
        .collect()
}

/// A 404: the id is unknown, or the revision does not know the path. Only the text of a `detail` shows the
/// second.
fn not_found(document: &Document<'_>) -> KlaviyoError {
    // A detail quotes the id, which may contain the word.
    let is_about_revision = document.details().any(|detail| {
        let mut unquoted = detail.split('`').step_by(2);
        unquoted.any(|words| words.to_ascii_lowercase().contains("revision"))
    });
    if is_about_revision {
        KlaviyoError::RevisionRetired
    } else if document.errors.is_empty() {
        // This 404 is not Klaviyo's own: a proxy's answer must not fail the run.
        KlaviyoError::Unavailable("it answered 404 without saying what is missing".to_owned())
    } else {
        KlaviyoError::NotFound
    }
}

fn refused(status: StatusCode, document: &Document<'_>) -> KlaviyoError {
    let code = document
        .errors
        .first()
        .and_then(|entry| value::<Cow<'_, str>>(entry.0.code))
        .filter(|code| {
            (1..=64).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        });
    let status = status.as_u16();
    KlaviyoError::Refused(match code {
        Some(code) => format!("status {status}, {code}"),
        None => format!("status {status}"),
    })
}
