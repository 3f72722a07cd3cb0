//! Refusals: the error for an answer with a status that the request does not expect.
//!
//! It depends on the status, on whether Klaviyo's own error document came with it, on that document's `code`, and as
//! little as possible on the text of a `detail`, which may change within a revision. A `detail` can quote personal
//! data, so none is kept.

use std::borrow::Cow;

use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::RetryAfter;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};

use crate::lenient::{Object, Raw, object, value};
use crate::{retry_after, text};

object! {
    /// The parts of a JSON:API error document that are needed.
    struct Document<'a> {
        errors: Vec<Object<Entry<'a>>>,
    }
}

object! {
    struct Entry<'a> {
        code: Raw<'a>,
        detail: Raw<'a>,
        source: Object<Source<'a>>,
    }
}

object! {
    /// What of the request an error is about.
    struct Source<'a> {
        parameter: Raw<'a>,
    }
}

impl<'a> Document<'a> {
    /// Klaviyo's own error document, whose errors have codes. `None` for anything else: then a proxy, a firewall or
    /// a captive portal answered, and Klaviyo has said nothing.
    fn of_klaviyo(headers: &HeaderMap, text: &'a str) -> Option<Self> {
        let is_json = |media: &str| media.to_ascii_lowercase().contains("json");
        let media = headers.get(CONTENT_TYPE);
        let is_other_media = media.is_some_and(|media| !media.to_str().is_ok_and(is_json));
        if is_other_media || headers.contains_key("cf-mitigated") {
            return None;
        }
        let document: Self = serde_json::from_str(text).ok()?;
        document.codes().next()?;
        Some(document)
    }

    fn codes(&self) -> impl Iterator<Item = Cow<'a, str>> {
        self.errors.iter().filter_map(|entry| value(entry.0.code))
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
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = retry_after::parse(text(RETRY_AFTER), text(DATE));
    if status == StatusCode::TOO_MANY_REQUESTS {
        return KlaviyoError::Throttled(retry_after);
    }
    let number = status.as_u16();
    if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        return unavailable(format!("it answered {number}"), retry_after);
    }
    if !status.is_client_error() {
        // A redirect could send the key to another origin; other successes hold no document.
        return KlaviyoError::Invalid(format!("an unexpected status, {number}"));
    }
    // A broken byte in a detail changes nothing of what the document says.
    let text = text::repaired(body);
    let Some(document) = Document::of_klaviyo(headers, &text) else {
        let what = format!("the network in front of it answered {number}");
        return unavailable(what, retry_after);
    };
    match status {
        StatusCode::UNAUTHORIZED => KlaviyoError::KeyRejected,
        StatusCode::FORBIDDEN => forbidden(&document),
        StatusCode::NOT_FOUND => not_found(&document),
        StatusCode::GONE => KlaviyoError::RevisionRetired,
        StatusCode::BAD_REQUEST if is_range_refused(&document, has_cursor, has_range) => {
            KlaviyoError::RangeRefused
        }
        StatusCode::BAD_REQUEST if has_cursor => KlaviyoError::CursorRejected,
        status => refused(status, &document),
    }
}

/// No answer of Klaviyo's; `retry_after` is what the answer said instead of one.
fn unavailable(what: String, retry_after: RetryAfter) -> KlaviyoError {
    match retry_after {
        RetryAfter::Unknown => KlaviyoError::Unavailable(what),
        retry_after => KlaviyoError::Outage { what, retry_after },
    }
}

/// Whether a 400 refuses the request's filter or order. Klaviyo names the parameter; where it names none, a request
/// with a range and without a cursor has nothing else that it could refuse in one list and not in another.
fn is_range_refused(document: &Document<'_>, has_cursor: bool, has_range: bool) -> bool {
    let may_be_range = has_range && !has_cursor;
    document.is_about_range() || may_be_range
}

/// The most scopes that are told to be missing. A request needs a few; a body could name thousands.
const MAX_SCOPES: usize = 16;

/// A 403: a scope is missing, or the account's plan does not allow the call.
fn forbidden(document: &Document<'_>) -> KlaviyoError {
    let mut scopes: Vec<String> = document
        .details()
        .flat_map(|detail| scopes_in(&detail))
        .collect();
    scopes.sort();
    scopes.dedup();
    scopes.truncate(MAX_SCOPES);
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
    } else {
        KlaviyoError::NotFound
    }
}

fn refused(status: StatusCode, document: &Document<'_>) -> KlaviyoError {
    let code = document.codes().next().filter(|code| is_code(code));
    let status = status.as_u16();
    KlaviyoError::Refused(match code {
        Some(code) => format!("status {status}, {code}"),
        None => format!("status {status}"),
    })
}

/// Whether a text has the form of Klaviyo's codes. Digits are in none of them, but in keys and phone numbers.
pub(crate) fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_')
}
