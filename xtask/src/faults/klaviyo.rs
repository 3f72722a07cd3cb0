//! The simulator's log of requests: what was really asked of Klaviyo.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A request that the simulator got.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Asked {
    endpoint: Option<String>,
    path: String,
    query: String,
    page: u32,
    status: Option<u16>,
    retry_after_until: Option<String>,
}

impl Asked {
    /// The range of join times that the page is one of.
    fn range(&self) -> Option<&str> {
        self.query
            .split('&')
            .find(|part| part.starts_with("filter="))
    }
}

/// Everything asked so far.
pub(super) struct Log(Vec<Asked>);

impl Log {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).context("the simulator's log cannot be read")?;
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let asked: Result<Vec<Asked>, _> = whole.lines().map(serde_json::from_str).collect();
        Ok(Self(
            asked.context("the simulator's log is in another form")?,
        ))
    }

    /// Requests for pages of members.
    pub(super) fn pages(&self) -> usize {
        self.members().count()
    }

    /// Pages answered more than once. Their cursors differ: each holds the time at which it was made.
    pub(super) fn refetched(&self) -> u64 {
        let mut seen = HashSet::new();
        self.members()
            .filter(|asked| asked.status == Some(200))
            .filter(|asked| !seen.insert((&asked.path, asked.range(), asked.page)))
            .count() as u64
    }

    /// Requests inside a `Retry-After`.
    pub(super) fn intrusions(&self) -> u64 {
        let intrusions = self
            .0
            .iter()
            .filter(|asked| asked.retry_after_until.is_some());
        intrusions.count() as u64
    }

    fn members(&self) -> impl Iterator<Item = &Asked> {
        self.0
            .iter()
            .filter(|asked| asked.endpoint.as_deref() == Some("list-profiles"))
    }
}
