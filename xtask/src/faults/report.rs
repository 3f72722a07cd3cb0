//! The results of rounds: the check of each, and the table.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};

use super::outcome::Outcome;

/// The result of a round.
pub(super) struct RoundResult {
    /// `None` where the round has compared the rows itself.
    pub(super) outcome: Option<Outcome>,
    /// The expected outcome, where it is not the one of an undisturbed import.
    pub(super) undisturbed: Option<Arc<Outcome>>,
    /// The time from the fault to the next request for a page, where a worker had to take over.
    pub(super) recovery: Option<Duration>,
    /// The longest allowed recovery.
    pub(super) slowest: Duration,
    /// Pages answered more than once.
    pub(super) refetched: u64,
    /// How many of them are allowed.
    pub(super) allowed: u64,
    /// Requests inside a `Retry-After`.
    pub(super) blocked_requests: u64,
    /// The error code that the run should end with, where it should fail.
    pub(super) failure: Option<&'static str>,
}

/// A line of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) store: &'static str,
    pub(super) rounds: usize,
    pub(super) recovered: usize,
    pub(super) slowest: Option<Duration>,
    pub(super) refetched: u64,
}

impl Row {
    pub(super) const fn new(name: &'static str, store: &'static str, rounds: usize) -> Self {
        Self {
            name,
            store,
            rounds,
            recovered: 0,
            slowest: None,
            refetched: 0,
        }
    }

    /// Adds a round that has ended as it should.
    pub(super) fn add(&mut self, result: &RoundResult) {
        self.recovered += 1;
        self.slowest = self.slowest.max(result.recovery);
        self.refetched += result.refetched;
    }
}

/// The longest time until another worker takes over. The lease is 3 s here instead of 10 s.
pub(super) const SLOWEST_RECOVERY: Duration = Duration::from_secs(8);

pub(super) fn check(result: &RoundResult, undisturbed: &Outcome) -> Result<()> {
    match (&result.outcome, result.failure) {
        (Some(outcome), Some(code)) => outcome.must_have_failed(code)?,
        (Some(outcome), None) => {
            outcome.must_equal(result.undisturbed.as_deref().unwrap_or(undisturbed))?;
        }
        (None, _) => {}
    }
    if result.blocked_requests > 0 {
        bail!("{} requests inside a Retry-After", result.blocked_requests);
    }
    if result.refetched > result.allowed {
        bail!(
            "{} pages were fetched twice; {} may be",
            result.refetched,
            result.allowed
        );
    }
    if let Some(recovery) = result.recovery.filter(|took| *took > result.slowest) {
        bail!("taken up again only after {:.1} s", recovery.as_secs_f64());
    }
    Ok(())
}

pub(super) fn print(rows: &[Row]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "Fault",
        "Store",
        "Rounds",
        "Recovered",
        "Slowest recovery",
        "Pages refetched",
    ]);
    for row in rows {
        let slowest = row
            .slowest
            .map(|took| format!("{:.1} s", took.as_secs_f64()));
        table.add_row([
            row.name.to_owned(),
            row.store.to_owned(),
            row.rounds.to_string(),
            row.recovered.to_string(),
            slowest.unwrap_or_default(),
            row.refetched.to_string(),
        ]);
    }
    println!("\n{table}");
}
