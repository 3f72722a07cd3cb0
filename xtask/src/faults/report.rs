//! What came of rounds: the verdict on each, and the table.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail};
use comfy_table::{Table, presets};

use super::outcome::Outcome;

/// What came of a round.
pub(super) struct Played {
    pub(super) outcome: Outcome,
    /// What it should have been, where that is not an undisturbed import's.
    pub(super) undisturbed: Option<Arc<Outcome>>,
    /// From the fault to the next request for a page, where something had to recover.
    pub(super) recovery: Option<Duration>,
    /// The longest that may take.
    pub(super) slowest: Duration,
    /// Pages answered more than once.
    pub(super) refetched: u64,
    /// The most that may be.
    pub(super) allowed: u64,
    /// Requests inside a `Retry-After`.
    pub(super) intrusions: u64,
    /// How the run should have ended, where not in success.
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

/// A worker must be missed for no longer than that; the lease here is 3 s instead of 10.
pub(super) const SLOWEST_RECOVERY: Duration = Duration::from_secs(8);

pub(super) fn judge(played: &Played, undisturbed: &Outcome) -> Result<()> {
    if let Some(code) = played.failure {
        played.outcome.must_have_failed(code)?;
    } else {
        let undisturbed = played.undisturbed.as_deref().unwrap_or(undisturbed);
        played.outcome.must_equal(undisturbed)?;
    }
    if played.intrusions > 0 {
        bail!("{} requests inside a Retry-After", played.intrusions);
    }
    if played.refetched > played.allowed {
        bail!(
            "{} pages were fetched twice; {} may be",
            played.refetched,
            played.allowed
        );
    }
    if let Some(recovery) = played.recovery.filter(|took| *took > played.slowest) {
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
