//! Every test: unit and integration tests, documentation tests, examples run to their end, and the fault
//! suite's quick rounds.
//!
//! A test that cannot run where it is prints `skipped: <why>` and returns. Those lines are read from
//! the runners' reports and listed last, so that nothing is skipped unseen.

mod browser;
pub(crate) mod faketime;
pub(crate) mod packages;
pub(crate) mod postgres;
mod runners;
mod skips;

use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use self::postgres::Server;
use self::runners::Outcome;
use crate::faults;
use crate::interrupt::Interrupt;

/// The options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what the tests need and is missing, through the system's package manager
    #[arg(long)]
    install: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    // An interrupted test run must not leave a server behind: the runners end by themselves, and
    // this program after them.
    let interrupt = Interrupt::listen()?;
    if options.install {
        faketime::install()?;
        browser::install();
    }
    let server = Server::provide(options.install)?;
    let environment = server.environment();
    let mut outcome = Outcome::default();
    if has_nextest() {
        outcome.add(runners::nextest(environment)?);
        outcome.add(runners::libtest(&["--doc"], environment)?);
    } else {
        outcome.add(runners::libtest(&[], environment)?);
    }
    outcome.add(runners::examples(environment)?);
    // Real programs on stores of their own: nothing of the tests before is in their way.
    drop(server);
    let faults = faults::quick(&interrupt)?;
    outcome.count(faults.recovered, faults.faults.len() as u64);
    for (name, why) in faults.skipped {
        outcome.skip(name, why);
    }
    outcome.print();
    Ok(if outcome.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn has_nextest() -> bool {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
