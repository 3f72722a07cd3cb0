//! What it costs to stay true: two hundred continuous audiences of ten accounts, for a virtual hour.
//!
//! The hour runs in one process, with the simulator and a clock that skips what nothing happens in: an example of
//! `fanfare-sync`, because this program may not use the service's crates.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Figure, Options};
use crate::interrupt::Interrupt;
use crate::workspace;

/// What an audience and an account may cost in an interval in which nothing changed, in requests.
const OF_AN_AUDIENCE: f64 = 3.0;
const OF_AN_ACCOUNT: f64 = 3.0;

/// By how much a change may be later in our rows than its interval says, in seconds.
const LATER: f64 = 5.0;

/// What the example prints.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hour {
    profiles: u64,
    audiences: f64,
    accounts: f64,
    interval_seconds: f64,
    changes: f64,
    pending: u64,
    requests: f64,
    requests_of_complete_passes: f64,
    pages: f64,
    pages_of_complete_passes: f64,
    pages_allowed: f64,
    rows: f64,
    rows_of_changes: f64,
    seen_p50: f64,
    seen_p99: f64,
    left_p99: f64,
    removals_within_seconds: f64,
    quiet_requests: f64,
    quiet_pages: f64,
    quiet_runs: f64,
    quiet_rows: f64,
}

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let example = ["--package", "fanfare-sync", "--example", "continuous_hour"];
    let built = workspace::build(&[example.as_slice(), &["--release"]].concat())?;
    let (_, path) = built.first().context("cargo built no example")?;
    ensure!(!interrupt.is_requested(), "interrupted");
    let output = Command::new(path)
        .arg(options.divide.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(
        output.status.success(),
        "the hour ended with {}",
        output.status
    );
    let hour: Hour = serde_json::from_slice(&output.stdout).context("no figures were printed")?;
    ensure!(
        hour.pending == 0,
        "{} changes are in no row two intervals later",
        hour.pending
    );
    Ok(hour.figures())
}

impl Hour {
    fn figures(&self) -> Vec<Figure> {
        let figure = |what: String, unit, measured, limit_is, limit| Figure {
            case: "continuous",
            what,
            unit,
            measured,
            limit_is,
            limit: Some(limit),
        };
        let (complete, share) = (
            "one complete pass of everything per interval",
            100.0 / self.pages_allowed,
        );
        let further_pages = self.quiet_pages - self.quiet_runs;
        let of = format!(
            "{} audiences, {} profiles, {} changes in an hour",
            self.audiences, self.profiles, self.changes
        );
        vec![
            figure(
                format!("requests, {of}"),
                "",
                self.requests,
                complete,
                self.requests_of_complete_passes,
            ),
            figure(
                "share of the quota for members".to_owned(),
                "%",
                self.pages * share,
                complete,
                self.pages_of_complete_passes * share,
            ),
            figure(
                "rows changed".to_owned(),
                "",
                self.rows,
                "what the changes need",
                self.rows_of_changes,
            ),
            figure(
                "from a joining or a new name to our row, p50".to_owned(),
                "s",
                self.seen_p50,
                "half an interval",
                self.interval_seconds / 2.0,
            ),
            figure(
                "the same, p99".to_owned(),
                "s",
                self.seen_p99,
                "an interval and 5 s",
                self.interval_seconds + LATER,
            ),
            figure(
                "from a leaving to our row, p99".to_owned(),
                "s",
                self.left_p99,
                "removalsWithinSeconds and 5 s",
                self.removals_within_seconds + LATER,
            ),
            figure(
                "requests of an interval in which nothing changed".to_owned(),
                "",
                self.quiet_requests,
                "three an audience and three an account",
                self.audiences
                    .mul_add(OF_AN_AUDIENCE, self.accounts * OF_AN_ACCOUNT),
            ),
            // Where complete passes of all audiences fit into half of the quota, each has one at every interval.
            figure(
                "pages of it beyond one an audience, of complete passes by turn".to_owned(),
                "",
                further_pages,
                "half of the quota for members",
                self.pages_allowed * self.interval_seconds / 3_600.0 / 2.0,
            ),
            figure(
                "rows changed in it".to_owned(),
                "",
                self.quiet_rows,
                "none",
                0.0,
            ),
        ]
    }
}
