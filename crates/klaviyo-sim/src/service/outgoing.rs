//! Answers on their way out.

use std::time::Duration;

use crate::quota::Allowance;
use crate::refusal::Refusal;
use crate::write::Answer;

/// Names and values.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// An answer to be sent.
pub(crate) struct Outgoing {
    pub(crate) status: u16,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    /// How long it takes until the first byte.
    pub(crate) delay: Duration,
    pub(crate) delivery: Delivery,
}

/// How much of an answer arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// Half of it, then the rest after that time.
    Stalled(Duration),
    /// Half of it.
    Truncated,
    /// Nothing: the connection is reset.
    Reset,
}

const JSON: &str = "application/vnd.api+json";
const HTML: &str = "text/html; charset=UTF-8";

impl Outgoing {
    /// What was asked for.
    pub(super) fn found(headers: Headers, body: Vec<u8>) -> Self {
        Self::new(200, JSON, headers, body)
    }

    /// What was written; a 202 and a 204 have no body and no content type.
    pub(super) fn written(headers: Headers, answer: Answer) -> Self {
        match answer {
            Answer::Document(status, body) => {
                Self::new(status, JSON, headers, body.to_string().into_bytes())
            }
            Answer::Empty(status) => Self {
                status,
                headers,
                body: Vec::new(),
                delay: Duration::ZERO,
                delivery: Delivery::Whole,
            },
        }
    }

    /// A refusal.
    pub(super) fn refusal(refusal: &Refusal, headers: Headers) -> Self {
        let body = refusal.document().to_string().into_bytes();
        Self::new(refusal.status, JSON, headers, body)
    }

    /// A page that the network in front of Klaviyo shows.
    pub(super) fn page(status: u16, headers: Headers) -> Self {
        let body = format!(
            "<!DOCTYPE html>\n<html><head><title>{status}</title></head>\
             <body><center><h1>{status}</h1></center><hr><center>edge</center></body></html>\n"
        );
        Self::new(status, HTML, headers, body.into_bytes())
    }

    fn new(status: u16, content_type: &str, mut headers: Headers, body: Vec<u8>) -> Self {
        headers.push(("content-type", content_type.to_owned()));
        Self {
            status,
            headers,
            body,
            delay: Duration::ZERO,
            delivery: Delivery::Whole,
        }
    }
}

/// A refusal and its headers.
pub(super) struct Refused {
    pub(super) refusal: Box<Refusal>,
    pub(super) headers: Headers,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal: Box::new(refusal),
            headers: Headers::new(),
        }
    }
}

impl Refused {
    /// The same with headers.
    pub(super) fn with(refusal: Refusal, headers: Headers) -> Self {
        let refusal = Box::new(refusal);
        Self { refusal, headers }
    }
}

/// What every answer but a 429 tells about the quota.
pub(super) fn quota_headers(allowance: Allowance) -> Headers {
    let Allowance {
        limit,
        remaining,
        reset,
    } = allowance;
    let (burst, steady) = (limit.burst, limit.steady);
    vec![
        (
            "ratelimit-limit",
            format!("{burst}, {burst};w=1, {steady};w=60"),
        ),
        ("ratelimit-remaining", remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
    ]
}
