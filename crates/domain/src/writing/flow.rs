//! Flows, which mail people, and what starts them.

use crate::ids::{CollectionId, Cursor, MetricId};

/// What may start flows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowsOf {
    /// Somebody joins this list.
    List(CollectionId),
    /// Somebody enters this segment.
    Segment(CollectionId),
    /// An event of this metric.
    Metric(MetricId),
}

/// Whether a flow mails people.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FlowStatus {
    /// It mails by itself.
    Live,
    /// Its mails wait for a person to send them.
    Manual,
    /// It does nothing.
    Draft,
    /// Klaviyo's specification does not name the values: this is another one, or none. It is to be feared like a live one.
    Other(String),
}

impl FlowStatus {
    /// Klaviyo's word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Live => "live",
            Self::Manual => "manual",
            Self::Draft => "draft",
            Self::Other(word) => word,
        }
    }

    /// Reads Klaviyo's word.
    pub fn of(word: &str) -> Self {
        match word {
            "live" => Self::Live,
            "manual" => Self::Manual,
            "draft" => Self::Draft,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// A flow that something of ours would start.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Flow {
    /// Klaviyo's id.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Whether it mails people.
    pub status: FlowStatus,
    /// Whether it was put away: such a flow does nothing.
    pub archived: bool,
    /// Klaviyo's word for what starts it, such as `Added to List`.
    pub trigger_type: Option<String>,
}

impl Flow {
    /// Whether people may be mailed because of it without a further click.
    pub const fn may_mail(&self) -> bool {
        !self.archived && matches!(self.status, FlowStatus::Live | FlowStatus::Other(_))
    }
}

/// A metric of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metric {
    /// Klaviyo's id.
    pub id: MetricId,
    /// Its name, if it has one.
    pub name: Option<String>,
}

/// A page of metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricPage {
    /// Its items.
    pub items: Vec<Metric>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_status_counts_as_one_that_mails() {
        let flow = |status, archived| Flow {
            id: "F".to_owned(),
            name: None,
            status,
            archived,
            trigger_type: None,
        };
        assert!(flow(FlowStatus::of("live"), false).may_mail());
        assert!(flow(FlowStatus::of("running"), false).may_mail());
        assert!(!flow(FlowStatus::of("live"), true).may_mail());
        assert!(!flow(FlowStatus::of("draft"), false).may_mail());
        assert!(!flow(FlowStatus::of("manual"), false).may_mail());
    }
}
