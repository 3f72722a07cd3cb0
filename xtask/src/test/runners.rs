//! The test runners, and what their reports come to.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use super::skips::{self, Skip};
use crate::workspace;

/// What tests find in their environment.
type Environment<'a> = Option<(&'a str, &'a str)>;

/// What came of tests.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    passed: u64,
    failed: u64,
    skipped: Vec<Skip>,
    /// A runner ended with another status than 0.
    runner_failed: bool,
}

impl Outcome {
    pub(super) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend(other.skipped);
        self.runner_failed |= other.runner_failed;
    }

    /// Counts what no runner reported.
    pub(super) const fn count(&mut self, passed: u64, failed: u64) {
        self.passed += passed;
        self.failed += failed;
    }

    /// Lists what could not run.
    pub(super) fn skip(&mut self, test: String, why: String) {
        self.skipped.push(Skip {
            test,
            why,
            counts_as_passed: false,
        });
    }

    pub(super) const fn is_good(&self) -> bool {
        !self.runner_failed && self.failed == 0
    }

    pub(super) fn print(&self) {
        let Self {
            passed,
            failed,
            skipped,
            ..
        } = self;
        let result = if self.is_good() { "ok" } else { "FAILED" };
        println!(
            "\ntests: {result}. {passed} passed, {failed} failed, {} skipped",
            skipped.len()
        );
        for skip in skipped {
            println!("  skipped {}: {}", skip.test, skip.why);
        }
    }
}

/// Unit and integration tests by cargo-nextest: each in its own process, all cores busy.
pub(super) fn nextest(environment: Environment<'_>) -> Result<Outcome> {
    let report = workspace::target()?.join("nextest/default/junit.xml");
    if report.exists() {
        std::fs::remove_file(&report)?;
    }
    let status = workspace::cargo(&["nextest", "run", "--workspace", "--no-fail-fast"])
        .envs(environment)
        .status()?;
    let Ok(report) = std::fs::read_to_string(&report) else {
        bail!("no test ran: cargo nextest ended with {status}");
    };
    let (tests, failed) = skips::junit_counts(&report);
    let skipped = skips::from_junit(&report);
    Ok(Outcome {
        passed: tests.saturating_sub(failed + skipped.len() as u64),
        failed,
        skipped,
        runner_failed: !status.success(),
    })
}

/// Tests by cargo alone.
pub(super) fn libtest(targets: &[&str], environment: Environment<'_>) -> Result<Outcome> {
    let mut command = workspace::cargo(&["test", "--workspace", "--no-fail-fast"]);
    command
        .args(targets)
        .args(["--", "--show-output"])
        .envs(environment)
        .stdout(Stdio::piped());
    let mut child = command.spawn().context("cargo test cannot be started")?;
    let output = child
        .stdout
        .take()
        .context("cargo test's output cannot be read")?;
    let mut report = String::new();
    for line in BufReader::new(output).lines() {
        let line = line?;
        println!("{line}");
        report.push_str(&line);
        report.push('\n');
    }
    let status = child.wait()?;
    let (passed, failed) = skips::libtest_counts(&report);
    let skipped = skips::from_libtest(&report);
    let skipped_in_passing = skipped.iter().filter(|skip| skip.counts_as_passed).count() as u64;
    Ok(Outcome {
        passed: passed.saturating_sub(skipped_in_passing),
        failed,
        skipped,
        runner_failed: !status.success(),
    })
}

/// Every example of the workspace, without arguments: it must end with status 0. One that needs some says that it is
/// skipped.
pub(super) fn examples(environment: Environment<'_>) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    for (name, path) in workspace::build(&["--workspace", "--examples"])? {
        let output = Command::new(&path)
            .current_dir(workspace::root())
            .envs(environment)
            .output()
            .with_context(|| format!("example {name} cannot be started"))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            outcome.failed += 1;
            println!("example {name} ... FAILED\n{printed}");
            println!("{}", String::from_utf8_lossy(&output.stderr));
        } else if let Some(why) = skips::from_output(&printed) {
            println!("example {name} ... skipped");
            outcome.skip(format!("example {name}"), why.to_owned());
        } else {
            println!("example {name} ... ok");
            outcome.passed += 1;
        }
    }
    Ok(outcome)
}
