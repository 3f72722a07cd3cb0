//! Repository tasks. `cargo xtask help` lists them.

mod abuse;
mod bench;
mod ci;
mod demo;
mod faults;
mod fuzz;
mod interrupt;
mod journal;
mod prepare;
mod probe_apalis;
mod process;
mod services;
mod test;
mod upgrade;
mod webhooks;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

/// Repository tasks, run from anywhere in it.
#[derive(Parser)]
#[command(name = "cargo xtask")]
enum Task {
    /// Imports two Klaviyo lists into audiences, with nothing to set up, and serves them
    Demo(demo::Options),
    /// Runs every test
    Test(test::Options),
    /// Kills, freezes and cuts off the programs in mid-run, and compares what comes of it
    Faults(faults::Options),
    /// Gives strange bytes to what reads them, for a stated time, and strange requests to the API
    Fuzz(fuzz::Options),
    /// Measures, each figure beside its limit
    Bench(bench::Options),
    /// Runs the programs of an earlier commit and the present ones on one store, and upgrades it under them
    UpgradeTest(upgrade::Options),
    /// Asks the pinned apalis what it does when things go wrong, and compares with what was recorded
    ProbeApalis(probe_apalis::Options),
    /// Runs every check but the tests
    Ci(ci::Options),
    /// Checks which crate may use which
    CheckLayers,
    /// Regenerates what is generated and committed
    Prepare,
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::as_compiler() {
        return code;
    }
    let result = match Task::parse() {
        Task::Demo(options) => demo::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Faults(options) => faults::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::UpgradeTest(options) => upgrade::run(&options),
        Task::ProbeApalis(options) => probe_apalis::run(&options),
        Task::Ci(options) => ci::run(&options),
        Task::CheckLayers => Ok(ci::check_layers()),
        Task::Prepare => prepare::run(),
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
