//! The simulator's journal of writes: what Klaviyo was asked for, and what came of it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use time::OffsetDateTime;

/// An entry, with the members that tasks look at. What an entry does not have is empty.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Entry {
    /// What happened, such as `event`.
    pub(crate) what: String,
    /// Microseconds since 1970.
    at: i64,
    /// Whom it concerns.
    pub(crate) profile: String,
    /// The name of an event's metric.
    pub(crate) metric: String,
    /// An event's `unique_id`.
    pub(crate) unique_id: String,
    /// The amount that an event tells of.
    pub(crate) value: Option<String>,
    /// A flow that was started.
    pub(crate) flow: String,
    /// What started it.
    pub(crate) of: String,
}

impl Entry {
    /// When it happened.
    pub(crate) fn at(&self) -> OffsetDateTime {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.at) * 1_000);
        at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// The journal of the simulator at this address, but for its requests, which are long.
pub(crate) fn read(simulator: &str) -> Result<Vec<Entry>> {
    let text = get(simulator, "journal?without=requests")?;
    let entries: Result<Vec<Entry>, _> = text.lines().map(serde_json::from_str).collect();
    entries.context("the simulator's journal is in another form")
}

/// Fails if the simulator was asked for what no client of ours may ask for: a consent that was raised, a suppression that was
/// lifted, a member taken off a list who had not been put on it.
pub(crate) fn must_have_no_breaches(simulator: &str) -> Result<()> {
    let breaches = get(simulator, "breaches")?;
    ensure!(
        breaches.is_empty(),
        "Klaviyo was asked for what must never be asked for:\n{breaches}"
    );
    Ok(())
}

/// How many events the simulator has recorded, and how many it has dropped because it had them.
pub(crate) fn events(simulator: &str) -> Result<Recorded> {
    let text = get(simulator, "summary")?;
    serde_json::from_str(&text).context("the simulator's summary is in another form")
}

/// See [`events`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Recorded {
    /// Events that are recorded.
    pub(crate) recorded: u64,
    /// Those that came again, and were dropped without a word.
    pub(crate) repeated: u64,
}

fn get(simulator: &str, what: &str) -> Result<String> {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .proxy(None)
        .build();
    let agent = ureq::Agent::new_with_config(config);
    let answer = agent.get(format!("{simulator}/control/{what}")).call();
    let mut answer = answer.context("the simulator does not answer")?;
    // A journal of a hundred thousand events is longer than what is read of an answer otherwise.
    let body = answer.body_mut().with_config().limit(u64::MAX);
    Ok(body.read_to_string()?)
}
