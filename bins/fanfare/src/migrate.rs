//! `fanfare migrate`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_runtime::{Config, Database, SchemaState, Storage};
use serde_json::json;

use crate::output::{print_json, print_line};

pub(crate) async fn run(config: &Config, check: bool, json: bool) -> Result<ExitCode> {
    let found = if check {
        Storage::schema(&config.database).await?
    } else {
        Storage::migrate(config).await?
    };
    if json {
        print_json(&as_json(&config.database, found, !check))?;
    } else {
        print_line(format!("{}: {}", config.database, tell(found, check)))?;
    }
    Ok(
        if check && matches!(found, SchemaState::Missing | SchemaState::Behind(_)) {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        },
    )
}

fn as_json(database: &Database, found: SchemaState, has_migrated: bool) -> serde_json::Value {
    let (name, migrations) = match found {
        SchemaState::Missing => ("missing", None),
        SchemaState::Behind(migrations) => ("behind", migrations),
        SchemaState::Current => ("current", Some(0)),
        SchemaState::Successor => ("successor", Some(0)),
    };
    json!({
        "store": database.to_string(),
        "found": name,
        "migrations": migrations,
        "migrated": has_migrated,
    })
}

fn tell(found: SchemaState, check: bool) -> &'static str {
    match (found, check) {
        (SchemaState::Missing, true) => "there is no store yet; `fanfare migrate` makes it",
        (SchemaState::Missing, false) => "the store was made",
        (SchemaState::Behind(_), true) => {
            "the schema is older than this program; `fanfare migrate` brings it up to date"
        }
        (SchemaState::Behind(_), false) => "the schema was brought up to date",
        (SchemaState::Current, _) => "the schema is up to date",
        (SchemaState::Successor, _) => {
            "the schema is a newer version's, on which this program runs; there is nothing to do"
        }
    }
}
