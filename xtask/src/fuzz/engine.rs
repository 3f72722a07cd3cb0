//! libFuzzer, over one target after the other.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::{compile, corpora, output};
use crate::workspace;

/// The largest input that is tried, in bytes: enough for a page with a few profiles.
const MAX_INPUT: &str = "-max_len=4096";

/// The largest input that is kept in the repository, in bytes.
const MAX_KEPT: &str = "-max_len=1024";

/// How long one input may take, in seconds, and how much memory the engine may have, in MB.
const LIMITS: [&str; 2] = ["-timeout=10", "-rss_limit_mb=1024"];

/// Something that does not hold: what, and how to see it again.
type Found = String;

/// The engine, built.
pub(super) struct Engine {
    program: PathBuf,
    output: PathBuf,
}

impl Engine {
    pub(super) fn build() -> Result<Self> {
        Ok(Self {
            program: compile::engine()?,
            output: output()?,
        })
    }

    /// Fuzzes a target for so many seconds, or until something is found.
    pub(super) fn run(&self, name: &str, seconds: u64) -> Result<Option<Found>> {
        let (kept, own) = (corpora().join(name), self.folder("corpus", name)?);
        let crashes = self.folder("crashes", name)?;
        let log = self.output.join(format!("{name}.log"));
        let mut command = self.command(name);
        // What is new is written to the first folder.
        command.arg(&own).arg(&kept).args(LIMITS).arg(MAX_INPUT);
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-artifact_prefix={}/", crashes.display()));
        command.arg("-print_final_stats=1");
        let family = name.split('-').next().unwrap_or(name);
        let words = workspace::root().join(format!("crates/fuzz/dictionaries/{family}.dict"));
        if words.exists() {
            command.arg(format!("-dict={}", words.display()));
        }
        command.stderr(File::create(&log)?);
        let status = command.status().context("the engine cannot be started")?;
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        println!("{name:22} {}", Summary::of(&text));
        if status.success() {
            return Ok(None);
        }
        println!("{}", reason(&text));
        let written = text
            .lines()
            .find_map(|line| line.split_once("Test unit written to "));
        Ok(Some(match written {
            Some((_, path)) => {
                format!("{name}: `cargo xtask fuzz --target {name} --input {path}` repeats it")
            }
            None => format!(
                "{name}: the engine ended with {status}; see {}",
                log.display()
            ),
        }))
    }

    /// Gives a target one file.
    pub(super) fn run_on(&self, name: &str, input: &Path) -> Result<Option<Found>> {
        let status = self.command(name).args(LIMITS).arg(input).status()?;
        let found = || format!("{name}: {} is not taken as it must be", input.display());
        Ok((!status.success()).then(found))
    }

    /// Adds to the corpus in the repository what reaches code that it does not.
    pub(super) fn keep(&self, name: &str) -> Result<()> {
        let (kept, own) = (corpora().join(name), self.folder("corpus", name)?);
        let mut command = self.command(name);
        command
            .args(["-set_cover_merge=1", MAX_KEPT])
            .arg(&kept)
            .arg(&own);
        command.stderr(File::create(self.output.join(format!("{name}.keep.log")))?);
        let status = command.status()?;
        ensure!(
            status.success(),
            "the corpus of {name} cannot be merged: {status}"
        );
        Ok(())
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("FANFARE_FUZZ_TARGET", name);
        command
    }

    fn folder(&self, of: &str, name: &str) -> Result<PathBuf> {
        let folder = self.output.join(of).join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }
}

/// What a run of the engine came to, in one line.
#[derive(Debug, PartialEq, Eq)]
struct Summary {
    executions: u64,
    covered: u64,
}

impl Summary {
    fn of(log: &str) -> Self {
        let number = |text: &str| -> Option<u64> { text.split_whitespace().next()?.parse().ok() };
        let executions = log
            .lines()
            .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"))
            .and_then(number);
        let covered = log
            .lines()
            .rev()
            .find_map(|line| number(line.split_once(" cov: ")?.1));
        Self {
            executions: executions.unwrap_or(0),
            covered: covered.unwrap_or(0),
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            executions,
            covered,
        } = self;
        write!(f, "{executions:>9} inputs, {covered:>6} places reached")
    }
}

/// What the target said: the panic's message, or the engine's own.
fn reason(log: &str) -> String {
    let is_telling = |line: &&str| line.contains("panicked at") || line.starts_with("==");
    let lines = log.lines().skip_while(|line| !is_telling(line));
    lines.take(6).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_log_is_summed_up() {
        let log = "#2\tINITED cov: 40 ft: 41 corp: 1/1b\n#99\tNEW    cov: 52 ft: 60 corp: 2/3b\n\
                   stat::number_of_executed_units: 1234\nstat::peak_rss_mb: 40\n";
        let want = Summary {
            executions: 1_234,
            covered: 52,
        };
        assert_eq!(Summary::of(log), want);
    }
}
