//! The consumers of a page's plan.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::page::ConsumerWrite;
use fanfare_domain::ports::StoreError;

use super::columns::ConsumerColumns;
use super::write::At;
use crate::at;
use crate::error::{refused, store_error};
use crate::rows::{SYSTEM_ACTOR, signed};

/// Overwrites consumers that must be there.
pub(super) async fn update(
    (connection, organization): At<'_>,
    writes: &[ConsumerWrite],
    now: at::At,
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let mut writes: Vec<&ConsumerWrite> = writes.iter().collect();
    writes.sort_unstable_by(|a, b| a.consumer.id.cmp(&b.consumer.id));
    let rows = ConsumerColumns::of(writes.iter().map(|write| &write.consumer));
    let (there, moving) = lock((connection, organization), &rows).await?;
    if there != signed(writes.len() as u64) {
        return Err(refused("a consumer to overwrite is not there"));
    }
    if moving {
        free_emails((connection, organization), &rows).await?;
    }
    let visible: Vec<bool> = writes.iter().map(|write| write.visible).collect();
    update_values((connection, organization), &rows, &visible, now).await
}

/// Locks the consumers, in the order of their ids: other services that write consumers in that order
/// and know nothing of our lock on the organization cannot come into a deadlock with us. Returns how
/// many there are, and whether one of them gives up an e-mail.
async fn lock(
    (connection, organization): At<'_>,
    rows: &ConsumerColumns<'_>,
) -> Result<(i64, bool), StoreError> {
    let row = sqlx::query!(
        r#"SELECT count(*) AS "there!", coalesce(bool_or(is_moving), false) AS "is_moving!"
           FROM (
            SELECT c.email IS NOT NULL AND c.email IS DISTINCT FROM w.email AS is_moving
            FROM unnest($2::text[], $3::text[]) AS w (id, email)
            JOIN consumers c ON c.organization_id = $1 AND c.id = w.id
            ORDER BY c.id FOR NO KEY UPDATE OF c
           ) locked"#,
        organization,
        &rows.id as _,
        &rows.email as _
    )
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok((row.there, row.is_moving))
}

/// E-mails are freed before they are taken: one may go from one consumer of the page to another.
async fn free_emails(
    (connection, organization): At<'_>,
    rows: &ConsumerColumns<'_>,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE consumers c SET email = NULL
         FROM unnest($2::text[], $3::text[]) AS w (id, email)
         WHERE c.organization_id = $1 AND c.id = w.id
           AND c.email IS NOT NULL AND c.email IS DISTINCT FROM w.email",
        organization,
        &rows.id as _,
        &rows.email as _
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn update_values(
    (connection, organization): At<'_>,
    rows: &ConsumerColumns<'_>,
    visible: &[bool],
    now: at::At,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE consumers c SET
            email = w.email, phone = w.phone, phone_updated = w.phone_updated,
            phone_profile = w.phone_profile, full_name = w.full_name,
            full_name_updated = w.full_name_updated, full_name_profile = w.full_name_profile,
            primary_profile = w.primary_profile, primary_updated = w.primary_updated,
            primary_source_id = w.primary_source_id,
            updated_at = CASE WHEN w.visible THEN $14 ELSE c.updated_at END,
            updated_by = CASE WHEN w.visible THEN $15 ELSE c.updated_by END
         FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[], $12::text[],
                $13::boolean[])
            AS w (id, email, phone, phone_updated, phone_profile, full_name, full_name_updated,
                full_name_profile, primary_profile, primary_updated, primary_source_id, visible)
         WHERE c.organization_id = $1 AND c.id = w.id
           AND (c.email, c.phone, c.phone_updated, c.phone_profile, c.full_name,
                c.full_name_updated, c.full_name_profile, c.primary_profile, c.primary_updated,
                c.primary_source_id)
            IS DISTINCT FROM (w.email, w.phone, w.phone_updated, w.phone_profile, w.full_name,
                w.full_name_updated, w.full_name_profile, w.primary_profile, w.primary_updated,
                w.primary_source_id)",
        organization,
        &rows.id as _,
        &rows.email as _,
        &rows.phone as _,
        &rows.phone_updated as _,
        &rows.phone_profile as _,
        &rows.full_name as _,
        &rows.full_name_updated as _,
        &rows.full_name_profile as _,
        &rows.primary_profile as _,
        &rows.primary_updated as _,
        &rows.primary_source_id as _,
        visible as _,
        now,
        SYSTEM_ACTOR
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Inserts consumers that must not be there.
pub(super) async fn insert(
    (connection, organization): At<'_>,
    consumers: &[Consumer],
    now: at::At,
) -> Result<(), StoreError> {
    if consumers.is_empty() {
        return Ok(());
    }
    let mut consumers: Vec<&Consumer> = consumers.iter().collect();
    consumers.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let rows = ConsumerColumns::of(consumers);
    sqlx::query!(
        "INSERT INTO consumers (organization_id, id, email, phone, phone_updated, phone_profile,
            full_name, full_name_updated, full_name_profile, primary_profile, primary_updated,
            primary_source_id, created_at, created_by)
         SELECT $1, w.*, $13, $14
         FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[], $12::text[]) AS w",
        organization,
        &rows.id as _,
        &rows.email as _,
        &rows.phone as _,
        &rows.phone_updated as _,
        &rows.phone_profile as _,
        &rows.full_name as _,
        &rows.full_name_updated as _,
        &rows.full_name_profile as _,
        &rows.primary_profile as _,
        &rows.primary_updated as _,
        &rows.primary_source_id as _,
        now,
        SYSTEM_ACTOR
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}
