//! The consumers of a page's plan. A set of rows goes into a statement as one array for each column.

use fanfare_domain::consumer::Consumer;
use fanfare_domain::page::ConsumerWrite;
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{ConsumerColumns, DbTimestamp, SYSTEM_ACTOR, refused, signed, to_db};

use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// Consumers in the order of their ids, in which every statement locks them.
struct Rows<'a>(Vec<ConsumerColumns<'a>>);

impl<'a> Rows<'a> {
    fn of(mut rows: Vec<ConsumerColumns<'a>>) -> Self {
        rows.sort_unstable_by_key(|row| row.id);
        Self(rows)
    }

    /// One column.
    fn each<T>(&self, column: impl Fn(&ConsumerColumns<'a>) -> T) -> Vec<T> {
        self.0.iter().map(column).collect()
    }
}

/// Overwrites consumers that must be there.
pub(super) async fn update(
    mut scope: Scope<'_>,
    run: &str,
    writes: &[ConsumerWrite],
    now: DbTimestamp,
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let columns = writes
        .iter()
        .map(|write| ConsumerColumns::of(&write.consumer, write.visible));
    let rows = Rows::of(columns.collect());
    let (there, moving) = lock(scope.reborrow(), &rows).await?;
    if there != signed(writes.len() as u64) {
        return Err(refused("a consumer to overwrite is not there"));
    }
    if moving {
        free_emails(scope.reborrow(), run, &rows, now).await?;
    }
    update_values(scope, run, &rows, now).await
}

/// Locks the consumers in the order of their ids: other services that write consumers in that order and
/// do not know our lock on the organization cannot come into a deadlock with us. Returns how many there
/// are, and whether one of them gives up an e-mail.
async fn lock(scope: Scope<'_>, rows: &Rows<'_>) -> Result<(i64, bool), StoreError> {
    let lock = sqlx::query!(
        r#"SELECT count(*) AS "there!", coalesce(bool_or(is_moving), false) AS "is_moving!"
           FROM (
            SELECT c.email IS NOT NULL AND c.email IS DISTINCT FROM w.email AS is_moving
            FROM unnest($2::text[], $3::text[]) AS w (id, email)
            CROSS JOIN LATERAL (
                SELECT email FROM consumers WHERE organization_id = $1 AND id = w.id
                FOR NO KEY UPDATE) c
           ) locked"#,
        scope.organization,
        rows.each(|row| row.id) as _,
        rows.each(|row| row.email) as _
    );
    let row = lock.fetch_one(scope.connection).with_timeout().await?;
    Ok((row.there, row.is_moving))
}

/// The consumers are there and locked, so each row comes to a conflict, and nothing is inserted. Why
/// not `UPDATE … FROM`: an upsert finds its rows by their key, whatever the planner believes.
///
/// E-mails are freed before they are taken: one may go from one consumer of the page to another.
async fn free_emails(
    scope: Scope<'_>,
    run: &str,
    rows: &Rows<'_>,
    now: DbTimestamp,
) -> Result<(), StoreError> {
    let free = sqlx::query!(
        "INSERT INTO consumers AS c (organization_id, id, email, created_at, created_by)
         SELECT r.organization_id, w.id, w.email, $4::timestamptz, $5::text
         FROM sync_runs r CROSS JOIN unnest($2::text[], $3::text[]) AS w (id, email)
         WHERE r.organization_id = $1 AND r.id = $6
         ON CONFLICT (organization_id, id) DO UPDATE SET email = NULL
         WHERE c.email IS NOT NULL AND c.email IS DISTINCT FROM excluded.email",
        scope.organization,
        rows.each(|row| row.id) as _,
        rows.each(|row| row.email) as _,
        now,
        SYSTEM_ACTOR,
        run
    );
    free.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// An upsert for the same reason as in `free_emails`.
async fn update_values(
    scope: Scope<'_>,
    run: &str,
    rows: &Rows<'_>,
    now: DbTimestamp,
) -> Result<(), StoreError> {
    let update = sqlx::query!(
        "INSERT INTO consumers AS c (organization_id, id, email, phone, full_name, stamps,
            primary_profile, primary_updated, primary_source_id, created_at, created_by, updated_at,
            search_text)
         SELECT r.organization_id, w.id, w.email, w.phone, w.full_name, w.stamps::jsonb,
            w.primary_profile, w.primary_updated, w.primary_source_id, $11::timestamptz, $12::text,
            CASE WHEN w.visible THEN $11::timestamptz END, w.search_text
         FROM sync_runs r
         CROSS JOIN unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $10::boolean[], $14::text[])
            AS w (id, email, phone, full_name, stamps, primary_profile, primary_updated,
                primary_source_id, visible, search_text)
         WHERE r.organization_id = $1 AND r.id = $13
         ON CONFLICT (organization_id, id) DO UPDATE SET
            email = excluded.email, phone = excluded.phone, full_name = excluded.full_name,
            search_text = excluded.search_text, stamps = excluded.stamps, primary_profile = excluded.primary_profile,
            primary_updated = excluded.primary_updated,
            primary_source_id = excluded.primary_source_id,
            updated_at = coalesce(excluded.updated_at, c.updated_at),
            updated_by = CASE WHEN excluded.updated_at IS NULL THEN c.updated_by
                ELSE excluded.created_by END
         WHERE (c.email, c.phone, c.full_name, c.stamps, c.primary_profile, c.primary_updated,
                c.primary_source_id)
            IS DISTINCT FROM (excluded.email, excluded.phone, excluded.full_name, excluded.stamps,
                excluded.primary_profile, excluded.primary_updated, excluded.primary_source_id)",
        scope.organization,
        rows.each(|row| row.id) as _,
        rows.each(|row| row.email) as _,
        rows.each(|row| row.phone) as _,
        rows.each(|row| row.full_name) as _,
        rows.each(|row| row.stamps.clone()) as _,
        rows.each(|row| row.primary_profile) as _,
        rows.each(|row| to_db(row.primary_updated)) as _,
        rows.each(|row| row.primary_source_id) as _,
        rows.each(|row| row.visible) as _,
        now,
        SYSTEM_ACTOR,
        run,
        rows.each(|row| row.search_text.clone()) as _
    );
    update.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Inserts consumers that must not be there.
pub(super) async fn insert(
    scope: Scope<'_>,
    run: &str,
    consumers: &[Consumer],
    now: DbTimestamp,
) -> Result<(), StoreError> {
    if consumers.is_empty() {
        return Ok(());
    }
    let columns = consumers
        .iter()
        .map(|consumer| ConsumerColumns::of(consumer, true));
    let rows = Rows::of(columns.collect());
    let insert = sqlx::query!(
        "INSERT INTO consumers (organization_id, id, email, phone, full_name, stamps, primary_profile,
            primary_updated, primary_source_id, created_at, created_by, search_text)
         SELECT r.organization_id, w.id, w.email, w.phone, w.full_name, w.stamps::jsonb,
            w.primary_profile, w.primary_updated, w.primary_source_id, $10::timestamptz, $11::text,
            w.search_text
         FROM sync_runs r
         CROSS JOIN unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::timestamptz[], $9::text[], $13::text[])
            AS w (id, email, phone, full_name, stamps, primary_profile, primary_updated,
                primary_source_id, search_text)
         WHERE r.organization_id = $1 AND r.id = $12",
        scope.organization,
        rows.each(|row| row.id) as _,
        rows.each(|row| row.email) as _,
        rows.each(|row| row.phone) as _,
        rows.each(|row| row.full_name) as _,
        rows.each(|row| row.stamps.clone()) as _,
        rows.each(|row| row.primary_profile) as _,
        rows.each(|row| to_db(row.primary_updated)) as _,
        rows.each(|row| row.primary_source_id) as _,
        now,
        SYSTEM_ACTOR,
        run,
        rows.each(|row| row.search_text.clone()) as _
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}
