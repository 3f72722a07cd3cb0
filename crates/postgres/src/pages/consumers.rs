//! The consumers of a page's plan.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::page::ConsumerWrite;
use fanfare_domain::ports::StoreError;

use super::columns::ConsumerColumns;
use super::write::At;
use crate::answer::Asked;
use crate::at;
use crate::error::refused;
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
        free_emails((connection, organization), &rows, now).await?;
    }
    let visible: Vec<bool> = writes.iter().map(|write| write.visible).collect();
    update_values((connection, organization), &rows, &visible, now).await
}

/// Locks the consumers, in the order of the rows, which is that of their ids: other services that write consumers in that order
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
            CROSS JOIN LATERAL (
                SELECT email FROM consumers WHERE organization_id = $1 AND id = w.id
                FOR NO KEY UPDATE) c
           ) locked"#,
        organization,
        &rows.id as _,
        &rows.email as _
    )
    .fetch_one(connection)
    .answer()
    .await?;
    Ok((row.there, row.is_moving))
}

/// The consumers are there and locked, so each row comes to a conflict, and nothing is inserted. Why
/// not `UPDATE … FROM`: an upsert finds its rows by their key, whatever the planner believes.
///
/// E-mails are freed before they are taken: one may go from one consumer of the page to another.
async fn free_emails(
    (connection, organization): At<'_>,
    rows: &ConsumerColumns<'_>,
    now: at::At,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO consumers AS c (organization_id, id, email, created_at, created_by)
         SELECT $1, w.id, w.email, $4, $5 FROM unnest($2::text[], $3::text[]) AS w (id, email)
         ON CONFLICT (organization_id, id) DO UPDATE SET email = NULL
         WHERE c.email IS NOT NULL AND c.email IS DISTINCT FROM excluded.email",
        organization,
        &rows.id as _,
        &rows.email as _,
        now,
        SYSTEM_ACTOR
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(())
}

/// An upsert for the same reason as in `free_emails`.
async fn update_values(
    (connection, organization): At<'_>,
    rows: &ConsumerColumns<'_>,
    visible: &[bool],
    now: at::At,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO consumers AS c (organization_id, id, email, phone, phone_updated, phone_profile,
            full_name, full_name_updated, full_name_profile, primary_profile, primary_updated,
            primary_source_id, created_at, created_by, updated_at)
         SELECT $1, w.id, w.email, w.phone, w.phone_updated, w.phone_profile, w.full_name,
            w.full_name_updated, w.full_name_profile, w.primary_profile, w.primary_updated,
            w.primary_source_id, $14::timestamptz, $15::text,
            CASE WHEN w.visible THEN $14::timestamptz END
         FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $10::text[], $11::timestamptz[], $12::text[],
                $13::boolean[])
            AS w (id, email, phone, phone_updated, phone_profile, full_name, full_name_updated,
                full_name_profile, primary_profile, primary_updated, primary_source_id, visible)
         ON CONFLICT (organization_id, id) DO UPDATE SET
            email = excluded.email, phone = excluded.phone, phone_updated = excluded.phone_updated,
            phone_profile = excluded.phone_profile, full_name = excluded.full_name,
            full_name_updated = excluded.full_name_updated,
            full_name_profile = excluded.full_name_profile,
            primary_profile = excluded.primary_profile, primary_updated = excluded.primary_updated,
            primary_source_id = excluded.primary_source_id,
            updated_at = coalesce(excluded.updated_at, c.updated_at),
            updated_by = CASE WHEN excluded.updated_at IS NULL THEN c.updated_by ELSE $15::text END
         WHERE (c.email, c.phone, c.phone_updated, c.phone_profile, c.full_name,
                c.full_name_updated, c.full_name_profile, c.primary_profile, c.primary_updated,
                c.primary_source_id)
            IS DISTINCT FROM (excluded.email, excluded.phone, excluded.phone_updated,
                excluded.phone_profile, excluded.full_name, excluded.full_name_updated,
                excluded.full_name_profile, excluded.primary_profile, excluded.primary_updated,
                excluded.primary_source_id)",
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
    .answer()
.await?;
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
    .answer()
    .await?;
    Ok(())
}
