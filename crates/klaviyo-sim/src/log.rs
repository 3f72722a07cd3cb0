//! Every request and what became of it, for tests to look at afterwards.

use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// A request that was answered, or cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Logged {
    /// When it arrived: microseconds since 1970.
    pub at: i64,
    /// The account whose key it bore, if the key was known.
    pub account: Option<String>,
    /// The endpoint's name, if there is one at its path.
    pub endpoint: Option<&'static str>,
    /// The list, segment or profile it asked for.
    pub id: Option<String>,
    /// The position it asked for.
    pub cursor: Option<String>,
    /// The status answered.
    pub status: u16,
    /// The fault that was played, by name.
    pub fault: Option<&'static str>,
    /// Whether the account and endpoint had been told to stay away until later: a client must never
    /// be seen here.
    pub inside_retry_after: bool,
}

/// The requests so far. Clones are the same journal.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    entries: Arc<Mutex<Vec<Logged>>>,
    file: Arc<Mutex<Option<File>>>,
}

impl Journal {
    /// Also writes a line of JSON for each request to come.
    pub fn write_to(&self, file: File) {
        *lock(&self.file) = Some(file);
    }

    /// All requests so far.
    pub fn entries(&self) -> Vec<Logged> {
        lock(&self.entries).clone()
    }

    /// How many requests came to an endpoint.
    pub fn count(&self, endpoint: &str) -> usize {
        let entries = lock(&self.entries);
        entries
            .iter()
            .filter(|entry| entry.endpoint == Some(endpoint))
            .count()
    }

    /// Requests made although `Retry-After` had not passed.
    pub fn inside_retry_after(&self) -> Vec<Logged> {
        let entries = lock(&self.entries);
        entries
            .iter()
            .filter(|entry| entry.inside_retry_after)
            .cloned()
            .collect()
    }

    /// How many pages were answered more than once: the same position of the same collection.
    pub fn pages_answered_again(&self) -> usize {
        let mut seen = std::collections::HashSet::new();
        lock(&self.entries)
            .iter()
            .filter(|entry| entry.status == 200)
            .filter(|entry| matches!(entry.endpoint, Some("list_profiles" | "segment_profiles")))
            .filter(|entry| !seen.insert((entry.id.clone(), entry.cursor.clone())))
            .count()
    }

    pub(crate) fn add(&self, entry: Logged) {
        if let Some(file) = lock(&self.file).as_mut()
            && let Ok(line) = serde_json::to_string(&entry)
        {
            // A journal that cannot be written must not stop the simulator.
            let _ = writeln!(file, "{line}");
        }
        lock(&self.entries).push(entry);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
