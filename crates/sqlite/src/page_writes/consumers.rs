//! The consumers of a page's plan.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::page::ConsumerWrite;
use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{ConsumerColumns, DbTimestamp, SYSTEM_ACTOR, json, refused};

use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// Overwrites consumers that must be there.
pub(super) async fn update(
    mut scope: Scope<'_>,
    writes: &[ConsumerWrite],
    now: Timestamp,
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let columns = writes
        .iter()
        .map(|write| ConsumerColumns::of(&write.consumer, write.visible));
    let rows = json(&columns.collect::<Vec<_>>());
    // Freed before they are taken: an e-mail may go from one consumer of the page to another.
    free_emails(scope.reborrow(), &rows).await?;
    update_contacts(scope.reborrow(), &rows).await?;
    if update_values(scope, &rows, now).await? == writes.len() as u64 {
        Ok(())
    } else {
        Err(refused("a consumer to overwrite is not there"))
    }
}

async fn free_emails(scope: Scope<'_>, rows: &str) -> Result<(), StoreError> {
    let free = sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT $1 AS organization_id, value ->> 'id' AS id, value ->> 'email' AS email
            FROM jsonb_each($2)
         )
         UPDATE consumers SET email = NULL FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id
           AND consumers.email IS NOT NULL AND consumers.email IS NOT w.email",
        scope.organization,
        rows
    );
    free.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// E-mail and phone number have indexes, which SQLite writes anew for every row whose column is set,
/// changed or not: hence a statement for the few that have changed.
async fn update_contacts(scope: Scope<'_>, rows: &str) -> Result<(), StoreError> {
    let update = sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT $1 AS organization_id, value ->> 'id' AS id, value ->> 'email' AS email,
                value ->> 'phone' AS phone
            FROM jsonb_each($2)
         )
         UPDATE consumers SET email = w.email, phone = w.phone FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id
           AND (consumers.email IS NOT w.email OR consumers.phone IS NOT w.phone)",
        scope.organization,
        rows
    );
    update.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Everything but the contacts. Returns how many consumers were there.
async fn update_values(scope: Scope<'_>, rows: &str, now: Timestamp) -> Result<u64, StoreError> {
    let update = sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT $1 AS organization_id, value ->> 'id' AS id, value FROM jsonb_each($2)
         )
         UPDATE consumers SET
            full_name = w.value ->> 'full_name', search_text = w.value ->> 'search_text',
            stamps = w.value ->> 'stamps',
            primary_profile = w.value ->> 'primary_profile',
            primary_updated = w.value ->> 'primary_updated',
            primary_source_id = w.value ->> 'primary_source_id',
            updated_at = iif(w.value ->> 'visible', $3, updated_at),
            updated_by = iif(w.value ->> 'visible', $4, updated_by)
         FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id",
        scope.organization,
        rows,
        DbTimestamp(now),
        SYSTEM_ACTOR
    );
    let done = update.execute(scope.connection).with_timeout().await?;
    Ok(done.rows_affected())
}

/// Inserts consumers that must not be there.
pub(super) async fn insert(
    scope: Scope<'_>,
    consumers: &[Consumer],
    now: Timestamp,
) -> Result<(), StoreError> {
    if consumers.is_empty() {
        return Ok(());
    }
    let columns = consumers
        .iter()
        .map(|consumer| ConsumerColumns::of(consumer, true));
    let insert = sqlx::query!(
        "INSERT INTO consumers (organization_id, id, email, phone, full_name, search_text, stamps,
            primary_profile, primary_updated, primary_source_id, created_at, created_by)
         SELECT $1, value ->> 'id', value ->> 'email', value ->> 'phone', value ->> 'full_name',
            value ->> 'search_text', value ->> 'stamps', value ->> 'primary_profile', value ->> 'primary_updated',
            value ->> 'primary_source_id', $3, $4
         FROM jsonb_each($2)",
        scope.organization,
        json(&columns.collect::<Vec<_>>()),
        DbTimestamp(now),
        SYSTEM_ACTOR
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}
