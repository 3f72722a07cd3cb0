//! After the last page: who is still to become a member, and who no longer is one.
//!
//! Everything goes by batches in the order of a primary key, so that no statement holds the writer
//! for long, however large the list.

use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, StoreError};
use fanfare_domain::time::Timestamp;
use sqlx::SqliteConnection;

use crate::error::store_error;
use crate::rows::{count, id};

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

/// The key to go on after: the batch's last, if another row follows it.
fn next_of<T>(
    edge: Vec<String>,
    parse: impl FnOnce(String) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut edge = edge.into_iter();
    match (edge.next(), edge.next()) {
        (Some(last), Some(_)) => parse(last).map(Some),
        _ => Ok(None),
    }
}

pub(super) async fn link_moves(
    connection: &mut SqliteConnection,
    organization: &str,
) -> Result<LinkMoves, StoreError> {
    let moves = sqlx::query_scalar!(
        "SELECT moves FROM link_moves WHERE organization_id = ?1",
        organization
    )
    .fetch_optional(connection)
    .await
    .map_err(store_error)?;
    count(moves.unwrap_or_default(), "link_moves.moves").map(LinkMoves)
}

pub(super) async fn add_missing_members(
    connection: &mut SqliteConnection,
    organization: &str,
    audience: &AudienceId,
    batch: OfSeenProfiles<'_>,
    now: Timestamp,
) -> Result<Batch<ProfileId>, StoreError> {
    let (run, audience, now) = (batch.run.as_str(), audience.as_str(), now.as_micros());
    let after = batch.after.map_or("", ProfileId::as_str);
    let (size, last) = (batch.size, batch.size.saturating_sub(1));
    let edge = sqlx::query_scalar!(
        "SELECT profile_id FROM run_seen_profiles
         WHERE organization_id = ?1 AND run_id = ?2 AND profile_id > ?3
         ORDER BY profile_id LIMIT 2 OFFSET ?4",
        organization,
        run,
        after,
        last
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(store_error)?;
    let done = sqlx::query!(
        "INSERT INTO audience_list_memberships
            (organization_id, audience_id, consumer_id, run_id, created_at)
         SELECT ?1, ?2, l.consumer_id, ?3, ?6
         FROM (SELECT profile_id FROM run_seen_profiles
               WHERE organization_id = ?1 AND run_id = ?3 AND profile_id > ?4
               ORDER BY profile_id LIMIT ?5) s
         CROSS JOIN profile_links l ON l.organization_id = ?1 AND l.profile_id = s.profile_id
         WHERE true
         ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING",
        organization,
        audience,
        run,
        after,
        size,
        now
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(Batch {
        affected: done.rows_affected(),
        next: next_of(edge, |last| {
            id(last, ProfileId::parse, "run_seen_profiles.profile_id")
        })?,
    })
}

async fn edge_of_members(
    connection: &mut SqliteConnection,
    organization: &str,
    batch: &OfMembers<'_>,
) -> Result<Option<ConsumerId>, StoreError> {
    let audience = batch.audience.as_str();
    let after = batch.after.map_or("", ConsumerId::as_str);
    let last = batch.size.saturating_sub(1);
    let edge = sqlx::query_scalar!(
        "SELECT consumer_id FROM audience_list_memberships
         WHERE organization_id = ?1 AND audience_id = ?2 AND consumer_id > ?3
         ORDER BY consumer_id LIMIT 2 OFFSET ?4",
        organization,
        audience,
        after,
        last
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?;
    next_of(edge, |last| {
        id(
            last,
            ConsumerId::parse,
            "audience_list_memberships.consumer_id",
        )
    })
}

pub(super) async fn count_absent_members(
    connection: &mut SqliteConnection,
    organization: &str,
    run: &RunId,
    batch: OfMembers<'_>,
) -> Result<Batch<ConsumerId>, StoreError> {
    let next = edge_of_members(connection, organization, &batch).await?;
    let (run, audience) = (run.as_str(), batch.audience.as_str());
    let after = batch.after.map_or("", ConsumerId::as_str);
    let absent = sqlx::query_scalar!(
        "SELECT COUNT(*)
         FROM (SELECT consumer_id, run_id FROM audience_list_memberships
               WHERE organization_id = ?1 AND audience_id = ?3 AND consumer_id > ?4
               ORDER BY consumer_id LIMIT ?5) m
         WHERE m.run_id <> ?2 AND NOT EXISTS (
            SELECT 1 FROM profile_links l
            CROSS JOIN run_seen_profiles s
              ON s.organization_id = ?1 AND s.run_id = ?2 AND s.profile_id = l.profile_id
            WHERE l.organization_id = ?1 AND l.consumer_id = m.consumer_id)",
        organization,
        run,
        audience,
        after,
        batch.size
    )
    .fetch_one(connection)
    .await
    .map_err(store_error)?;
    Ok(Batch {
        affected: count(absent, "audience_list_memberships")?,
        next,
    })
}

pub(super) async fn remove_absent_members(
    connection: &mut SqliteConnection,
    organization: &str,
    run: &RunId,
    batch: OfMembers<'_>,
) -> Result<Batch<ConsumerId>, StoreError> {
    let next = edge_of_members(connection, organization, &batch).await?;
    let (run, audience) = (run.as_str(), batch.audience.as_str());
    let after = batch.after.map_or("", ConsumerId::as_str);
    let done = sqlx::query!(
        "DELETE FROM audience_list_memberships
         WHERE organization_id = ?1 AND audience_id = ?3 AND consumer_id IN (
            SELECT m.consumer_id
            FROM (SELECT consumer_id FROM audience_list_memberships
                  WHERE organization_id = ?1 AND audience_id = ?3 AND consumer_id > ?4
                  ORDER BY consumer_id LIMIT ?5) m
            WHERE NOT EXISTS (
                SELECT 1 FROM profile_links l
                CROSS JOIN run_seen_profiles s
                  ON s.organization_id = ?1 AND s.run_id = ?2 AND s.profile_id = l.profile_id
                WHERE l.organization_id = ?1 AND l.consumer_id = m.consumer_id))",
        organization,
        run,
        audience,
        after,
        batch.size
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(Batch {
        affected: done.rows_affected(),
        next,
    })
}

/// Runs with seen_profiles are few, runs without are many: the runs are found by leaping through the
/// seen_profiles from one run to the next.
pub(super) async fn delete_seen_profiles(
    connection: &mut SqliteConnection,
    organization: &str,
    size: u32,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "WITH RECURSIVE seen_runs (run_id) AS (
            SELECT (SELECT run_id FROM run_seen_profiles WHERE organization_id = ?1
                    ORDER BY run_id LIMIT 1)
            UNION ALL
            SELECT (SELECT s.run_id FROM run_seen_profiles s
                    WHERE s.organization_id = ?1 AND s.run_id > seen_runs.run_id
                    ORDER BY s.run_id LIMIT 1)
            FROM seen_runs WHERE seen_runs.run_id IS NOT NULL
         )
         DELETE FROM run_seen_profiles
         WHERE (organization_id, run_id, profile_id) IN (
            SELECT s.organization_id, s.run_id, s.profile_id FROM seen_runs
            CROSS JOIN sync_runs r ON r.organization_id = ?1 AND r.id = seen_runs.run_id
            CROSS JOIN run_seen_profiles s ON s.organization_id = ?1 AND s.run_id = r.id
            WHERE r.status NOT IN ('PENDING', 'SYNCING')
            LIMIT ?2)",
        organization,
        size
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}
