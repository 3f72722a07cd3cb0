//! After the last page: who is still to become a member, and who no longer is one.
//!
//! Everything goes by batches in the order of a primary key, so that no statement holds the
//! organization for long, however large the list.

use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::ports::{Batch, StoreError};
use fanfare_domain::time::Timestamp;
use sqlx::PgConnection;

use crate::timeout::WithTimeout;
use fanfare_sql_rows::DbTimestamp;
use fanfare_sql_rows::{count, id, signed};

/// The next profiles that a run has seen.
pub(super) struct OfSeenProfiles<'a> {
    pub(super) run: &'a RunId,
    pub(super) after: Option<&'a ProfileId>,
    pub(super) size: u32,
}

/// The next members of an audience.
pub(super) struct OfMembers<'a> {
    pub(super) audience: &'a AudienceId,
    pub(super) after: Option<&'a ConsumerId>,
    pub(super) size: u32,
}

/// Where a batch ends. What is done within it goes by this range of keys, so that its cost is the
/// batch's, whatever plan is made for it.
struct Edge {
    last: String,
    is_followed: bool,
}

impl Edge {
    /// Of up to two keys from the batch's last place on.
    fn of(keys: Vec<String>) -> Self {
        /// Above every id, which is ASCII.
        const END: &str = "\u{10FFFF}";
        let mut keys = keys.into_iter();
        let last = keys.next().unwrap_or_else(|| END.to_owned());
        let is_followed = keys.next().is_some();
        Self { last, is_followed }
    }

    /// The key to go on after.
    fn next<T>(
        self,
        parse: impl FnOnce(String) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.is_followed.then(|| parse(self.last)).transpose()
    }
}

async fn edge_of_seen_profiles(
    connection: &mut PgConnection,
    organization: &str,
    run: &str,
    after: &str,
    size: i64,
) -> Result<Edge, StoreError> {
    sqlx::query_scalar!(
        "SELECT profile_id FROM run_sightings
         WHERE organization_id = $1 AND run_id = $2 AND profile_id > $3
         ORDER BY profile_id LIMIT 2 OFFSET $4",
        organization,
        run,
        after,
        size - 1
    )
    .fetch_all(connection)
    .with_timeout()
    .await
    .map(Edge::of)
}

pub(super) async fn links_have_moved(
    connection: &mut PgConnection,
    organization: &str,
    run: &RunId,
) -> Result<bool, StoreError> {
    let moved = sqlx::query_scalar!(
        "SELECT links_moved FROM sync_runs WHERE organization_id = $1 AND id = $2",
        organization,
        run.as_str()
    )
    .fetch_optional(connection)
    .with_timeout()
    .await?;
    Ok(moved.unwrap_or_default())
}

pub(super) async fn forget_moved_links(
    connection: &mut PgConnection,
    organization: &str,
    run: &RunId,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE sync_runs SET links_moved = false
         WHERE organization_id = $1 AND id = $2 AND links_moved",
        organization,
        run.as_str()
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(())
}

