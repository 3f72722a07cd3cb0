//! The simulator's log of requests: what was really asked of Klaviyo.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use time::OffsetDateTime;

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
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// A request that comes so soon after a refusal was on its way when the refusal was: several readers ask at
/// the same time, and an answer takes 25 ms. Whoever asks later has heard of it.
const ON_ITS_WAY: Duration = Duration::from_millis(100);

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

    /// Without the first so many requests.
    pub(super) fn since(mut self, count: usize) -> Self {
        self.0.drain(..count);
        self
    }

    /// Requests of any kind.
    pub(super) fn len(&self) -> usize {
        self.0.len()
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

    /// Requests inside a `Retry-After` by somebody who could know.
    pub(super) fn intrusions(&self) -> u64 {
        let mut refused = HashMap::new();
        let mut intrusions = 0;
        for asked in &self.0 {
            if asked.retry_after_until.is_some() {
                let known_since = refused.get(&asked.endpoint).map(|at| *at + ON_ITS_WAY);
                intrusions += u64::from(known_since.is_none_or(|since| asked.at > since));
            } else if asked.status == Some(429) {
                refused.insert(&asked.endpoint, asked.at);
            }
        }
        intrusions
    }

    fn members(&self) -> impl Iterator<Item = &Asked> {
        self.0
            .iter()
            .filter(|asked| asked.endpoint.as_deref() == Some("list-profiles"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at: &str, status: u16, is_inside: bool) -> String {
        let until = if is_inside {
            "\"2026-01-01T00:00:02Z\""
        } else {
            "null"
        };
        format!(
            r#"{{"endpoint":"list-profiles","path":"/","query":"","page":1,"status":{status},
                "retryAfterUntil":{until},"at":"2026-01-01T00:00:{at}Z"}}"#
        )
        .replace('\n', " ")
            + "\n"
    }

    fn intrusions(lines: &[String]) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, lines.concat()).unwrap();
        Log::read(&path).unwrap().intrusions()
    }

    #[test]
    fn who_asks_while_the_refusal_is_on_its_way_cannot_know_and_who_asks_later_does() {
        let refused = asked("00.000", 429, false);
        let beside = asked("00.020", 429, true);
        let later = asked("00.600", 429, true);

        assert_eq!(intrusions(&[refused.clone(), beside.clone()]), 0);
        assert_eq!(intrusions(&[refused, beside, later]), 1);
    }

    #[test]
    fn inside_a_promise_whose_refusal_is_not_in_the_log_everybody_intrudes() {
        assert_eq!(intrusions(&[asked("00.020", 200, true)]), 1);
    }
}
