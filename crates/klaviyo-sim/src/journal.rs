//! The journal of writes: what was asked for, and what came of it. Most of what there is to prove of a client that writes
//! is a statement about it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// An entry of an account's journal.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// When it happened, in microseconds since the epoch.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub what: Written,
}

impl Entry {
    /// Whether it is a request, rather than what came of one.
    pub(crate) const fn is_request(&self) -> bool {
        matches!(self.what, Written::Request { .. })
    }
}

/// Who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// A request.
    Request,
    /// The merchant, the person, or Klaviyo.
    World,
}

/// A channel of marketing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// E-mail.
    Email,
    /// SMS.
    Sms,
}

/// How far somebody lets themselves be written to. The order is that of their height.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentLevel {
    /// They do not want it.
    Unsubscribed,
    /// They were never asked.
    #[default]
    NeverSubscribed,
    /// They want it.
    Subscribed,
}

impl ConsentLevel {
    /// Klaviyo's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unsubscribed => "UNSUBSCRIBED",
            Self::NeverSubscribed => "NEVER_SUBSCRIBED",
            Self::Subscribed => "SUBSCRIBED",
        }
    }
}

/// Something that was asked for, or that came of it. Ids are Klaviyo's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "what",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Written {
    /// A request that writes, with a key of the account, whatever became of it.
    Request {
        /// The endpoint's name.
        endpoint: String,
        /// Its path.
        path: String,
        /// The last four characters of its key.
        key: String,
        /// Its body; null if it was no JSON, or if bodies are not kept.
        body: Value,
        /// The status of its answer, also where the answer was lost.
        status: u16,
    },
    /// A profile was made by a request.
    ProfileMade {
        /// Its id.
        profile: String,
    },
    /// Values of a profile were changed by a request.
    ProfileChanged {
        /// Its id.
        profile: String,
        /// Which values, by Klaviyo's names.
        fields: Vec<String>,
    },
    /// The first event of a metric made it.
    MetricMade {
        /// Its name.
        metric: String,
    },
    /// An event was recorded.
    Event {
        /// Whom it happened to.
        profile: String,
        /// The metric's name.
        metric: String,
        /// Its `unique_id`; a time where it had none.
        unique_id: String,
        /// Whether it was history.
        backfill: bool,
        /// The amount that it tells of, with its currency: `49.90 EUR`.
        value: Option<String>,
    },
    /// An event was dropped without a word, because it had been recorded before.
    EventRepeated {
        /// Whom it happened to.
        profile: String,
        /// The metric's name.
        metric: String,
        /// Its `unique_id`.
        unique_id: String,
    },
    /// A live flow was started for somebody: they are mailed.
    FlowStarted {
        /// The flow's id.
        flow: String,
        /// Who is mailed.
        profile: String,
        /// The list's id or the metric's name that started it.
        of: String,
    },
    /// A request made somebody a member who was none.
    Joined {
        /// The list.
        list: String,
        /// Who.
        profile: String,
    },
    /// A request took a member off a list.
    Left {
        /// The list.
        list: String,
        /// Who.
        profile: String,
        /// Whether a request had made them a member.
        was_added: bool,
    },
    /// An unsubscription named a list that somebody is not in: they were unsubscribed from everything.
    UnsubscribedOutside {
        /// The list.
        list: String,
        /// Who.
        profile: String,
    },
    /// A consent changed.
    Consent {
        /// Whose.
        profile: String,
        /// In which channel.
        channel: Channel,
        /// What it was.
        from: ConsentLevel,
        /// What it is.
        to: ConsentLevel,
        /// Who changed it.
        by: By,
    },
    /// Suppressions were lifted by a request.
    Unsuppressed {
        /// Whose.
        profile: String,
    },
}

/// What an account's journal comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many requests of each endpoint were made.
    pub requests: BTreeMap<String, usize>,
    /// How many events each metric has.
    pub events: BTreeMap<String, usize>,
    /// How many events were dropped as repeated.
    pub repeated: usize,
    /// How often each flow was started.
    pub flows: BTreeMap<String, usize>,
}

impl Summary {
    /// Of a journal.
    pub fn of(journal: &[Entry]) -> Self {
        let mut summary = Self::default();
        for entry in journal {
            match &entry.what {
                Written::Request { endpoint, .. } => {
                    *summary.requests.entry(endpoint.clone()).or_default() += 1;
                }
                Written::Event { metric, .. } => {
                    *summary.events.entry(metric.clone()).or_default() += 1;
                }
                Written::EventRepeated { .. } => summary.repeated += 1,
                Written::FlowStarted { flow, .. } => {
                    *summary.flows.entry(flow.clone()).or_default() += 1;
                }
                _ => {}
            }
        }
        summary
    }
}
