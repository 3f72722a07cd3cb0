//! Fuzzing: what reads strange bytes is given such bytes, for a stated time, and the API is sent such requests.
//!
//! A target is a function of a library that takes any bytes and panics if something does not hold. libFuzzer makes the
//! bytes, guided by what of the code they reach. The bytes worth keeping are in the repository, where ordinary tests give
//! them to the targets again.

mod api;
mod compile;
mod engine;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};

pub(crate) use self::compile::as_compiler;
use self::engine::Engine;
use crate::interrupt::Interrupt;
use crate::workspace;

/// The options of `cargo xtask fuzz`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only this target; may be repeated. `api` is the running API, the others are functions of libraries
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// For how long each target but the API is fuzzed
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
    /// How many requests the API is sent at least
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    requests: u64,
    /// Give the target this file alone, to see what it does
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Add what was found that reaches more code to the corpora in the repository
    #[arg(long)]
    keep: bool,
    /// Install what the API's target needs and is missing: schemathesis, into a folder of cargo's target
    #[arg(long)]
    install: bool,
}

/// The name of the target that is the running API.
const API: &str = "api";

/// The folder with a corpus for each target.
fn corpora() -> PathBuf {
    workspace::root().join("crates/fuzz/corpus")
}

/// The folder for everything that fuzzing writes.
fn output() -> Result<PathBuf> {
    Ok(workspace::target()?.join("fuzz"))
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let all = targets(&corpora())?;
    for name in &options.targets {
        if !all.contains(name) {
            bail!("there is no target {name}; there are {}", all.join(", "));
        }
    }
    let is_chosen = |name: &&String| options.targets.is_empty() || options.targets.contains(name);
    let (api, functions): (Vec<&String>, Vec<&String>) =
        all.iter().filter(is_chosen).partition(|name| *name == API);

    let mut found = Vec::new();
    if !functions.is_empty() {
        let engine = Engine::build()?;
        for name in functions {
            if interrupt.is_requested() {
                bail!("interrupted");
            }
            match &options.input {
                Some(input) => found.extend(engine.run_on(name, input)?),
                None => found.extend(engine.run(name, options.seconds)?),
            }
            if options.keep {
                engine.keep(name)?;
            }
        }
    }
    let mut skipped = None;
    if !api.is_empty() && options.input.is_none() {
        match api::run(options.requests, options.install, &interrupt)? {
            api::Outcome::Done(faults) => found.extend(faults),
            api::Outcome::Skipped(why) => skipped = Some(why),
        }
    }
    println!();
    for fault in &found {
        println!("{fault}");
    }
    if let Some(why) = skipped {
        println!("skipped {API}: {why}");
    }
    println!("fuzzing: {} found", found.len());
    Ok(if found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The names of all targets. Each function has a corpus, or its tests fail.
fn targets(corpora: &Path) -> Result<Vec<String>> {
    let mut names = vec![API.to_owned()];
    for entry in std::fs::read_dir(corpora)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names[1..].sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_corpus_is_a_target_and_the_api_is_one_too() {
        let names = targets(&corpora()).unwrap();

        assert_eq!(names[0], "api");
        assert!(names.contains(&"klaviyo-members".to_owned()), "{names:?}");
    }
}
