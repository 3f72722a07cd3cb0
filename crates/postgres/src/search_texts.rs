//! The texts by which consumers are found, in rows that were written before there were any, or by other rules
//! (`fanfare_domain::search`).
//!
//! Postgres folds no text as the rules do, so no migration can write them. `fanfare migrate` does, after the
//! migrations and in windows, and notes in `meta` when it is through. Where it was stopped it begins anew the next
//! time, and writes what is missing; programs refuse the database until then.

use std::cmp::Ordering;

use fanfare_domain::search::{RULES_VERSION, text};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::error::OpenError;
use crate::repositories::pages::Scope;
use crate::repositories::search;

/// The name under which `meta` holds by which rules the texts were made: one byte.
const RULES: &str = "search_rules";

/// How many consumers are read in one transaction.
const WINDOW: i64 = 1_000;

/// Refuses a database whose texts were made by other rules.
pub(crate) async fn must_be_ours(
    connection: &mut PgConnection,
    place: &str,
) -> Result<(), OpenError> {
    let rules = rules(connection).await;
    let place = place.to_owned();
    match rules {
        Ok(Ordering::Equal) => Ok(()),
        Ok(Ordering::Less) => Err(OpenError::Older { place }),
        Ok(Ordering::Greater) => Err(OpenError::Newer { place }),
        Err(source) => Err(OpenError::Postgres { place, source }),
    }
}

/// Writes the texts that are missing or were made by older rules, through the owner's login.
pub(crate) async fn write(connection: &mut PgConnection, place: &str) -> Result<(), OpenError> {
    let refused = |source| OpenError::Postgres {
        place: place.to_owned(),
        source,
    };
    match rules(connection).await.map_err(refused)? {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::Newer {
            place: place.to_owned(),
        }),
        Ordering::Less => write_all(connection).await.map_err(refused),
    }
}

/// The rules of the texts compared with this program's. None are older than any.
async fn rules(connection: &mut PgConnection) -> Result<Ordering, sqlx::Error> {
    let rules = sqlx::query_scalar!("SELECT value FROM meta WHERE name = $1", RULES)
        .fetch_optional(connection)
        .await?;
    let version = rules.and_then(|rules| rules.first().copied());
    Ok(version.cmp(&Some(RULES_VERSION)))
}

async fn write_all(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let organizations = sqlx::query_scalar!("SELECT id FROM organizations ORDER BY id")
        .fetch_all(&mut *connection)
        .await?;
    for organization in organizations {
        let mut after = Some(String::new());
        while let Some(last) = after {
            after = write_window(connection, &organization, &last).await?;
        }
    }
    sqlx::query!(
        "INSERT INTO meta (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        RULES,
        &[RULES_VERSION]
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The consumers of an organization after an id. Returns the last one's id while there may be more.
async fn write_window(
    connection: &mut PgConnection,
    organization: &str,
    after: &str,
) -> Result<Option<String>, sqlx::Error> {
    let mut tx = connection.begin().await?;
    // The owner is bound by row security too. `SET LOCAL` takes no parameter.
    let set = sqlx::query_scalar!(
        r#"SELECT format('SET LOCAL fanfare.organization_id = %L', $1::text) AS "set!""#,
        organization
    )
    .fetch_one(&mut *tx)
    .await?;
    sqlx::raw_sql(AssertSqlSafe(set)).execute(&mut *tx).await?;
    let rows = sqlx::query!(
        "SELECT id, email, phone, full_name, search_text FROM consumers
         WHERE organization_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        organization,
        after,
        WINDOW
    )
    .fetch_all(&mut *tx)
    .await?;
    let Some(last) = rows.last().map(|row| row.id.clone()) else {
        return Ok(None);
    };
    let (mut ids, mut texts) = (Vec::new(), Vec::new());
    for row in rows {
        let values = [&row.email, &row.phone, &row.full_name];
        let text = text(values.map(Option::as_deref));
        if text != row.search_text {
            ids.push(row.id);
            texts.push(text);
        }
    }
    if !ids.is_empty() {
        // The index is made of the texts.
        let scope = Scope::of((organization, &mut tx));
        search::clear(scope).await?;
        sqlx::query!(
            "UPDATE consumers c SET search_text =
                (SELECT w.search_text FROM unnest($2::text[], $3::text[]) AS w (id, search_text)
                 WHERE w.id = c.id)
             WHERE organization_id = $1 AND id = ANY($2) AND id > $4 AND id <= $5",
            organization,
            &ids,
            &texts,
            after,
            last
        )
        .execute(&mut *tx)
        .await?;
    }
    tx.commit().await?;
    Ok(Some(last))
}
