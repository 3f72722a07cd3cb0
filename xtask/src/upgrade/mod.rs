//! An upgrade without a gap: the programs of an earlier commit and the present ones on one store, which the present
//! ones migrate while an import is under way.
//!
//! The earlier programs are built in a worktree of their own below `target`, which is kept for the next time.

mod earlier;
mod rehearsal;

use std::process::ExitCode;

use anyhow::{Context, Result};

use self::rehearsal::Rehearsal;
use crate::interrupt::Interrupt;
use crate::services::Programs;
use crate::test::postgres::Cluster;

/// The options of `cargo xtask upgrade-test`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The commit of the earlier programs; without it, the latest with another schema than the present one
    #[arg(long, value_name = "COMMIT")]
    from: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let commit = match &options.from {
        Some(commit) => earlier::commit(commit)?,
        None => earlier::with_another_schema()?,
    };
    println!("The earlier programs are those of {commit}.");
    let earlier = earlier::build(&commit)?;
    let present = Programs::build(false)?;
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    for (name, store) in [
        ("SQLite", None),
        ("Postgres", Some(cluster.database("upgrade")?)),
    ] {
        Rehearsal::start(&earlier, &present, store, &interrupt)
            .and_then(|rehearsal| rehearsal.play())
            .with_context(|| format!("the upgrade from {commit} on {name}"))?;
        println!("{name}: programs of both versions work on the schema of the present one.");
    }
    Ok(ExitCode::SUCCESS)
}
