//! The texts by which consumers are found, in rows that were written before there were any, or by other rules
//! (`fanfare_domain::search`).
//!
//! SQLite folds no text as the rules do, so no migration can write them. Opening the store does, after the
//! migrations and in windows, and notes in `meta` when it is through. Where it was stopped it begins anew the next
//! time, and writes what is missing.

use fanfare_domain::search::{RULES_VERSION, text};
use fanfare_sql_rows::json;
use sqlx::{Connection, SqliteConnection};

use crate::repositories::pages::Scope;
use crate::repositories::search;

/// The name under which `meta` holds by which rules the texts were made: one byte.
const RULES: &str = "search_rules";

/// How many consumers are read in one transaction.
const WINDOW: i64 = 5_000;

/// Writes the texts that are missing or were made by other rules.
pub(crate) async fn write(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let rules = sqlx::query_scalar!("SELECT value FROM meta WHERE name = $1", RULES)
        .fetch_optional(&mut *connection)
        .await?;
    let ours = [RULES_VERSION].as_slice();
    if rules.as_deref() == Some(ours) {
        return Ok(());
    }
    let mut after = Some((String::new(), String::new()));
    while let Some((organization, id)) = after {
        after = write_window(connection, &organization, &id).await?;
    }
    sqlx::query!(
        "INSERT INTO meta (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        RULES,
        ours
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The consumers after this one, of all organizations. Returns the last one while there may be more.
async fn write_window(
    connection: &mut SqliteConnection,
    organization: &str,
    id: &str,
) -> Result<Option<(String, String)>, sqlx::Error> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let rows = sqlx::query!(
        "SELECT organization_id, id, email, phone, full_name, search_text FROM consumers
         WHERE (organization_id, id) > ($1, $2) ORDER BY organization_id, id LIMIT $3",
        organization,
        id,
        WINDOW
    )
    .fetch_all(&mut *tx)
    .await?;
    let last = rows
        .last()
        .map(|row| (row.organization_id.clone(), row.id.clone()));
    let changed = rows.into_iter().filter_map(|row| {
        let text = text([&row.email, &row.phone, &row.full_name].map(Option::as_deref));
        (text != row.search_text).then_some((row.organization_id, row.id, text))
    });
    let changed: Vec<_> = changed.collect();
    // The index is made of the texts.
    let mut organizations: Vec<&str> = changed.iter().map(|(of, _, _)| of.as_str()).collect();
    organizations.dedup();
    for organization in organizations {
        search::clear(Scope::of((organization, &mut tx))).await?;
    }
    let changed = json(&changed);
    sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT value ->> 0 AS organization_id, value ->> 1 AS id, value ->> 2 AS search_text
            FROM jsonb_each($1)
         )
         UPDATE consumers SET search_text = w.search_text FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id",
        changed
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(last)
}
