//! The links of a page's plan. A set of rows goes into a statement as one array for each column.

use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{DbTimestamp, to_db};

use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// Links, in the order of their profiles.
struct Rows<'a>(Vec<&'a ProfileLink>);

impl<'a> Rows<'a> {
    fn of(links: &'a [ProfileLink]) -> Self {
        let mut links: Vec<&ProfileLink> = links.iter().collect();
        links.sort_unstable_by(|a, b| a.profile.cmp(&b.profile));
        Self(links)
    }

    fn each<T>(&self, column: impl Fn(&'a ProfileLink) -> T) -> Vec<T> {
        self.0.iter().map(|link| column(link)).collect()
    }
}

/// Inserts links of profiles that have none.
pub(super) async fn insert(
    scope: Scope<'_>,
    run: &str,
    links: &[ProfileLink],
    now: DbTimestamp,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let rows = Rows::of(links);
    let insert = sqlx::query!(
        "INSERT INTO profile_links (organization_id, profile_id, source_id, consumer_id,
            profile_updated, changed_at, created_at)
         SELECT r.organization_id, w.profile_id, w.source_id, w.consumer_id, w.updated, w.changed_at,
            $7::timestamptz
         FROM sync_runs r
         CROSS JOIN unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
            AS w (profile_id, source_id, consumer_id, updated, changed_at)
         WHERE r.organization_id = $1 AND r.id = $8",
        scope.organization,
        rows.each(|link| link.profile.as_str()) as _,
        rows.each(|link| link.source.as_str()) as _,
        rows.each(|link| link.consumer.as_str()) as _,
        rows.each(|link| to_db(link.updated)) as _,
        rows.each(|link| DbTimestamp(link.changed_at)) as _,
        now,
        run
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Overwrites links, by an upsert for the same reason as that of consumers: it finds its rows by their key.
pub(super) async fn update(
    scope: Scope<'_>,
    run: &str,
    links: &[ProfileLink],
    now: DbTimestamp,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let rows = Rows::of(links);
    let update = sqlx::query!(
        "INSERT INTO profile_links AS l (organization_id, profile_id, source_id, consumer_id,
            profile_updated, changed_at, created_at)
         SELECT r.organization_id, w.profile_id, w.source_id, w.consumer_id, w.updated, w.changed_at,
            $7::timestamptz
         FROM sync_runs r
         CROSS JOIN unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
            AS w (profile_id, source_id, consumer_id, updated, changed_at)
         WHERE r.organization_id = $1 AND r.id = $8
         ON CONFLICT (organization_id, profile_id) DO UPDATE SET
            source_id = excluded.source_id, consumer_id = excluded.consumer_id,
            profile_updated = excluded.profile_updated, changed_at = excluded.changed_at,
            updated_at = excluded.created_at
         WHERE (l.source_id, l.consumer_id, l.profile_updated, l.changed_at) IS DISTINCT FROM
            (excluded.source_id, excluded.consumer_id, excluded.profile_updated,
             excluded.changed_at)",
        scope.organization,
        rows.each(|link| link.profile.as_str()) as _,
        rows.each(|link| link.source.as_str()) as _,
        rows.each(|link| link.consumer.as_str()) as _,
        rows.each(|link| to_db(link.updated)) as _,
        rows.each(|link| DbTimestamp(link.changed_at)) as _,
        now,
        run
    );
    update.execute(scope.connection).with_timeout().await?;
    Ok(())
}
