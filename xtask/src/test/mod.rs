//! Every test: unit and integration tests, documentation tests, and examples run to their end.
//!
//! A test that cannot run where it is prints `skipped: <why>` and returns. Those lines are read from
//! the runners' reports and listed last, so that nothing is skipped unseen.

mod runners;
mod skips;

use std::process::{Command, ExitCode, Stdio};

use anyhow::Result;

use self::runners::Outcome;

/// The options of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Install what the tests need and is missing, through the system's package manager
    #[arg(long)]
    install: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    prepare(options);
    let mut outcome = Outcome::default();
    if has_nextest() {
        outcome.add(runners::nextest()?);
        outcome.add(runners::libtest(&["--doc"])?);
    } else {
        outcome.add(runners::libtest(&[])?);
    }
    outcome.add(runners::examples()?);
    outcome.print();
    Ok(if outcome.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Provides what the tests need besides a toolchain: nothing so far. Each service that tests need
/// is looked for here, and installed if `--install` was given and it is missing.
fn prepare(options: &Options) {
    if options.install {
        println!("Nothing to install: the tests need only the Rust toolchain and a C compiler.");
    }
}

fn has_nextest() -> bool {
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["nextest", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
