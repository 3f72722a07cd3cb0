//! Asks the pinned apalis again what it does when things go wrong, for the day it is upgraded.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::test::postgres::Cluster;
use crate::workspace;

/// The options of `cargo xtask probe-apalis`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this probe, `R1` to `R12`
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
}

/// The example tells what is as it was recorded. A change, for better or worse, is a failure.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let built = workspace::build(&["--package", "fanfare-jobs", "--example", "probe_apalis"])?;
    let (_, path) = built.first().context("cargo built no probes")?;
    let mut probes = Command::new(path);
    probes.args(["run", cluster.address()]);
    if let Some(only) = &options.only {
        probes.args(["--only", only]);
    }
    Ok(if probes.status()?.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
