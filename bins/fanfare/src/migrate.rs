//! `fanfare migrate`

use std::process::ExitCode;

use anyhow::Result;
use fanfare_runtime::{Config, Database, SchemaState, Storage};
use serde_json::json;

use crate::output::{say, say_json};

pub(crate) async fn run(config: &Config, check: bool, json: bool) -> Result<ExitCode> {
    let found = if check {
        let database = config.migration_database.as_ref();
        Storage::schema(database.unwrap_or(&config.database)).await?
    } else {
        Storage::migrate(config).await?
    };
    if json {
        say_json(&as_json(&config.database, found, !check))?;
    } else {
        say(format!("{}: {}", config.database, tell(found, check)))?;
    }
    Ok(if check && found != SchemaState::Current {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn as_json(database: &Database, found: SchemaState, has_migrated: bool) -> serde_json::Value {
    let (name, migrations) = match found {
        SchemaState::Missing => ("missing", None),
        SchemaState::Behind(migrations) => ("behind", Some(migrations)),
        SchemaState::Current => ("current", Some(0)),
    };
    json!({
        "store": database.to_string(),
        "found": name,
        "migrations": migrations,
        "migrated": has_migrated,
    })
}

fn tell(found: SchemaState, check: bool) -> String {
    match (found, check) {
        (SchemaState::Missing, true) => "there is no store yet; `fanfare migrate` makes it".into(),
        (SchemaState::Missing, false) => "the store was made".into(),
        (SchemaState::Behind(migrations), true) => {
            format!("{migrations} migrations are to be applied; `fanfare migrate` does")
        }
        (SchemaState::Behind(migrations), false) => format!("{migrations} migrations were applied"),
        (SchemaState::Current, _) => "the schema is up to date".into(),
    }
}
