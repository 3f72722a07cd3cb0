//! What the pinned apalis does when things go wrong, measured with real processes on a real Postgres.
//!
//! The design (`docs/decisions/02-apalis-as-a-notifier.md`) contains a number of its faults. When apalis is
//! upgraded, this tells which are still there: `cargo xtask probe-apalis`. A probe whose outcome is not the
//! recorded one is a change of apalis: decide whether it is good or bad.

mod deaths;
mod delivery;
mod environment;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use comfy_table::{Table, presets};

use environment::Environment;
use worker::TestWorker;

#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

/// Without one, the probes are listed.
#[derive(Subcommand)]
enum Command {
    /// Runs the probes on databases of their own in this cluster
    Run {
        /// A login that may make databases
        url: String,
        /// Only this one
        #[arg(long, value_name = "NAME")]
        only: Option<String>,
    },
    /// Works as the worker of a probe
    TestWorker(TestWorker),
}

/// A question to apalis, and the answer that was recorded for the pinned version.
struct Probe {
    /// Its name: those of one matter share the number.
    name: &'static str,
    question: &'static str,
    recorded: &'static str,
    /// The part of Fanfare that it would harm, and why it does not.
    contained_by: &'static str,
    run: fn(&Environment) -> Result<String>,
}

fn main() -> Result<ExitCode> {
    match Cli::parse().command {
        Some(Command::TestWorker(worker)) => worker::run(&worker),
        Some(Command::Run { url, only }) => run_probes(&url, only.as_deref()),
        None => {
            for probe in probes() {
                println!("{}: {} ({})", probe.name, probe.question, probe.recorded);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn probes() -> impl Iterator<Item = &'static Probe> {
    deaths::PROBES.iter().chain(delivery::PROBES)
}

fn run_probes(url: &str, only: Option<&str>) -> Result<ExitCode> {
    let probes: Vec<&Probe> = probes()
        .filter(|probe| {
            only.is_none_or(|only| probe.name.trim_end_matches(char::is_lowercase) == only)
        })
        .collect();
    anyhow::ensure!(
        !probes.is_empty(),
        "there is no such probe; there are R1 to R12"
    );
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["Probe", "Question", "Recorded", "Now", "", "Contained by"]);
    let mut changed = 0;
    for probe in probes {
        let now = Environment::create(url, probe.name)
            .and_then(|environment| (probe.run)(&environment))?;
        let is_same = now == probe.recorded;
        changed += usize::from(!is_same);
        println!("{}: {now}", probe.name);
        table.add_row([
            probe.name,
            probe.question,
            probe.recorded,
            &now,
            if is_same { "as recorded" } else { "CHANGED" },
            probe.contained_by,
        ]);
    }
    println!("\n{table}");
    Ok(if changed == 0 {
        ExitCode::SUCCESS
    } else {
        println!(
            "{changed} changed: look at the rules that contain them, then record what is so now."
        );
        ExitCode::FAILURE
    })
}
