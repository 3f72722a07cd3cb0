//! How long the API's answers take while a sync runs, beside the same when nothing does.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::environment::{Environment, LIST};
use super::{Figure, Options};
use crate::interrupt::Interrupt;
use crate::test::postgres::Cluster;

const PROFILES: u64 = 200_000;

/// Requests for each route and state: enough for a p99.
const REQUESTS: usize = 200;

/// The pause between two requests: an organization is allowed 1,000 a minute.
const PAUSE: Duration = Duration::from_millis(150);

const SIMULATOR: [&str; 3] = ["--no-quota", "--latency", "0"];

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let profiles = PROFILES / options.divide;
    let environment = Environment::start(profiles, &SIMULATOR, interrupt)?;
    let mut figures = on(&environment, "sqlite", interrupt)?;
    drop(environment);
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("api")?;
    let environment = Environment::start_on_postgres(&store, profiles, &SIMULATOR, interrupt)?;
    figures.extend(on(&environment, "postgres", interrupt)?);
    Ok(figures)
}

fn on(environment: &Environment, store: &str, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let run = environment.finish(&environment.import(LIST)?)?;
    let members = format!("/api/audiences/{}/members?first=100", run.audience_id);
    let routes = [
        ("GET /api/klaviyo", "/api/klaviyo"),
        ("GET …/members", members.as_str()),
    ];
    let mut figures = Vec::new();
    for (what, path) in routes {
        let mut idle = times(environment, path, interrupt)?;
        let mut busy = Vec::new();
        while busy.len() < REQUESTS {
            let sync = environment.sync(&run.audience_id)?;
            while busy.len() < REQUESTS && environment.run(&sync)?.is_active() {
                busy.push(time(environment, path, interrupt)?);
            }
            environment.finish(&sync)?;
        }
        for (name, share) in [("p50", 50), ("p99", 99)] {
            figures.push(Figure {
                case: "api",
                what: format!("{what} {name} on {store}, during a sync"),
                unit: "ms",
                measured: percentile(&mut busy, share),
                limit_is: "the same idle",
                limit: Some(percentile(&mut idle, share)),
            });
        }
    }
    Ok(figures)
}

fn times(environment: &Environment, path: &str, interrupt: &Interrupt) -> Result<Vec<Duration>> {
    (0..REQUESTS)
        .map(|_| time(environment, path, interrupt))
        .collect()
}

fn time(environment: &Environment, path: &str, interrupt: &Interrupt) -> Result<Duration> {
    ensure!(!interrupt.is_requested(), "interrupted");
    interrupt.sleep(PAUSE);
    let begun = Instant::now();
    environment.api.get::<Value>(path)?;
    Ok(begun.elapsed())
}

/// The time, in milliseconds, that so many in a hundred do not exceed.
pub(super) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort();
    let at = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times
        .get(at)
        .map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();

        assert!((percentile(&mut times, 50) - 100.0).abs() < 1e-9);
        assert!((percentile(&mut times, 99) - 198.0).abs() < 1e-9);
    }
}
