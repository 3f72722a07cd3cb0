//! How much of Klaviyo's quota an import makes use of.

use anyhow::{Context, Result};

use super::environment::{Environment, LIST};
use super::{Figure, Options};
use crate::interrupt::Interrupt;

const PROFILES: u64 = 100_000;

/// Klaviyo's quota for members, in requests, and what a request takes.
const PER_SECOND: u64 = 75;
const PER_MINUTE: u64 = 750;
const PAGE_MS: u64 = 250;

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let profiles = PROFILES / options.divide;
    let latency = PAGE_MS.to_string();
    let environment = Environment::start(profiles, &["--latency", &latency], interrupt)?;
    let run = environment.finish(&environment.import(LIST)?)?;
    Ok(vec![Figure {
        case: "quota",
        what: format!("import of {profiles} profiles"),
        unit: "s",
        measured: run.seconds().context("the run has no times")?,
        limit_is: "the schedule that the quota allows",
        limit: Some(schedule(profiles.div_ceil(100).max(1))),
    }])
}

/// Seconds until the last of so many requests is answered, if all are made as soon as they may be.
#[expect(clippy::cast_precision_loss, reason = "a few hundred seconds")]
fn schedule(requests: u64) -> f64 {
    let last = requests - 1;
    let begins = last / PER_MINUTE * 60 + last % PER_MINUTE / PER_SECOND;
    (begins * 1_000 + PAGE_MS) as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::schedule;

    #[test]
    fn the_schedule_fills_every_second_and_every_minute() {
        let same = |requests, seconds: f64| assert!((schedule(requests) - seconds).abs() < 1e-9);
        same(1, 0.25);
        same(75, 0.25);
        same(76, 1.25);
        same(750, 9.25);
        same(751, 60.25);
        same(1_000, 63.25);
    }
}
