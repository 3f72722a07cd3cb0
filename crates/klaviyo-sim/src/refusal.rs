//! Answers that refuse, as JSON:API errors.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    code: &'static str,
    title: &'static str,
    detail: String,
    source: Source,
    links: Option<Box<Value>>,
    meta: Option<Box<Value>>,
}

/// What an error points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    Pointer(Cow<'static, str>),
    Parameter(String),
}

impl Refusal {
    fn new(
        status: u16,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            source: Source::Pointer("/data/".into()),
            links: None,
            meta: None,
        }
    }

    /// The path leads nowhere.
    pub(crate) fn no_route(path: &str) -> Self {
        let detail = format!("The path {path} could not be found.");
        Self::new(404, "not_found", "Not found.", detail)
    }

    /// The path leads somewhere, but not with this method.
    pub(crate) fn method(method: &str) -> Self {
        let detail = format!("Method \"{method}\" not allowed.");
        Self::new(405, "method_not_allowed", "Method not allowed.", detail)
    }

    /// No key at all.
    pub(crate) fn no_credentials() -> Self {
        let text = "Authentication credentials were not provided.";
        Self::new(401, "not_authenticated", text, text)
    }

    /// A key of no account, or in the wrong form.
    pub(crate) fn bad_credentials() -> Self {
        let text = "Incorrect authentication credentials.";
        Self::new(401, "authentication_failed", text, text)
    }

    /// The key may not do this.
    pub(crate) fn scopes(missing: &[&str]) -> Self {
        let missing = missing.join(", ");
        Self::new(
            403,
            "permission_denied",
            "You do not have permission to perform this action.",
            format!("Your API key is missing required scopes: {missing}"),
        )
    }

    /// A revision of another form, or none.
    pub(crate) fn bad_revision(detail: &str) -> Self {
        Self::new(400, "invalid", "Invalid input.", detail)
    }

    /// A revision that this endpoint has not.
    pub(crate) fn no_revision(detail: &str) -> Self {
        Self::new(404, "not_found", "Not found.", detail)
    }

    /// A revision that is served no more.
    pub(crate) fn retired_revision(revision: &str) -> Self {
        let detail = format!("The revision {revision} has been retired.");
        Self::new(410, "gone", "Gone.", detail)
    }

    /// Too many requests. `seconds` is what `Retry-After` says, if it says a number.
    pub(crate) fn throttled(seconds: Option<u64>) -> Self {
        let detail = match seconds {
            Some(1) => "Request was throttled. Expected available in 1 second.".to_owned(),
            Some(n) => format!("Request was throttled. Expected available in {n} seconds."),
            None => "Request was throttled.".to_owned(),
        };
        let guide =
            "https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling#rate-limits";
        Self {
            source: Source::Pointer("/data".into()),
            links: Some(Box::new(json!({ "type": guide }))),
            meta: Some(Box::new(json!({}))),
            ..Self::new(429, "throttled", "Request was throttled.", detail)
        }
    }

    /// A parameter that cannot be understood.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        Self {
            source: Source::Parameter(name.to_owned()),
            links: Some(Box::new(json!({}))),
            meta: Some(Box::new(json!({}))),
            ..Self::new(400, "invalid", "Invalid input.", detail)
        }
    }

    /// A cursor that is none, is too old, or belongs elsewhere.
    pub(crate) fn cursor() -> Self {
        Self::new(400, "invalid", "Invalid input.", "Invalid cursor provided.")
    }

    /// There is no such list or segment.
    pub(crate) fn no_collection(noun: &str, id: &str) -> Self {
        let detail = format!("A {noun} with id `{id}` does not exist.");
        Self::new(404, "not_found", "Not found.", detail)
    }

    /// There is no such account or profile.
    pub(crate) fn no_resource(noun: &str, id: &str) -> Self {
        let article = if noun == "account" { "An" } else { "A" };
        let detail = format!("{article} {noun} with id {id} does not exist.");
        Self::new(404, "not_found", "Not found.", detail)
    }

    /// Something in the body that is not as it should be.
    pub(crate) fn body(pointer: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            source: Source::Pointer(pointer.into()),
            ..Self::new(400, "invalid", "Invalid input.", detail)
        }
    }

    /// A body that is too large. That Klaviyo answers so is a guess.
    pub(crate) fn too_large() -> Self {
        let detail = "The payload is larger than allowed.";
        Self::new(413, "payload_too_large", "Payload too large.", detail)
    }

    /// An identifier that belongs to another profile.
    pub(crate) fn duplicate_profile(other: &str) -> Self {
        let detail = "A profile already exists with one of these identifiers.";
        Self {
            source: Source::Pointer("/data/attributes".into()),
            links: Some(Box::new(json!({}))),
            meta: Some(Box::new(json!({"duplicate_profile_id": other}))),
            ..Self::new(409, "duplicate_profile", "Conflict.", detail)
        }
    }

    /// This status, for no reason that the request gave.
    pub(crate) fn planned(status: u16) -> Self {
        let (code, title) = match status {
            401 => (
                "authentication_failed",
                "Incorrect authentication credentials.",
            ),
            403 => (
                "permission_denied",
                "You do not have permission to perform this action.",
            ),
            404 => ("not_found", "Not found."),
            500.. => ("error", "A server error occurred."),
            _ => ("invalid", "Invalid input."),
        };
        Self::new(status, code, title, title)
    }

    /// The body of the answer.
    pub(crate) fn document(&self) -> Value {
        let mut error = Map::new();
        error.insert("id".to_owned(), uuid().into());
        error.insert("status".to_owned(), self.status.into());
        error.insert("code".to_owned(), self.code.into());
        error.insert("title".to_owned(), self.title.into());
        error.insert("detail".to_owned(), self.detail.clone().into());
        error.insert("source".to_owned(), json!(self.source));
        if let Some(links) = &self.links {
            error.insert("links".to_owned(), (**links).clone());
        }
        if let Some(meta) = &self.meta {
            error.insert("meta".to_owned(), (**meta).clone());
        }
        json!({ "errors": [error] })
    }
}

/// A random UUID, version 4.
fn uuid() -> String {
    let random: u128 = rand::random();
    let random = random & !(0xF << 76) | 4 << 76;
    let random = random & !(0x3 << 62) | 2 << 62;
    let hex = format!("{random:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}
