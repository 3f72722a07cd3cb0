//! A thousand kills within one process: a test of events that has a few of them otherwise.

use anyhow::Result;

use super::report::Row;
use crate::workspace;

/// The row's name.
pub(super) const NAME: &str = "events: killed between any two calls, in one process";

/// The test, and how many seeds of it are a thousand kills in twenty thousand events: it fails if they were fewer.
const TEST: &str = "test(whatever_happens_to_the_workers_each_event_is_in_klaviyo_once)";
const SEEDS: &str = "200";

/// Runs the test.
pub(super) fn run(faults: &mut Vec<String>) -> Result<Row> {
    let arguments = ["nextest", "run", "-p", "fanfare-sync", "-E", TEST];
    let status = workspace::cargo(&arguments)
        .env("FANFARE_KILL_SEEDS", SEEDS)
        .status()?;
    let mut row = Row::new(NAME, "memory", 1_000);
    if status.success() {
        row.recovered = row.rounds;
    } else {
        faults.push(format!("{NAME}: {status}"));
    }
    Ok(row)
}
