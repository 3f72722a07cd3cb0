//! After the last page: who is still to become a member, and who no longer is one.
//!
//! Everything goes by batches in the order of a primary key, so that no statement holds the organization
//! for long, however large the list.

use fanfare_domain::ids::{AudienceId, ConsumerId, ProfileId, RunId};
use fanfare_domain::pass::LinkMoves;
use fanfare_domain::ports::{Batch, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_sql_rows::{DbTimestamp, Edge, count, id, signed};

use super::Scope;
use crate::timeout::WithTimeout;

/// The next profiles that a run has seen.
pub(super) struct OfSeenProfiles<'a> {
    pub(super) run: &'a RunId,
    pub(super) after: Option<&'a ProfileId>,
    /// How many profiles.
    pub(super) size: u32,
}

/// The next members of an audience.
pub(super) struct OfMembers<'a> {
    pub(super) audience: &'a AudienceId,
    pub(super) after: Option<&'a ConsumerId>,
    /// How many members.
    pub(super) size: u32,
}

pub(super) async fn link_moves(scope: Scope<'_>) -> Result<LinkMoves, StoreError> {
    let get = sqlx::query_file_scalar!("../sql-rows/sql/link_moves/get.sql", scope.organization);
    let moves = get.fetch_optional(scope.connection).with_timeout().await?;
    count(moves.unwrap_or_default(), "link_moves.moves").map(LinkMoves)
}

async fn edge_of_seen_profiles(
    scope: Scope<'_>,
    run: &str,
    after: &str,
    size: i64,
) -> Result<Edge, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/run_seen_profiles/edge.sql",
        scope.organization,
        run,
        after,
        size - 1
    );
    Ok(Edge::of(
        find.fetch_all(scope.connection).with_timeout().await?,
    ))
}

async fn edge_of_members(scope: Scope<'_>, batch: &OfMembers<'_>) -> Result<Edge, StoreError> {
    let find = sqlx::query_file_scalar!(
        "../sql-rows/sql/audience_list_memberships/edge.sql",
        scope.organization,
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        i64::from(batch.size) - 1
    );
    Ok(Edge::of(
        find.fetch_all(scope.connection).with_timeout().await?,
    ))
}

fn member(last: String) -> Result<ConsumerId, StoreError> {
    let column = "audience_list_memberships.consumer_id";
    id(last, ConsumerId::parse, column)
}

pub(super) async fn add_missing_members(
    mut scope: Scope<'_>,
    audience: &AudienceId,
    batch: OfSeenProfiles<'_>,
    now: Timestamp,
) -> Result<Batch<ProfileId>, StoreError> {
    let (run, after) = (
        batch.run.as_str(),
        batch.after.map_or("", ProfileId::as_str),
    );
    let size = i64::from(batch.size);
    let edge = edge_of_seen_profiles(scope.reborrow(), run, after, size).await?;
    let add = sqlx::query_file!(
        "sql/audience_list_memberships/add_missing.sql",
        scope.organization,
        audience.as_str(),
        run,
        after,
        edge.last,
        DbTimestamp(now)
    );
    let done = add.execute(scope.connection).with_timeout().await?;
    Ok(Batch {
        affected: done.rows_affected(),
        next: edge.next(|last| id(last, ProfileId::parse, "run_seen_profiles.profile_id"))?,
    })
}

pub(super) async fn count_absent_members(
    mut scope: Scope<'_>,
    run: &RunId,
    batch: OfMembers<'_>,
) -> Result<Batch<ConsumerId>, StoreError> {
    let edge = edge_of_members(scope.reborrow(), &batch).await?;
    let find = sqlx::query_file_scalar!(
        "sql/audience_list_memberships/count_absent.sql",
        scope.organization,
        run.as_str(),
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        edge.last
    );
    let absent = find.fetch_one(scope.connection).with_timeout().await?;
    Ok(Batch {
        affected: count(absent, "audience_list_memberships")?,
        next: edge.next(member)?,
    })
}

pub(super) async fn remove_absent_members(
    mut scope: Scope<'_>,
    run: &RunId,
    batch: OfMembers<'_>,
) -> Result<Batch<ConsumerId>, StoreError> {
    let edge = edge_of_members(scope.reborrow(), &batch).await?;
    let remove = sqlx::query_file!(
        "sql/audience_list_memberships/remove_absent.sql",
        scope.organization,
        run.as_str(),
        batch.audience.as_str(),
        batch.after.map_or("", ConsumerId::as_str),
        edge.last
    );
    let done = remove.execute(scope.connection).with_timeout().await?;
    Ok(Batch {
        affected: done.rows_affected(),
        next: edge.next(member)?,
    })
}

/// An ended run after the next, until enough is forgotten. Runs that have seen profiles are few, and runs
/// without are many: `of_ended_run.sql` finds them by leaping through the seen profiles from one run to the
/// next.
pub(super) async fn delete_seen_profiles(
    mut scope: Scope<'_>,
    size: u32,
) -> Result<u64, StoreError> {
    let mut left = u64::from(size);
    while left > 0 {
        let find =
            sqlx::query_file_scalar!("sql/run_seen_profiles/of_ended_run.sql", scope.organization);
        let Some(run) = find
            .fetch_optional(&mut *scope.connection)
            .with_timeout()
            .await?
        else {
            break;
        };
        let edge = edge_of_seen_profiles(scope.reborrow(), &run, "", signed(left)).await?;
        let delete = sqlx::query_file!(
            "../sql-rows/sql/run_seen_profiles/delete.sql",
            scope.organization,
            run,
            edge.last
        );
        let done = delete
            .execute(&mut *scope.connection)
            .with_timeout()
            .await?;
        left = left.saturating_sub(done.rows_affected());
    }
    Ok(u64::from(size) - left)
}
