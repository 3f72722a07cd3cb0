//! The log of requests: what was asked, when, and how it was answered.

use std::io::Write;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::endpoint::Endpoint;

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it came in.
    pub at: OffsetDateTime,
    /// The account of its key, if the key is known.
    pub account: Option<String>,
    /// The endpoint of its path, if there is one.
    pub endpoint: Option<Endpoint>,
    /// The id in its path, or an empty text.
    pub id: String,
    /// Its path as sent.
    pub path: String,
    /// Its query as sent, still encoded.
    pub query: String,
    /// The page of a scan that it asked for, counted from 1.
    pub page: u32,
    /// The answer's status; `None` if there was no whole answer.
    pub status: Option<u16>,
    /// A `Retry-After` told to this account for this endpoint (or a costly parameter of it) was in force,
    /// and ended then. A client that obeys it never has one.
    pub retry_after_until: Option<OffsetDateTime>,
    /// The faults that the fault plan caused, in words.
    pub faults: Vec<String>,
}

/// A line of the request log.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    at: Option<String>,
    account: Option<&'a str>,
    endpoint: Option<String>,
    path: &'a str,
    query: &'a str,
    page: u32,
    status: Option<u16>,
    retry_after_until: Option<String>,
    faults: &'a [String],
}

/// Where requests are kept.
pub(crate) struct Log {
    pub(crate) keeps: bool,
    pub(crate) kept: Vec<Request>,
    pub(crate) file: Option<Box<dyn Write + Send>>,
}

impl Log {
    pub(crate) fn add(&mut self, request: Request) -> std::io::Result<()> {
        if let Some(file) = &mut self.file {
            let show = |at: OffsetDateTime| at.format(&Rfc3339).ok();
            let line = Line {
                at: show(request.at),
                account: request.account.as_deref(),
                endpoint: request.endpoint.map(|endpoint| endpoint.to_string()),
                path: &request.path,
                query: &request.query,
                page: request.page,
                status: request.status,
                retry_after_until: request.retry_after_until.and_then(show),
                faults: &request.faults,
            };
            let mut text = serde_json::to_vec(&line)?;
            text.push(b'\n');
            file.write_all(&text)?;
        }
        if self.keeps {
            self.kept.push(request);
        }
        Ok(())
    }
}
