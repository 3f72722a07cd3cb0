//! The simulator's log of requests: what Klaviyo was really asked for.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Deserialize;
use time::OffsetDateTime;

use super::environment::OTHER_ACCOUNT;

/// A request that the simulator got.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggedRequest {
    account: Option<String>,
    endpoint: Option<String>,
    path: String,
    query: String,
    page: u32,
    status: Option<u16>,
    retry_after_until: Option<String>,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
}

/// A request that comes this soon after a 429 or 5xx was sent before that answer arrived: several partitions are
/// read at the same time, and an answer takes 25 ms. A later request was sent by a worker that knew of it.
const FLIGHT_TIME: Duration = Duration::from_millis(100);

impl LoggedRequest {
    /// Whether it was made with a key of the other account. A revoked key has no account.
    fn is_of_other(&self) -> bool {
        self.account.as_deref() == Some(OTHER_ACCOUNT)
    }

    /// The range of join times that the page is one of, and its order.
    fn range(&self) -> Vec<&str> {
        let parts = self.query.split('&');
        parts
            .filter(|part| part.starts_with("filter=") || part.starts_with("sort="))
            .collect()
    }

    /// Whether the page is read from the list's end, the latest first.
    fn looks_at_end(&self) -> bool {
        self.range().contains(&"sort=-joined_group_at")
    }
}

/// All requests so far.
pub(super) struct Log(Vec<LoggedRequest>);

impl Log {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).context("the simulator's log cannot be read")?;
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let asked: Result<Vec<LoggedRequest>, _> =
            whole.lines().map(serde_json::from_str).collect();
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

    /// The same of one list.
    pub(super) fn pages_of(&self, list: &str) -> usize {
        let path = format!("/api/lists/{list}/profiles");
        self.members().filter(|asked| asked.path == path).count()
    }

    /// The same of the other account.
    pub(super) fn pages_of_other(&self) -> usize {
        self.all_members()
            .filter(|asked| asked.is_of_other())
            .count()
    }

    /// Requests that make events, singly or in bulk.
    pub(super) fn events(&self) -> usize {
        let makes_events = |asked: &&LoggedRequest| {
            matches!(
                asked.endpoint.as_deref(),
                Some("create-event" | "create-events")
            )
        };
        self.0.iter().filter(makes_events).count()
    }

    /// Requests of an endpoint.
    pub(super) fn of(&self, endpoint: &str) -> usize {
        let is_of = |asked: &&LoggedRequest| asked.endpoint.as_deref() == Some(endpoint);
        self.0.iter().filter(is_of).count()
    }

    /// Those that were answered that they are done, or were not answered at all.
    pub(super) fn answered(&self, endpoint: &str) -> usize {
        let is_of = |asked: &&LoggedRequest| {
            let is_done = asked.status.is_none_or(|status| status < 300);
            is_done && asked.endpoint.as_deref() == Some(endpoint)
        };
        self.0.iter().filter(is_of).count()
    }

    /// Pages answered more than once. Their cursors differ: each holds the time at which it was made.
    pub(super) fn refetched(&self) -> u64 {
        self.repeated().count() as u64
    }

    /// Those of them that look at the list's end.
    pub(super) fn refetched_looks(&self) -> u64 {
        let looks = self.repeated();
        looks.filter(|asked| asked.looks_at_end()).count() as u64
    }

    /// One if the scan ended with a page that had been answered before: the range at the list's end is read last, and where the
    /// others have been read after it, its last page is fetched again.
    pub(super) fn last_looks(&self) -> u64 {
        let last = self.members().filter(|asked| asked.status == Some(200));
        let last = last.last().map(std::ptr::from_ref);
        let mut repeated = self.repeated().map(std::ptr::from_ref);
        u64::from(repeated.any(|asked| Some(asked) == last))
    }

    fn repeated(&self) -> impl Iterator<Item = &LoggedRequest> {
        let mut seen = HashSet::new();
        self.members()
            .filter(|asked| asked.status == Some(200))
            .filter(move |asked| !seen.insert((&asked.path, asked.range(), asked.page)))
    }

    /// Requests inside a `Retry-After` that the worker could know of.
    pub(super) fn blocked_requests(&self) -> u64 {
        let mut refused = HashMap::new();
        let mut blocked_requests = 0;
        for asked in &self.0 {
            if asked.retry_after_until.is_some() {
                let known_since = refused.get(&asked.endpoint).map(|at| *at + FLIGHT_TIME);
                blocked_requests += u64::from(known_since.is_none_or(|since| asked.at > since));
            } else if matches!(asked.status, Some(429 | 500..)) {
                refused.insert(&asked.endpoint, asked.at);
            }
        }
        blocked_requests
    }

    fn members(&self) -> impl Iterator<Item = &LoggedRequest> {
        self.all_members().filter(|asked| !asked.is_of_other())
    }

    fn all_members(&self) -> impl Iterator<Item = &LoggedRequest> {
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

    /// A page that was answered.
    fn page(sort: &str, number: u32) -> String {
        let query = format!(r#""query":"sort={sort}&page[size]=100""#);
        let number = format!(r#""page":{number}"#);
        asked("00.000", 200, false)
            .replace(r#""query":"""#, &query)
            .replace(r#""page":1"#, &number)
    }

    fn log(lines: &[&str]) -> Log {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        fs::write(&path, lines.concat()).unwrap();
        Log::read(&path).unwrap()
    }

    fn blocked_requests(lines: &[String]) -> u64 {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        log(&lines).blocked_requests()
    }

    #[test]
    fn a_request_that_was_sent_before_the_429_arrived_does_not_count_and_a_later_one_does() {
        let refused = asked("00.000", 429, false);
        let beside = asked("00.020", 429, true);
        let later = asked("00.600", 429, true);

        assert_eq!(blocked_requests(&[refused.clone(), beside.clone()]), 0);
        assert_eq!(
            blocked_requests(&[refused, beside.clone(), later.clone()]),
            1
        );
        let outage = asked("00.000", 503, false);
        assert_eq!(blocked_requests(&[outage, beside, later]), 1);
    }

    #[test]
    fn a_request_inside_a_retry_after_counts_if_its_429_is_not_in_the_log() {
        assert_eq!(blocked_requests(&[asked("00.020", 200, true)]), 1);
    }

    #[test]
    fn a_look_at_the_lists_end_that_was_repeated_is_told_from_other_pages() {
        let (look, other) = (page("-joined_group_at", 1), page("joined_group_at", 1));

        let log = log(&[&look, &other, &look, &other]);

        assert_eq!((log.refetched(), log.refetched_looks()), (2, 1));
    }

    #[test]
    fn a_repeated_page_at_the_scans_end_is_its_last_look_and_an_earlier_one_is_not() {
        let page = |number| page("joined_group_at", number);

        let ended = log(&[&page(1), &page(3), &page(2), &page(3)]);
        let interrupted = log(&[&page(1), &page(2), &page(2), &page(3)]);

        assert_eq!((ended.refetched(), ended.last_looks()), (1, 1));
        assert_eq!((interrupted.refetched(), interrupted.last_looks()), (1, 0));
    }
}
