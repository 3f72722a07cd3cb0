//! What a run has seen, in pages, and the members of whom it has seen nothing.

use fanfare_domain::ids::{AudienceId, ConsumerId, RunId};
use fanfare_domain::page::{SeenProfile, SeenSet};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{MemberProfiles, SeenProfileRow, all, count};

use super::Scope;
use super::batches::{edge_of_members, member};
use crate::page_reads;
use crate::page_writes::insert_seen_pages;
use crate::timeout::WithTimeout;

/// Moves what the version before has written of a run to pages.
pub(in crate::repositories) async fn gather(
    mut scope: Scope<'_>,
    run: &RunId,
    size: u32,
) -> Result<u64, StoreError> {
    let find = sqlx::query_file_as!(
        SeenProfileRow,
        "../sql-rows/sql/run_seen_profiles/first.sql",
        scope.organization,
        run.as_str(),
        i64::from(size)
    );
    let rows = find
        .fetch_all(&mut *scope.connection)
        .with_timeout()
        .await?;
    let seen: Vec<SeenProfile> = all(rows)?;
    let Some(last) = seen.last() else {
        return Ok(0);
    };
    let last_page = sqlx::query_file_scalar!(
        "../sql-rows/sql/run_seen_pages/last.sql",
        scope.organization,
        run.as_str()
    );
    let last_page = last_page.fetch_optional(&mut *scope.connection);
    let last_page = last_page.with_timeout().await?.unwrap_or(0);
    let first = count(last_page, "run_seen_pages.number")? + 1;
    insert_seen_pages(scope.reborrow(), run.as_str(), first, &seen).await?;
    let delete = sqlx::query_file!(
        "../sql-rows/sql/run_seen_profiles/delete.sql",
        scope.organization,
        run.as_str(),
        last.profile.as_str()
    );
    delete.execute(scope.connection).with_timeout().await?;
    Ok(seen.len() as u64)
}

/// Those of the next members to whom no profile is linked that the run has seen, and where the next batch begins.
pub(super) async fn absent(
    mut scope: Scope<'_>,
    run: &RunId,
    audience: &AudienceId,
    seen: &SeenSet,
    (after, size): (Option<&ConsumerId>, u32),
) -> Result<(Vec<MemberProfiles>, Option<ConsumerId>), StoreError> {
    let after = after.map_or("", ConsumerId::as_str);
    let edge = edge_of_members(scope.reborrow(), audience, after, size).await?;
    let range = (after, edge.last.as_str());
    let mut members = page_reads::members_with_profiles(scope, run, audience, range).await?;
    members.retain(|member| !member.profiles.iter().any(|profile| seen.holds(profile)));
    Ok((members, edge.next(member)?))
}

/// The first ended run that still has seen profiles.
pub(super) async fn ended_run(scope: Scope<'_>) -> Result<Option<String>, StoreError> {
    let find = sqlx::query_file_scalar!("sql/run_seen_pages/of_ended_run.sql", scope.organization);
    find.fetch_optional(scope.connection).with_timeout().await
}
