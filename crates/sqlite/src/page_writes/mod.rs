//! Writes a page's plan: a statement for each kind of row that the page has, whatever its size.
//!
//! The plan holds changed rows only, each key once, so no statement has to look whether a row would
//! change. Rows go in by key, which is how the tables are laid out.

mod consumers;

use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::history::Membership;
use fanfare_domain::ids::{ConsumerId, ProfileId, RunId};
use fanfare_domain::issue::{Field, Issue};
use fanfare_domain::page::{PROFILES_OF_A_SEEN_PAGE, SeenProfile};
use fanfare_domain::ports::{PageWrite, StoreError};
use fanfare_domain::time::Timestamp;
use serde::Serialize;

use crate::repositories::pages::{Scope, count_link_move};
use crate::repositories::search;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{DbTimestamp, json, run_text};

/// New memberships begin at `since`. Returns how many consumers became members.
pub(crate) async fn write_page(
    mut scope: Scope<'_>,
    page: &PageWrite<'_>,
    since: DbTimestamp,
) -> Result<u64, StoreError> {
    let (plan, now) = (page.plan, page.now);
    let run = page.run.as_str();
    search::mark_pending(scope.reborrow(), run, plan).await?;
    consumers::update(scope.reborrow(), &plan.updated, now).await?;
    consumers::insert(scope.reborrow(), &plan.created, now).await?;
    insert_links(scope.reborrow(), &plan.new_links, now).await?;
    update_links(scope.reborrow(), &plan.changed_links, now).await?;
    if !plan.link_moves.is_empty() {
        count_link_move(scope.reborrow()).await?;
    }
    insert_seen_pages(
        scope.reborrow(),
        run,
        page.first_seen_page,
        &plan.seen_profiles,
    )
    .await?;
    if !plan.issues.is_empty() {
        let rows = json(&plan.issues.iter().map(IssueJson::of).collect::<Vec<_>>());
        insert_issues(scope.reborrow(), run, &rows).await?;
    }
    if plan.members.is_empty() {
        return Ok(0);
    }
    let audience = page.audience.as_str();
    insert_members(scope.reborrow(), audience, run, &json(&plan.members), since).await
}

#[derive(Serialize)]
struct LinkJson<'a> {
    profile: &'a str,
    source: &'a str,
    consumer: &'a str,
    updated: Option<Timestamp>,
    changed_at: Timestamp,
}

impl<'a> LinkJson<'a> {
    fn of(link: &'a ProfileLink) -> Self {
        Self {
            profile: link.profile.as_str(),
            source: link.source.as_str(),
            consumer: link.consumer.as_str(),
            updated: link.updated,
            changed_at: link.changed_at,
        }
    }
}

/// Inserts links of profiles that must have none.
async fn insert_links(
    scope: Scope<'_>,
    links: &[ProfileLink],
    now: Timestamp,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let rows: Vec<LinkJson<'_>> = links.iter().map(LinkJson::of).collect();
    let insert = sqlx::query!(
        "INSERT INTO profile_links (organization_id, profile_id, source_id, consumer_id,
            profile_updated, changed_at, created_at)
         SELECT $1, value ->> 'profile', value ->> 'source', value ->> 'consumer',
            value ->> 'updated', value ->> 'changed_at', $3
         FROM jsonb_each($2)",
        scope.organization,
        json(&rows),
        DbTimestamp(now)
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Overwrites links.
async fn update_links(
    scope: Scope<'_>,
    links: &[ProfileLink],
    now: Timestamp,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let rows: Vec<LinkJson<'_>> = links.iter().map(LinkJson::of).collect();
    let put = sqlx::query!(
        // `WHERE true` keeps SQLite's parser from taking ON for a join's.
        "INSERT INTO profile_links (organization_id, profile_id, source_id, consumer_id,
            profile_updated, changed_at, created_at)
         SELECT $1, value ->> 'profile', value ->> 'source', value ->> 'consumer',
            value ->> 'updated', value ->> 'changed_at', $3
         FROM jsonb_each($2) WHERE true
         ON CONFLICT (organization_id, profile_id) DO UPDATE SET
            source_id = excluded.source_id, consumer_id = excluded.consumer_id,
            profile_updated = excluded.profile_updated, changed_at = excluded.changed_at,
            updated_at = $3",
        scope.organization,
        json(&rows),
        DbTimestamp(now)
    );
    put.execute(scope.connection).with_timeout().await?;
    Ok(())
}

#[derive(Serialize)]
struct SeenProfileJson<'a>(&'a ProfileId, bool, Option<Timestamp>);

impl<'a> SeenProfileJson<'a> {
    fn of(seen: &'a SeenProfile) -> Self {
        Self(&seen.profile, seen.with_email, seen.joined_at)
    }
}

/// Keeps profiles that the run has seen, in pages from this number on.
pub(crate) async fn insert_seen_pages(
    scope: Scope<'_>,
    run: &str,
    first: u64,
    seen_profiles: &[SeenProfile],
) -> Result<(), StoreError> {
    if seen_profiles.is_empty() {
        return Ok(());
    }
    let rows: Vec<SeenProfileJson<'_>> = seen_profiles.iter().map(SeenProfileJson::of).collect();
    let pages: Vec<_> = (first..)
        .zip(rows.chunks(PROFILES_OF_A_SEEN_PAGE))
        .collect();
    let put = sqlx::query_file!(
        "sql/run_seen_pages/insert.sql",
        scope.organization,
        run,
        json(&pages)
    );
    put.execute(scope.connection).with_timeout().await?;
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

async fn insert_issues(scope: Scope<'_>, run: &str, rows: &str) -> Result<(), StoreError> {
    let put = sqlx::query!(
        "INSERT INTO sync_issues (organization_id, run_id, profile_id, code, field, at)
         SELECT $1, $2, value ->> 'profile', value ->> 'code', value ->> 'field', value ->> 'at'
         FROM jsonb_each($3) WHERE true
         ON CONFLICT (organization_id, run_id, profile_id, code, field) DO NOTHING",
        scope.organization,
        run,
        rows
    );
    put.execute(scope.connection).with_timeout().await?;
    Ok(())
}

async fn insert_members(
    scope: Scope<'_>,
    audience: &str,
    run: &str,
    rows: &str,
    since: DbTimestamp,
) -> Result<u64, StoreError> {
    let put = sqlx::query!(
        "INSERT INTO audience_list_memberships
            (organization_id, audience_id, consumer_id, run_id, created_at)
         SELECT $1, $2, value, $3, $5 FROM json_each($4) WHERE true
         ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING",
        scope.organization,
        audience,
        run,
        rows,
        since
    );
    let done = put.execute(scope.connection).with_timeout().await?;
    Ok(done.rows_affected())
}

#[derive(Serialize)]
struct EndedJson<'a>(&'a ConsumerId, Timestamp, &'a str);

/// Keeps memberships of an audience that this run has ended at this time.
pub(crate) async fn insert_ended_memberships(
    scope: Scope<'_>,
    audience: &str,
    (run, ended_at): (&RunId, DbTimestamp),
    memberships: &[Membership],
) -> Result<(), StoreError> {
    let rows = memberships.iter();
    let rows =
        rows.map(|one| EndedJson(&one.consumer, one.began, run_text(one.joined_by.as_ref())));
    let insert = sqlx::query_file!(
        "sql/ended_memberships/insert.sql",
        scope.organization,
        audience,
        run.as_str(),
        json(&rows.collect::<Vec<_>>()),
        ended_at
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}
