//! The errors that the API answers, in one shape.

mod application;
mod violation;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use fanfare_domain::organization::Role;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::violation::{Key, Violation, Violations, is_showable};
use self::violation::{ValidationDetail, ValidationIssue};

/// An answer that refuses a request.
#[derive(Debug)]
pub(crate) struct ApiError(Box<Refusal>);

/// The answer, with what is for our logs alone.
#[derive(Debug)]
struct Refusal {
    status: u16,
    body: ErrorBody,
    allow: Option<String>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// An error: `error` for people, `code` for programs.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Error)]
pub(crate) struct ErrorBody {
    /// What happened.
    #[schema(value_type = String, example = "Audience not found")]
    error: Cow<'static, str>,
    /// The same, for programs.
    #[schema(value_type = String, example = "AUDIENCE_NOT_FOUND")]
    code: Cow<'static, str>,
    /// More of it, and what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
    /// Seconds after which the same request may succeed; the header `Retry-After` says the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_after: Option<u64>,
    /// Everything wrong with the request, for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    issues: Option<Vec<ValidationIssue>>,
    /// Everything wrong with the request, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    details: Option<Vec<ValidationDetail>>,
}

impl ApiError {
    pub(crate) fn new(
        status: u16,
        error: impl Into<Cow<'static, str>>,
        code: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Refusal {
            status,
            body: ErrorBody {
                error: error.into(),
                code: code.into(),
                message: None,
                retry_after: None,
                issues: None,
                details: None,
            },
            allow: None,
            cause: None,
        }))
    }

    fn with_message(mut self, message: impl Into<String>) -> Self {
        self.0.body.message = Some(message.into());
        self
    }

    /// Tells the caller to try again after this time, in whole seconds and at least one.
    fn with_retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.0.body.retry_after = Some(seconds.max(1));
        self
    }

    fn with_cause(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// 400: the request does not validate.
    pub(crate) fn invalid(violations: &Violations) -> Self {
        let mut error = Self::new(400, "validation_error", "VALIDATION_FAILED")
            .with_message(violations.message());
        error.0.body.issues = Some(violations.issues());
        error.0.body.details = Some(violations.details());
        error
    }

    /// 401: the request names no caller that the service knows.
    pub(crate) fn authentication_required(message: &str) -> Self {
        Self::new(401, "Authentication required", "AUTHENTICATION_REQUIRED").with_message(message)
    }

    /// 401: the request has credentials of another type.
    pub(crate) fn secret_key_required() -> Self {
        Self::new(401, "Secret key required", "SECRET_KEY_REQUIRED")
            .with_message("Send a secret key of Fanfare's: Authorization: Bearer sk_…")
    }

    /// 403: the key's role is too low.
    pub(crate) fn forbidden(needed: Role, held: Role) -> Self {
        let (needed, held) = (needed.as_str(), held.as_str());
        Self::new(403, "Forbidden", "FORBIDDEN").with_message(format!(
            "This needs the role {needed}; this key's role is {held}."
        ))
    }

    /// 404: there is no such route.
    pub(crate) fn no_route() -> Self {
        Self::new(404, "Not found", "ROUTE_NOT_FOUND")
            .with_message("There is no such route; /api/openapi.json lists them all.")
    }

    /// 405: the route has other methods.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        let mut error = Self::new(405, "Method not allowed", "METHOD_NOT_ALLOWED")
            .with_message(format!("This route takes {allowed}."));
        error.0.allow = Some(allowed.to_owned());
        error
    }

    /// 413: the body is too large.
    pub(crate) fn too_large(max_bytes: usize) -> Self {
        Self::new(413, "Payload too large", "PAYLOAD_TOO_LARGE").with_message(format!(
            "A body may have {max_bytes} bytes; send less at once."
        ))
    }

    /// 415: the body is not said to be JSON.
    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(415, "Unsupported media type", "UNSUPPORTED_MEDIA_TYPE")
            .with_message("Send JSON, with Content-Type: application/json.")
    }

    /// 429: the organization has used up its requests of this minute.
    pub(crate) fn rate_limited(wait: Duration) -> Self {
        Self::new(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED").with_retry_after(wait)
    }

    /// 429: the organization has as many event streams open as it may.
    pub(crate) fn too_many_streams(limit: usize, wait: Duration) -> Self {
        Self::rate_limited(wait).with_message(format!(
            "{limit} event streams of this organization are open: end one first."
        ))
    }

    /// 429: the organization has as many requests under way as it may.
    pub(crate) fn too_many_requests(limit: usize, wait: Duration) -> Self {
        Self::rate_limited(wait).with_message(format!(
            "{limit} requests of this organization are under way: wait for an answer first."
        ))
    }

    /// 429: the bodies and answers of the organization's requests are as large as they may be.
    pub(crate) fn too_many_bytes(limit: usize, wait: Duration) -> Self {
        Self::rate_limited(wait).with_message(format!(
            "The bodies and answers of this organization's requests under way have {limit} bytes: take an answer, or ask \
             for less at once."
        ))
    }

    /// 408: the body was not there in time.
    pub(crate) fn body_timeout(limit: Duration) -> Self {
        Self::new(408, "Request timeout", "REQUEST_TIMEOUT").with_message(format!(
            "The body was not there {} s after its headers; send it at once.",
            limit.as_secs()
        ))
    }

    /// 503: the program is not ready, for this reason.
    pub(crate) fn not_ready(reason: impl Into<String>) -> Self {
        Self::unavailable().with_message(reason)
    }

    fn unavailable() -> Self {
        Self::new(503, "Service unavailable", "SERVICE_UNAVAILABLE")
            .with_retry_after(Duration::from_secs(5))
    }

    /// 500: an error of the service itself.
    pub(crate) fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(500, "Internal server error",
            "INTERNAL_ERROR",
        )
        .with_message("This is a fault of the service. Its logs tell more, under the X-Request-Id of this answer.")
        .with_cause(cause)
    }

    /// After how many seconds the caller may ask again, if waiting helps.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.0.body.retry_after
    }

    /// The code, for the log.
    pub(crate) fn code(&self) -> &str {
        &self.0.body.code
    }

    /// The messages of the error's causes, for the log. They hold nothing private.
    pub(crate) fn causes(&self) -> String {
        let mut messages = Vec::new();
        let mut cause = self.0.cause.as_deref().map(|cause| cause as &dyn StdError);
        while let Some(error) = cause {
            messages.push(error.to_string());
            cause = error.source();
        }
        messages.join(": ")
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.body.error)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(seconds) = self.0.body.retry_after {
            response.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Some(allow) = &self.0.allow {
            response.insert_header((header::ALLOW, allow.as_str()));
        }
        if self.status_code() == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        response.json(&self.0.body)
    }
}