pub(super) async fn add_missing_members(
    connection: &mut PgConnection,
    organization: &str,
    audience: &AudienceId,
    batch: OfSeenProfiles<'_>,
    now: Timestamp,
) -> Result<Batch<ProfileId>, StoreError> {
    let (run, after) = (
        batch.run.as_str(),
        batch.after.map_or("", ProfileId::as_str),
    );
    let size = i64::from(batch.size);
    let edge = edge_of_seen_profiles(&mut *connection, organization, run, after, size).await?;
    let done = sqlx::query!(
        "INSERT INTO audience_list_memberships
            (organization_id, audience_id, consumer_id, run_id, created_at)
         SELECT DISTINCT $1, $2, l.consumer_id, $3, $6::timestamptz
         FROM run_sightings s
         CROSS JOIN LATERAL (
            SELECT consumer_id FROM profile_links
            WHERE organization_id = $1 AND profile_id = s.profile_id OFFSET 0) l
         WHERE s.organization_id = $1 AND s.run_id = $3 AND s.profile_id > $4 AND s.profile_id <= $5
           AND NOT EXISTS (
            SELECT FROM audience_list_memberships
            WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = l.consumer_id OFFSET 0)
         ORDER BY l.consumer_id
         ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING",
        organization,
        audience.as_str(),
        run,
        after,
        edge.last,
        DbTimestamp(now)
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(Batch {
        affected: done.rows_affected(),
        next: edge.next(|last| id(last, ProfileId::parse, "run_sightings.profile_id"))?,
    })
}

async fn edge_of_members(
    connection: &mut PgConnection,
    organization: &str,
    batch: &OfMembers<'_>,
) -> Result<Edge, StoreError> {
    sqlx::query_scalar!(
        "SELECT consumer_id FROM audience_list_memberships
         WHERE organization_id = $1 AND audience_id = $2 AND consumer_id > $3
         ORDER BY consumer_id LIMIT 2 OFFSET $4",
        organization,
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        i64::from(batch.size) - 1
    )
    .fetch_all(connection)
    .with_timeout()
    .await
    .map(Edge::of)
}

fn consumer(last: String) -> Result<ConsumerId, StoreError> {
    id(
        last,
        ConsumerId::parse,
        "audience_list_memberships.consumer_id",
    )
}

pub(super) async fn count_absent_members(
    connection: &mut PgConnection,
    organization: &str,
    run: &RunId,
    batch: OfMembers<'_>,
) -> Result<Batch<ConsumerId>, StoreError> {
    let edge = edge_of_members(connection, organization, &batch).await?;
    let absent = sqlx::query_scalar!(
        r#"SELECT count(*) AS "absent!" FROM audience_list_memberships m
           WHERE m.organization_id = $1 AND m.audience_id = $3
             AND m.consumer_id > $4 AND m.consumer_id <= $5
             AND m.run_id <> $2
             AND NOT EXISTS (
                SELECT FROM profile_links l
                CROSS JOIN LATERAL (
                    SELECT FROM run_sightings
                    WHERE organization_id = $1 AND run_id = $2 AND profile_id = l.profile_id OFFSET 0
                ) s
                WHERE l.organization_id = $1 AND l.consumer_id = m.consumer_id OFFSET 0)"#,
        organization,
        run.as_str(),
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        edge.last
    )
    .fetch_one(connection)
    .with_timeout()
.await?;
    Ok(Batch {
        affected: count(absent, "audience_list_memberships")?,
        next: edge.next(consumer)?,
    })
}

pub(super) async fn remove_absent_members(
    connection: &mut PgConnection,
    organization: &str,
    run: &RunId,
    batch: OfMembers<'_>,
) -> Result<Batch<ConsumerId>, StoreError> {
    let edge = edge_of_members(connection, organization, &batch).await?;
    let done = sqlx::query!(
        "DELETE FROM audience_list_memberships m
         WHERE m.organization_id = $1 AND m.audience_id = $3
           AND m.consumer_id > $4 AND m.consumer_id <= $5
           AND NOT EXISTS (
            SELECT FROM profile_links l
            CROSS JOIN LATERAL (
                SELECT FROM run_sightings
                WHERE organization_id = $1 AND run_id = $2 AND profile_id = l.profile_id OFFSET 0) s
            WHERE l.organization_id = $1 AND l.consumer_id = m.consumer_id OFFSET 0)",
        organization,
        run.as_str(),
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        edge.last
    )
    .execute(connection)
    .with_timeout()
    .await?;
    Ok(Batch {
        affected: done.rows_affected(),
        next: edge.next(consumer)?,
    })
}

/// An ended run after the next, until enough is forgotten.
pub(super) async fn delete_seen_profiles(
    connection: &mut PgConnection,
    organization: &str,
    size: u32,
) -> Result<u64, StoreError> {
    let mut left = u64::from(size);
    while left > 0 {
        let Some(run) = ended_run(connection, organization).await? else {
            break;
        };
        let edge = edge_of_seen_profiles(connection, organization, &run, "", signed(left)).await?;
        let done = sqlx::query!(
            "DELETE FROM run_sightings
             WHERE organization_id = $1 AND run_id = $2 AND profile_id <= $3",
            organization,
            run,
            edge.last
        )
        .execute(&mut *connection)
        .with_timeout()
        .await?;
        left = left.saturating_sub(done.rows_affected());
    }
    Ok(u64::from(size) - left)
}

/// An ended run that has seen_profiles. Such are few, and runs without are many: they are found by leaping
/// through the seen_profiles from one run to the next.
async fn ended_run(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<Option<String>, StoreError> {
    sqlx::query_scalar!(
        r#"WITH RECURSIVE sighted (run_id) AS (
            (SELECT run_id FROM run_sightings WHERE organization_id = $1 ORDER BY run_id LIMIT 1)
            UNION ALL
            SELECT (SELECT s.run_id FROM run_sightings s
                    WHERE s.organization_id = $1 AND s.run_id > sighted.run_id
                    ORDER BY s.run_id LIMIT 1)
            FROM sighted WHERE sighted.run_id IS NOT NULL
           )
           SELECT r.id FROM sighted
           CROSS JOIN LATERAL (
            SELECT id, status FROM sync_runs
            WHERE organization_id = $1 AND id = sighted.run_id OFFSET 0) r
           WHERE r.status NOT IN ('PENDING', 'SYNCING')
           LIMIT 1"#,
        organization
    )
    .fetch_optional(connection)
    .with_timeout()
    .await
}
