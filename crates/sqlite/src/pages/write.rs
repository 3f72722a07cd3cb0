//! Writes a page's plan: a statement for each kind of row that the page has, whatever its size.
//!
//! The plan holds changed rows only, each key once, so no statement has to look whether a row would
//! change. Rows go in by key, which is how the tables are laid out.

use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::{Field, Issue};
use fanfare_domain::page::SeenProfile;
use fanfare_domain::ports::{PageWrite, StoreError};
use fanfare_domain::time::Timestamp;
use serde::Serialize;
use sqlx::SqliteConnection;

use super::consumers;
use crate::error::store_error;
use crate::rows::{json, micros};

/// The connection, and the first parameter of every statement.
pub(super) type At<'a> = (&'a mut SqliteConnection, &'a str);

/// Returns how many consumers became members.
pub(super) async fn write_page(
    connection: &mut SqliteConnection,
    organization: &str,
    page: &PageWrite<'_>,
) -> Result<u64, StoreError> {
    let (plan, now) = (page.plan, page.now.as_micros());
    consumers::update((connection, organization), &plan.updated, now).await?;
    consumers::insert((connection, organization), &plan.created, now).await?;
    if !plan.links.is_empty() {
        let rows = json(&plan.links.iter().map(LinkJson::of).collect::<Vec<_>>());
        put_links((connection, organization), &rows, now).await?;
    }
    if plan.moves_links {
        count_link_move((connection, organization)).await?;
    }
    let run = page.run.as_str();
    if !plan.seen_profiles.is_empty() {
        let mut rows: Vec<&SeenProfile> = plan.seen_profiles.iter().collect();
        rows.sort_unstable();
        let rows = json(
            &rows
                .into_iter()
                .map(SeenProfileJson::of)
                .collect::<Vec<_>>(),
        );
        insert_seen_profiles((connection, organization), run, &rows).await?;
    }
    if !plan.issues.is_empty() {
        let rows = json(&plan.issues.iter().map(IssueJson::of).collect::<Vec<_>>());
        insert_issues((connection, organization), run, &rows).await?;
    }
    if plan.members.is_empty() {
        return Ok(0);
    }
    let audience = page.audience.as_str();
    insert_members(
        (connection, organization),
        audience,
        run,
        &json(&plan.members),
        now,
    )
    .await
}

#[derive(Serialize)]
struct LinkJson<'a> {
    profile: &'a str,
    source: &'a str,
    consumer: &'a str,
    updated: Option<i64>,
    changed_at: i64,
}

impl<'a> LinkJson<'a> {
    fn of(link: &'a ProfileLink) -> Self {
        Self {
            profile: link.profile.as_str(),
            source: link.source.as_str(),
            consumer: link.consumer.as_str(),
            updated: micros(link.updated),
            changed_at: link.changed_at.as_micros(),
        }
    }
}

async fn count_link_move((connection, organization): At<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO link_moves AS l (organization_id, moves) VALUES (?1, 1)
         ON CONFLICT (organization_id) DO UPDATE SET moves = l.moves + 1",
        organization
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn put_links(
    (connection, organization): At<'_>,
    rows: &str,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        // `WHERE true` keeps SQLite's parser from taking ON for a join's.
        "INSERT INTO profile_links (organization_id, profile_id, source_id, consumer_id,
            profile_updated, changed_at, created_at)
         SELECT ?1, value ->> 'profile', value ->> 'source', value ->> 'consumer',
            value ->> 'updated', value ->> 'changed_at', ?3
         FROM jsonb_each(?2) WHERE true
         ON CONFLICT (organization_id, profile_id) DO UPDATE SET
            source_id = excluded.source_id, consumer_id = excluded.consumer_id,
            profile_updated = excluded.profile_updated, changed_at = excluded.changed_at,
            updated_at = ?3",
        organization,
        rows,
        now
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

#[derive(Serialize)]
struct SeenProfileJson<'a>(&'a ProfileId, bool, Option<Timestamp>);

impl<'a> SeenProfileJson<'a> {
    fn of(seen: &'a SeenProfile) -> Self {
        Self(&seen.profile, seen.with_email, seen.joined_at)
    }
}

async fn insert_seen_profiles(
    (connection, organization): At<'_>,
    run: &str,
    rows: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO run_seen_profiles (organization_id, run_id, profile_id, with_email, joined_at)
         SELECT ?1, ?2, value ->> 0, value ->> 1, value ->> 2 FROM jsonb_each(?3) WHERE true
         ON CONFLICT (organization_id, run_id, profile_id) DO NOTHING",
        organization,
        run,
        rows
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

#[derive(Serialize)]
struct IssueJson<'a> {
    profile: &'a ProfileId,
    code: &'static str,
    field: &'static str,
    at: Timestamp,
}

impl<'a> IssueJson<'a> {
    fn of(issue: &'a Issue) -> Self {
        Self {
            profile: &issue.profile,
            code: issue.kind.code.as_str(),
            field: issue.kind.field.map_or("", Field::as_str),
            at: issue.at,
        }
    }
}

async fn insert_issues(
    (connection, organization): At<'_>,
    run: &str,
    rows: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO sync_issues (organization_id, run_id, profile_id, code, field, at)
         SELECT ?1, ?2, value ->> 'profile', value ->> 'code', value ->> 'field', value ->> 'at'
         FROM jsonb_each(?3) WHERE true
         ON CONFLICT (organization_id, run_id, profile_id, code, field) DO NOTHING",
        organization,
        run,
        rows
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

async fn insert_members(
    (connection, organization): At<'_>,
    audience: &str,
    run: &str,
    rows: &str,
    now: i64,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "INSERT INTO audience_list_memberships
            (organization_id, audience_id, consumer_id, run_id, created_at)
         SELECT ?1, ?2, value, ?3, ?5 FROM json_each(?4) WHERE true
         ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING",
        organization,
        audience,
        run,
        rows,
        now
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}
