//! Every check but the tests. Each is timed; all are done even if one fails, except that nothing is
//! built from code that does not compile.

mod generated;
mod layers;
mod licences;
mod manifests;
mod migrations;
mod paths;
mod sources;
mod unused;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::workspace::{self, cargo, show};

/// The findings of a check, one line each.
type Faults = Vec<String>;

struct Check {
    name: &'static str,
    run: fn() -> Result<Faults>,
    /// Whether the checks after it make no sense if it fails.
    is_needed: bool,
}

const CHECKS: &[Check] = &[
    check("formatting", || {
        command(cargo(&["fmt", "--all", "--check"]))
    }),
    check("manifests", manifests::check),
    check("unused dependencies", unused::check),
    check("layers", layers::check),
    check("licences, sources and bans", licences::check),
    check("file sizes", sources::check),
    check("migrations", migrations::check),
    check("paths in documents", paths::check),
    Check {
        name: "lints",
        run: lints,
        is_needed: true,
    },
    check("documentation", documentation),
    check("generated files", generated::check),
];

const fn check(name: &'static str, run: fn() -> Result<Faults>) -> Check {
    Check {
        name,
        run,
        is_needed: false,
    }
}

/// The options of `cargo xtask ci`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only the checks with this word in their name
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let word = options.only.as_deref().unwrap_or("");
    let checks: Vec<&Check> = CHECKS
        .iter()
        .filter(|check| check.name.contains(word))
        .collect();
    if checks.is_empty() {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        bail!(
            "no check has {word} in its name; there are: {}",
            names.join("; ")
        );
    }
    Ok(run_checks(&checks))
}

/// The layer rules alone.
pub(crate) fn check_layers() -> ExitCode {
    run_checks(&[&check("layers", layers::check)])
}

fn run_checks(checks: &[&Check]) -> ExitCode {
    let mut done: Vec<(&str, Faults, Duration)> = Vec::new();
    for check in checks {
        println!("=== {}", check.name);
        let begun = Instant::now();
        let faults = (check.run)().unwrap_or_else(|error| vec![format!("{error:#}")]);
        for fault in &faults {
            println!("{fault}");
        }
        let must_stop = check.is_needed && !faults.is_empty();
        done.push((check.name, faults, begun.elapsed()));
        if must_stop {
            println!("The checks after this one need code that compiles.");
            break;
        }
    }
    println!();
    for (name, faults, took) in &done {
        let result = if faults.is_empty() { "ok" } else { "FAILED" };
        println!("{name:28} {result:8} {:6.1} s", took.as_secs_f64());
    }
    for (name, faults, _) in &done {
        for fault in faults {
            println!("{name}: {fault}");
        }
    }
    let is_good = done.iter().all(|(_, faults, _)| faults.is_empty());
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn lints() -> Result<Faults> {
    let arguments = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    command(cargo(&arguments))
}

fn documentation() -> Result<Faults> {
    let mut cargo = cargo(&[
        "doc",
        "--workspace",
        "--no-deps",
        "--document-private-items",
    ]);
    cargo.env("RUSTDOCFLAGS", "-D warnings");
    command(cargo)
}

/// Runs a command that prints its own findings.
fn command(mut command: Command) -> Result<Faults> {
    let shown = show(&command);
    let status = command.status()?;
    Ok(if status.success() {
        Faults::new()
    } else {
        vec![format!("`{shown}` failed; see above")]
    })
}

/// A path relative to the root of the repository.
fn relative(path: &std::path::Path) -> String {
    path.strip_prefix(workspace::root())
        .unwrap_or(path)
        .display()
        .to_string()
}
