//! After the last page: who is still to become a member, and who no longer is one.
//!
//! Everything goes by batches in the order of a primary key, so that no statement holds the
//! organization for long, however large the list.

use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, StoreError};
use fanfare_domain::time::Timestamp;
use sqlx::PgConnection;

use crate::answer::Asked;
use crate::at::At;
use crate::rows::{count, id, signed};

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
        "SELECT profile_id FROM run_seen_profiles
         WHERE organization_id = $1 AND run_id = $2 AND profile_id > $3
         ORDER BY profile_id LIMIT 2 OFFSET $4",
        organization,
        run,
        after,
        size - 1
    )
    .fetch_all(connection)
    .answer()
    .await
    .map(Edge::of)
}

pub(super) async fn link_moves(
    connection: &mut PgConnection,
    organization: &str,
) -> Result<LinkMoves, StoreError> {
    let moves = sqlx::query_scalar!(
        "SELECT moves FROM link_moves WHERE organization_id = $1",
        organization
    )
    .fetch_optional(connection)
    .answer()
    .await?;
    count(moves.unwrap_or_default(), "link_moves.moves").map(LinkMoves)
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
         FROM run_seen_profiles s
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
        At(now)
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(Batch {
        affected: done.rows_affected(),
        next: edge.next(|last| id(last, ProfileId::parse, "run_seen_profiles.profile_id"))?,
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
    .answer()
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
                    SELECT FROM run_seen_profiles
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
    .answer()
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
                SELECT FROM run_seen_profiles
                WHERE organization_id = $1 AND run_id = $2 AND profile_id = l.profile_id OFFSET 0) s
            WHERE l.organization_id = $1 AND l.consumer_id = m.consumer_id OFFSET 0)",
        organization,
        run.as_str(),
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        edge.last
    )
    .execute(connection)
    .answer()
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
            "DELETE FROM run_seen_profiles
             WHERE organization_id = $1 AND run_id = $2 AND profile_id <= $3",
            organization,
            run,
            edge.last
        )
        .execute(&mut *connection)
        .answer()
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
        r#"WITH RECURSIVE seen_runs (run_id) AS (
            (SELECT run_id FROM run_seen_profiles WHERE organization_id = $1 ORDER BY run_id LIMIT 1)
            UNION ALL
            SELECT (SELECT s.run_id FROM run_seen_profiles s
                    WHERE s.organization_id = $1 AND s.run_id > seen_runs.run_id
                    ORDER BY s.run_id LIMIT 1)
            FROM seen_runs WHERE seen_runs.run_id IS NOT NULL
           )
           SELECT r.id FROM seen_runs
           CROSS JOIN LATERAL (
            SELECT id, status FROM sync_runs
            WHERE organization_id = $1 AND id = seen_runs.run_id OFFSET 0) r
           WHERE r.status NOT IN ('PENDING', 'SYNCING')
           LIMIT 1"#,
        organization
    )
    .fetch_optional(connection)
    .answer()
    .await
}
