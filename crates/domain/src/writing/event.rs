//! An event that Klaviyo keeps under a metric.

use std::fmt;

use super::{JsonObject, Money, PersonIds};
use crate::ids::{Cursor, UniqueId};
use crate::time::Timestamp;

/// A text that cannot be the name of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the name of a Klaviyo metric has 1 to 127 characters, and no control characters")]
pub struct InvalidMetricName;

/// The name of a metric. Klaviyo makes the metric when its first event arrives, and it can never be deleted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricName(String);

/// Klaviyo takes names of fewer than 128 characters.
const MAX_METRIC_NAME: usize = 127;

impl MetricName {
    /// Takes a name as a merchant typed it; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, InvalidMetricName> {
        let text = text.trim();
        let is_short = text.len() <= MAX_METRIC_NAME * 4 && text.chars().count() <= MAX_METRIC_NAME;
        let fits = !text.is_empty() && is_short && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidMetricName)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for MetricName {
    type Error = InvalidMetricName;

    fn try_from(text: String) -> Result<Self, InvalidMetricName> {
        Self::parse(&text)
    }
}

impl From<MetricName> for String {
    fn from(name: MetricName) -> Self {
        name.0
    }
}

/// An event as it is frozen when it is accepted. Sent again, it is the same: Klaviyo knows it by its profile, its
/// metric and its `unique_id`, and drops every later one without saying so.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Event {
    /// What of `(profile, metric)` makes it unique.
    pub unique_id: UniqueId,
    /// The name of its metric.
    pub metric: MetricName,
    /// Who it happened to.
    pub person: PersonIds,
    /// When it happened; Klaviyo keeps whole seconds.
    pub at: Timestamp,
    /// What is known of it.
    pub properties: JsonObject,
    /// What it was worth.
    pub value: Option<Money>,
    /// Whether it is history, which starts no flow.
    pub backfill: bool,
}

/// A page of the events that Klaviyo has recorded of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvents {
    /// Their unique ids, as far as they have one that could be read.
    pub unique_ids: Vec<UniqueId>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_name_has_fewer_than_128_characters() {
        let longest = "é".repeat(127);
        assert_eq!(MetricName::parse(&longest).unwrap().as_str(), longest);
        assert_eq!(
            MetricName::parse(" Fanfare Purchase ").unwrap().as_str(),
            "Fanfare Purchase"
        );
        for broken in ["", "  ", &"é".repeat(128), "a\u{0}b", "two\nlines"] {
            assert!(MetricName::parse(broken).is_err());
        }
    }
}
