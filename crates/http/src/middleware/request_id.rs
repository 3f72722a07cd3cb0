//! The id of a request, in the answer and in the logs.

use std::sync::Arc;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use fanfare_domain::ports::Ids;

/// The header of the id, in requests and in answers.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a request, in bytes.
const MAX_BYTES: usize = 128;

/// A request's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// The id that the client sent, if it looks like one; otherwise a new one. The id is written to
    /// logs, so a text like a key, an address or a number is not taken.
    pub(crate) fn of(headers: &HeaderMap, ids: &dyn Ids) -> Self {
        let sent = headers.get(X_REQUEST_ID).and_then(|id| id.to_str().ok());
        match sent.filter(|id| is_sane(id)) {
            Some(id) => Self(id.into()),
            None => Self(format!("req_{}", ids.ulid()).into()),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Adds the header to an answer.
    pub(crate) fn write_to(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            headers.insert(X_REQUEST_ID, value);
        }
    }
}

fn is_sane(id: &str) -> bool {
    let is_of_id = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
    (1..=MAX_BYTES).contains(&id.len())
        && id.bytes().all(is_of_id)
        && !id.contains("pk_")
        && !id.contains("sk_")
        // Digits alone could be a phone number.
        && id.bytes().any(|b| b.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_over_and_nothing_else_is() {
        for id in ["7f9c-4e", "req_01HX.2:3", &"a".repeat(128)] {
            assert!(is_sane(id), "{id}");
        }
        for text in [
            "",
            "a b",
            "a\"b",
            "ada@example.com",
            "x-pk_1",
            "sk_live_1",
            "4915112345678",
            &"a".repeat(129),
        ] {
            assert!(!is_sane(text), "{text}");
        }
    }
}
