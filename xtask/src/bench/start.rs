//! How soon a run starts after its click, when a worker is free.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::environment::{Environment, LIST};
use super::{Figure, Options};
use crate::interrupt::Interrupt;
use crate::test::postgres::Cluster;

/// Clicks: enough for a p99.
const CLICKS: u64 = 200;

/// A small list, which is read quickly.
const PROFILES: u64 = 10;

/// The limit in milliseconds: a user takes this for immediate.
const AT_ONCE: f64 = 100.0;

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let store = cluster.database("start")?;
    let simulator = ["--no-quota", "--latency", "0"];
    let environment = Environment::start_on_postgres(&store, PROFILES, &simulator, interrupt)?;
    let audience = environment.finish(&environment.import(LIST)?)?.audience_id;
    let mut waits = Vec::new();
    for _ in 0..CLICKS / options.divide {
        let run = environment.sync(&audience)?;
        environment.finish(&run)?;
        let run: Value = environment.api.get(&format!("/api/sync-runs/{run}"))?;
        waits.push(wait(&run)?);
    }
    waits.sort_by(f64::total_cmp);
    let at = |part: usize| waits[(waits.len() * part / 100).min(waits.len() - 1)];
    let figure = |what: &str, measured| Figure {
        case: "start",
        what: what.to_owned(),
        unit: "ms",
        measured,
        limit_is: "at once, to a user",
        limit: Some(AT_ONCE),
    };
    Ok(vec![
        figure("click to start on Postgres, p50", at(50)),
        figure("click to start on Postgres, p99", at(99)),
    ])
}

/// Milliseconds from a run's being queued to its first claim.
fn wait(run: &Value) -> Result<f64> {
    let time = |name: &str| {
        let text = run[name].as_str().unwrap_or_default();
        OffsetDateTime::parse(text, &Rfc3339).with_context(|| format!("{name} of {}", json!(run)))
    };
    Ok((time("startedAt")? - time("queuedAt")?).as_seconds_f64() * 1_000.0)
}
