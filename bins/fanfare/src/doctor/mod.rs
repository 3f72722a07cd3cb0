//! `fanfare doctor`: whether everything is in order, and what to do about what is not.

mod checks;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use fanfare_runtime::{Config, SETTINGS, Source};
use serde_json::{Value, json};

use crate::output::{say, say_json, table};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// In order.
    Good,
    /// Not in order.
    Bad,
    /// It could not be found out, for a reason that is no fault of its own.
    Unknown,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad => "FAILED",
            Self::Unknown => "not checked",
        }
    }
}

/// A check that was made.
struct Check {
    subject: String,
    verdict: Verdict,
    /// What was found; of a fault also what to do.
    finding: String,
}

impl Check {
    fn new(subject: impl Into<String>, verdict: Verdict, finding: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            verdict,
            finding: finding.into(),
        }
    }
}

pub(crate) async fn run(config: &Config, json: bool) -> Result<ExitCode> {
    let checks = checks::all(config).await;
    if json {
        say_json(&as_json(config, &checks))?;
    } else {
        show(config, &checks)?;
    }
    let all_good = !checks.iter().any(|check| check.verdict == Verdict::Bad);
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn show(config: &Config, checks: &[Check]) -> Result<()> {
    let mut settings = table(&["Setting", "In force", "From"]);
    for setting in SETTINGS {
        let from = source(config.source(setting));
        settings.add_row([
            setting.name.to_owned(),
            (setting.shown)(config),
            from.to_owned(),
        ]);
    }
    say(settings)?;
    for name in &config.unknown_variables {
        say(format!(
            "{name} is set and is no setting: it has no effect."
        ))?;
    }
    // No table: findings are sentences, which a terminal breaks better than a column would.
    let width = checks.iter().map(|check| check.subject.len()).max();
    let width = width.unwrap_or_default();
    for check in checks {
        let verdict = check.verdict.as_str();
        let (subject, finding) = (&check.subject, &check.finding);
        say(format!("{verdict:11}  {subject:width$}  {finding}"))?;
    }
    Ok(())
}

fn as_json(config: &Config, checks: &[Check]) -> Value {
    let settings = SETTINGS.iter().map(|setting| {
        let (value, from) = ((setting.shown)(config), source(config.source(setting)));
        json!({"name": setting.name, "value": value, "from": from})
    });
    let checks = checks.iter().map(|check| {
        json!({
            "check": check.subject,
            "verdict": check.verdict.as_str(),
            "finding": check.finding,
        })
    });
    json!({
        "settings": settings.collect::<Vec<Value>>(),
        "checks": checks.collect::<Vec<Value>>(),
    })
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Environment => "environment",
        Source::File => "fanfare.toml",
        Source::Default => "default",
    }
}
