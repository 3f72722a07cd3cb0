//! Migrations expand first and contract later, and hold no lock for long.
//!
//! A new version of the programs runs beside the old one, on one database, for as long as a deployment
//! takes. So a migration may add what the old version does not know, and may remove only what no version
//! reads any more. And while a migration runs, the programs go on: a lock on a large table stops all of them.
//!
//! A statement that breaks one of these rules is refused unless a comment directly above it says why it may:
//!
//! - `-- contract: WHY` above a removal or a rename: no running version reads the old name;
//! - `-- locks: WHY` above a statement that locks a table or rewrites it: why the lock is short.
//!
//! What a contraction takes away, older programs may still read. It names those that do not: `-- programs: VERSION WHY`
//! in the file's head says that programs that know the migration of that version run on the schema. Older ones refuse
//! it (`crates/sql-rows/src/schema.rs`).
//!
//! The statements are split by code of our own and not parsed by a library such as `sqlparser`: the rules need
//! the first words of a statement and the comments above it, and a syntax tree holds no comments. A statement
//! that a parser does not know would stop the check; here it passes.

mod rules;
mod statement;
#[cfg(test)]
mod tests;

use std::fs;

use anyhow::Result;

use self::rules::broken_rules;
use self::statement::split;
use super::Faults;
use crate::workspace;

/// The SQL that a migration is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

/// A folder of migrations.
struct Folder {
    path: &'static str,
    dialect: Dialect,
    /// The last migration that is older than the rules. It and those before it were applied already, and an
    /// applied migration never changes.
    last_exempt: u64,
}

const FOLDERS: [Folder; 2] = [
    Folder {
        path: "migrations/sqlite",
        dialect: Dialect::Sqlite,
        last_exempt: 20_261_125_000_012,
    },
    Folder {
        path: "migrations/postgres",
        dialect: Dialect::Postgres,
        last_exempt: 20_261_125_000_013,
    },
];

pub(super) fn check() -> Result<Faults> {
    let mut faults = Faults::new();
    for folder in FOLDERS {
        let mut files: Vec<_> = fs::read_dir(workspace::root().join(folder.path))?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<_>>()?;
        files.sort();
        let versions: Vec<u64> = files.iter().filter_map(|name| version(name)).collect();
        for name in files {
            let path = format!("{}/{name}", folder.path);
            let Some(version) = version(&name) else {
                faults.push(format!("{path} is not named VERSION_WHAT.sql"));
                continue;
            };
            if version > folder.last_exempt {
                let text = fs::read_to_string(workspace::root().join(&path))?;
                let mut findings = lint(&text, folder.dialect);
                if version > LAST_BEFORE_PROGRAMS {
                    let earlier: Vec<u64> = versions
                        .iter()
                        .copied()
                        .filter(|one| *one < version)
                        .collect();
                    findings.extend(lint_programs(&text, folder.dialect, &earlier));
                }
                faults.extend(findings.iter().map(|finding| format!("{path}{finding}")));
            }
        }
    }
    Ok(faults)
}

/// The number that a migration's name begins with.
fn version(name: &str) -> Option<u64> {
    let (version, _) = name.strip_suffix(".sql")?.split_once('_')?;
    version.parse().ok()
}

/// The last day whose migrations name no programs: those that read the names were released with its last one.
const LAST_BEFORE_PROGRAMS: u64 = 20_261_128_999_999;

/// What is wrong with the programs that a migration names. `earlier` are the versions of the migrations before it.
fn lint_programs(text: &str, dialect: Dialect, earlier: &[u64]) -> Option<String> {
    let contracts = split(text, dialect)
        .iter()
        .any(|statement| statement.has_marker("contract"));
    let mut lines = text.lines().zip(1..);
    let named = lines.find_map(|(line, at)| Some((line.strip_prefix("-- programs:")?, at)));
    match named {
        None if contracts => Some(
            ":1: it takes something away: a line `-- programs: VERSION WHY` names the migration from which on no \
             program reads that"
                .to_owned(),
        ),
        None => None,
        Some((named, at)) => {
            let (version, why) = named.trim().split_once(' ').unwrap_or((named.trim(), ""));
            let is_earlier = version.parse().is_ok_and(|version| earlier.contains(&version));
            let is_read = named.starts_with(' ') && !named.starts_with("  ");
            let is_good = is_earlier && is_read && !why.trim().is_empty();
            (!is_good).then(|| {
                format!(":{at}: `-- programs: VERSION WHY` names an earlier migration, and says why")
            })
        }
    }
}

/// What is wrong with a migration, each finding with the line: `:12: …`.
fn lint(text: &str, dialect: Dialect) -> Vec<String> {
    let mut findings = Vec::new();
    let is_transactional = !text.starts_with(NO_TRANSACTION);
    let mut lines = text.lines().skip(usize::from(!is_transactional));
    let purpose = lines.next().and_then(|line| line.strip_prefix("--"));
    if purpose.is_none_or(|purpose| purpose.trim().is_empty()) {
        findings.push(":1: a migration begins with a comment that says what it is for".to_owned());
    }
    let statements = split(text, dialect);
    for statement in &statements {
        let line = statement.line;
        let broken = broken_rules(statement, &statements, dialect);
        for rule in &broken {
            if !statement.has_marker(rule.marker) {
                findings.push(format!(
                    ":{line}: {}; a line `-- {}: WHY` directly above the statement allows it",
                    rule.what, rule.marker
                ));
            }
        }
        for marker in &statement.markers {
            if !broken.iter().any(|rule| rule.marker == marker.name) {
                let name = marker.name;
                findings.push(format!(":{line}: `-- {name}:` allows nothing here"));
            }
        }
        if is_transactional && statement.has_word("CONCURRENTLY") {
            findings.push(format!(
                ":{line}: CONCURRENTLY works only where the file begins with `{NO_TRANSACTION}`"
            ));
        }
    }
    findings
}

/// The first line of a migration that sqlx runs outside a transaction.
const NO_TRANSACTION: &str = "-- no-transaction";
