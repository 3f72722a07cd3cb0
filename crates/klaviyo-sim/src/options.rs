//! Switches, above all for what Klaviyo does not document.

use std::time::Duration;

/// How the simulator behaves. The defaults are the stricter guesses.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether quotas are enforced.
    pub quota: bool,
    /// How long an answer takes at least; up to half of it more, by the request's number.
    pub latency: Duration,
    /// How long a cursor is good for; `None` for ever.
    pub cursor_life: Option<Duration>,
    /// Whether a request without a `revision` header is a 400 instead of the newest revision.
    pub revision_required: bool,
    /// Whether the first page of lists has a `prev` link that leads nowhere, as was seen once.
    pub odd_prev: bool,
    /// Threads that answer.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            quota: true,
            latency: Duration::ZERO,
            cursor_life: Some(Duration::from_secs(3_600)),
            revision_required: true,
            odd_prev: false,
            workers: 2,
        }
    }
}
