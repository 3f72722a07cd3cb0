//! Figures, each beside its limit measured in the same run.

mod check;
mod continuous;
mod engine;
mod environment;
mod events;
mod latency;
mod neighbour;
mod pages;
mod quota;
mod search;
mod start;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::interrupt::Interrupt;
use crate::workspace;

/// The options of `cargo xtask bench`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this case; may be repeated. `quota-million` is measured only if it is named
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// Take lists of this part of their size, for a quick look
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    divide: u64,
}

/// A figure and its limit.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Figure {
    case: &'static str,
    what: String,
    unit: &'static str,
    measured: f64,
    /// What the limit is of; empty where there is none to compare with.
    limit_is: &'static str,
    limit: Option<f64>,
}

/// How many readers the worker reads a list with (`partitions` of `fanfare-sync`'s pace).
const READERS: &str = "28";

type Case = fn(&Options, &Interrupt) -> Result<Vec<Figure>>;

/// The cases by name. A second pass (`resync`) is measured on what each engine has imported.
const CASES: &[(&str, Case)] = &[
    ("engine-sqlite", engine::measure),
    ("engine-postgres", engine::measure_on_postgres),
    ("start", start::measure),
    ("api", latency::measure),
    ("check", check::measure),
    ("continuous", continuous::measure),
    ("events", events::measure),
    ("neighbour", neighbour::measure),
    ("pages", pages::measure),
    ("quota", quota::measure),
    (MILLION, quota::measure_a_million),
];

/// The case that takes a quarter of an hour.
const MILLION: &str = "quota-million";

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    for name in &options.cases {
        if !CASES.iter().any(|(case, _)| case == name) {
            let names: Vec<&str> = CASES.iter().map(|(name, _)| *name).collect();
            bail!("there is no case {name}; there are {}", names.join(", "));
        }
    }
    let mut figures = Vec::new();
    for (name, measure) in CASES {
        let is_named = options.cases.iter().any(|case| case == name);
        if is_named || options.cases.is_empty() && *name != MILLION {
            println!("=== {name}");
            figures.extend(measure(options, &interrupt).with_context(|| format!("case {name}"))?);
        }
    }
    print(&figures);
    let path = workspace::target()?.join("bench.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&figures)?)?;
    println!("written to {}", path.display());
    Ok(ExitCode::SUCCESS)
}

fn print(figures: &[Figure]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["Case", "What", "Measured", "Limit", "Unit", "The limit is"]);
    for figure in figures {
        table.add_row([
            figure.case.to_owned(),
            figure.what.clone(),
            format!("{:.1}", figure.measured),
            figure
                .limit
                .map_or(String::new(), |limit| format!("{limit:.1}")),
            figure.unit.to_owned(),
            figure.limit_is.to_owned(),
        ]);
    }
    println!("\n{table}");
}

/// Builds an example of this program, without the debug build's cost: it shares the machine with what it measures.
fn example(name: &str) -> Result<PathBuf> {
    let built = workspace::build(&["--release", "--package", "xtask", "--example", name])?;
    let (_, path) = built.into_iter().next().context("cargo built no example")?;
    Ok(path)
}
