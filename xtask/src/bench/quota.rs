//! How much of Klaviyo's quota imports make use of.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::environment::{Environment, LIST, SECOND_LIST, THIRD_LIST};
use super::{Figure, Options};
use crate::interrupt::Interrupt;

const PROFILES: u64 = 100_000;

/// Klaviyo's quota for members, in requests, and what a request takes.
const PER_SECOND: u64 = 75;
const PER_MINUTE: u64 = 750;
const PAGE_MS: u64 = 250;

/// Lists of one account that are imported at once.
struct Lists {
    what: &'static str,
    ids: &'static [&'static str],
    /// How many percent of their members joined within one second.
    in_one_second: &'static str,
}

const LISTS: [Lists; 3] = [
    Lists {
        what: "",
        ids: &[LIST],
        in_one_second: "10",
    },
    Lists {
        what: ", a fifth of them in one second",
        ids: &[LIST],
        in_one_second: "20",
    },
    Lists {
        what: ", in three lists at once",
        ids: &[LIST, SECOND_LIST, THIRD_LIST],
        in_one_second: "10",
    },
];

/// The list of the case that is measured only when it is asked for.
const MILLION: Lists = Lists {
    what: "",
    ids: &[LIST],
    in_one_second: "1",
};

/// The worker's memory, in MB, however large a list is.
const WORKER_MEMORY: f64 = 128.0;

pub(super) fn measure(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let profiles = PROFILES / options.divide;
    let figures = LISTS.iter().map(|lists| {
        let (seconds, _) = import("quota", lists, profiles, interrupt)?;
        Ok(seconds)
    });
    figures.collect()
}

/// A million profiles: a quarter of an hour.
pub(super) fn measure_a_million(options: &Options, interrupt: &Interrupt) -> Result<Vec<Figure>> {
    let case = "quota-million";
    let (seconds, memory) = import(case, &MILLION, 1_000_000 / options.divide, interrupt)?;
    let memory = memory.map(|measured| Figure {
        case,
        what: "worker's peak memory".to_owned(),
        unit: "MB",
        measured,
        limit_is: "what it may have",
        limit: Some(WORKER_MEMORY),
    });
    Ok([Some(seconds), memory].into_iter().flatten().collect())
}

/// The seconds that the import of these lists takes, and the worker's peak memory where the system tells it.
fn import(
    case: &'static str,
    lists: &Lists,
    profiles: u64,
    interrupt: &Interrupt,
) -> Result<(Figure, Option<f64>)> {
    let of_each = profiles / lists.ids.len() as u64;
    let (latency, folder) = (PAGE_MS.to_string(), tempfile::tempdir()?);
    let log = folder.path().join("requests.jsonl");
    let log_argument = log.to_str().context("a path that is text")?;
    let mut arguments = vec!["--latency", latency.as_str()];
    arguments.extend(["--request-log", log_argument]);
    arguments.extend(["--in-one-second", lists.in_one_second]);
    let others: Vec<String> = lists.ids[1..]
        .iter()
        .map(|id| format!("{id}=Benchmark {id}:{of_each}"))
        .collect();
    for other in &others {
        arguments.extend(["--list", other.as_str()]);
    }
    let environment = Environment::start(of_each, &arguments, interrupt)?;
    let mut seconds = 0.0_f64;
    for run in environment.import_all(lists.ids)? {
        let run = environment.finish(&run)?;
        let taken = run.seconds_since_click().context("the run has no times")?;
        seconds = seconds.max(taken);
    }
    let memory = environment.services.worker().peak_memory();
    drop(environment);
    let refused = refused(&log)?;
    ensure!(refused == 0, "Klaviyo refused {refused} requests with 429");
    let pages = of_each.div_ceil(100).max(1) * lists.ids.len() as u64;
    let figure = Figure {
        case,
        what: format!("import of {profiles} profiles{}", lists.what),
        unit: "s",
        measured: seconds,
        limit_is: "the schedule that the quota allows",
        limit: Some(schedule(pages)),
    };
    Ok((figure, memory))
}

/// How many requests of the simulator's log were answered 429.
fn refused(log: &Path) -> Result<usize> {
    let mut refused = 0;
    for line in std::fs::read_to_string(log)?.lines() {
        let request: serde_json::Value = serde_json::from_str(line)?;
        refused += usize::from(request["status"] == 429);
    }
    Ok(refused)
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
