//! `fanfare doctor`: checks everything, and says what to do about what fails.

mod checks;
mod master_keys;
mod waits;
mod worker;

use std::process::ExitCode;

use anyhow::Result;
use fanfare_runtime::{Config, SETTINGS, Source};
use serde_json::{Value, json};

use crate::output::{print_json, print_line, table};

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CheckStatus {
    /// In order.
    Passed,
    /// Not in order.
    Failed,
    /// It could not be checked, for a reason outside of it.
    NotChecked,
}

impl CheckStatus {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "ok",
            Self::Failed => "FAILED",
            Self::NotChecked => "not checked",
        }
    }
}

/// A check, and its result.
struct Check {
    subject: String,
    status: CheckStatus,
    /// What was found, and what to do if it failed.
    finding: String,
}

impl Check {
    fn new(subject: impl Into<String>, status: CheckStatus, finding: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            status,
            finding: finding.into(),
        }
    }
}

pub(crate) async fn run(config: &Config, json: bool) -> Result<ExitCode> {
    let checks = checks::all(config).await;
    if json {
        print_json(&as_json(config, &checks))?;
    } else {
        show(config, &checks)?;
    }
    let all_good = !checks
        .iter()
        .any(|check| check.status == CheckStatus::Failed);
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
    print_line(settings)?;
    for name in &config.unknown_variables {
        print_line(format!(
            "{name} is set and is no setting: it has no effect."
        ))?;
    }
    // Not a table: a terminal wraps whole sentences better than a column does.
    let width = checks.iter().map(|check| check.subject.len()).max();
    let width = width.unwrap_or_default();
    for check in checks {
        let status = check.status.as_str();
        let (subject, finding) = (&check.subject, &check.finding);
        print_line(format!("{status:11}  {subject:width$}  {finding}"))?;
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
            "verdict": check.status.as_str(),
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
