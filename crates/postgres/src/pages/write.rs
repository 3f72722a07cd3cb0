//! Writes a page's plan: a statement for each kind of row that the page has, whatever its size.
//!
//! The plan holds each key once. Rows go in by key, so that everybody takes locks in one order, and
//! what is there already as it should be is not written again.

use std::collections::{BTreeSet, HashSet};

use fanfare_domain::consumer::ProfileLink;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::issue::{Field, Issue};
use fanfare_domain::page::SeenProfile;
use fanfare_domain::ports::{PageWrite, StoreError};
use sqlx::PgConnection;

use super::consumers;
use crate::answer::Asked;
use crate::at::{self, at};
use crate::error::refused;

/// The connection, and the first parameter of every statement.
pub(super) type At<'a> = (&'a mut PgConnection, &'a str);

/// Returns how many consumers became members.
pub(super) async fn write_page(
    connection: &mut PgConnection,
    organization: &str,
    page: &PageWrite<'_>,
) -> Result<u64, StoreError> {
    let (plan, now) = (page.plan, at::At(page.now));
    must_be_there((connection, organization), page).await?;
    consumers::update((connection, organization), &plan.updated, now).await?;
    consumers::insert((connection, organization), &plan.created, now).await?;
    put_links((connection, organization), &plan.links, now).await?;
    if plan.moves_links {
        count_link_move((connection, organization)).await?;
    }
    let run = page.run.as_str();
    insert_seen_profiles((connection, organization), run, &plan.seen_profiles).await?;
    insert_issues((connection, organization), run, &plan.issues).await?;
    let audience = page.audience.as_str();
    insert_members(
        (connection, organization),
        audience,
        run,
        &plan.members,
        now,
    )
    .await
}

/// One look for the whole page at what each of its rows names: a foreign key would look for each row.
async fn must_be_there(
    (connection, organization): At<'_>,
    page: &PageWrite<'_>,
) -> Result<(), StoreError> {
    let new: HashSet<&ConsumerId> = page.plan.created.iter().map(|new| &new.id).collect();
    let linked = page.plan.links.iter().map(|link| &link.consumer);
    let named: BTreeSet<&str> = linked
        .chain(&page.plan.members)
        .filter(|id| !new.contains(id))
        .map(ConsumerId::as_str)
        .collect();
    let named: Vec<&str> = named.into_iter().collect();
    let are_there = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM sync_runs WHERE organization_id = $1 AND id = $2)
            AND EXISTS (SELECT FROM audiences WHERE organization_id = $1 AND id = $3)
            AND NOT EXISTS (
                SELECT FROM unnest($4::text[]) AS w (id)
                WHERE NOT EXISTS (
                    SELECT FROM consumers WHERE organization_id = $1 AND id = w.id OFFSET 0))
            AS "are_there!""#,
        organization,
        page.run.as_str(),
        page.audience.as_str(),
        named as _
    )
    .fetch_one(connection)
    .answer()
    .await?;
    if are_there {
        Ok(())
    } else {
        Err(refused(
            "the page's run, its audience or one of its consumers is not there",
        ))
    }
}

async fn count_link_move((connection, organization): At<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO link_moves AS l (organization_id, moves) VALUES ($1, 1)
         ON CONFLICT (organization_id) DO UPDATE SET moves = l.moves + 1",
        organization
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(())
}

async fn put_links(
    (connection, organization): At<'_>,
    links: &[ProfileLink],
    now: at::At,
) -> Result<(), StoreError> {
    if links.is_empty() {
        return Ok(());
    }
    let mut links: Vec<&ProfileLink> = links.iter().collect();
    links.sort_unstable_by(|a, b| a.profile.cmp(&b.profile));
    let profiles: Vec<&str> = links.iter().map(|link| link.profile.as_str()).collect();
    let sources: Vec<&str> = links.iter().map(|link| link.source.as_str()).collect();
    let consumers: Vec<&str> = links.iter().map(|link| link.consumer.as_str()).collect();
    let updated: Vec<Option<at::At>> = links.iter().map(|link| at(link.updated)).collect();
    let changed: Vec<at::At> = links.iter().map(|link| at::At(link.changed_at)).collect();
    sqlx::query!(
        "INSERT INTO profile_links AS l (organization_id, profile_id, source_id, consumer_id,
            profile_updated, changed_at, created_at)
         SELECT $1, w.*, $7
         FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[]) AS w
         ON CONFLICT (organization_id, profile_id) DO UPDATE SET
            source_id = excluded.source_id, consumer_id = excluded.consumer_id,
            profile_updated = excluded.profile_updated, changed_at = excluded.changed_at,
            updated_at = $7
         WHERE (l.source_id, l.consumer_id, l.profile_updated, l.changed_at) IS DISTINCT FROM
            (excluded.source_id, excluded.consumer_id, excluded.profile_updated,
             excluded.changed_at)",
        organization,
        profiles as _,
        sources as _,
        consumers as _,
        updated as _,
        changed as _,
        now
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(())
}

async fn insert_seen_profiles(
    (connection, organization): At<'_>,
    run: &str,
    seen_profiles: &[SeenProfile],
) -> Result<(), StoreError> {
    if seen_profiles.is_empty() {
        return Ok(());
    }
    let mut seen_profiles: Vec<&SeenProfile> = seen_profiles.iter().collect();
    seen_profiles.sort_unstable();
    let profiles: Vec<&str> = seen_profiles
        .iter()
        .map(|one| one.profile.as_str())
        .collect();
    let with_email: Vec<bool> = seen_profiles.iter().map(|one| one.with_email).collect();
    let joined_at: Vec<Option<at::At>> = seen_profiles
        .iter()
        .map(|one| at::at(one.joined_at))
        .collect();
    sqlx::query!(
        "INSERT INTO run_seen_profiles (organization_id, run_id, profile_id, with_email, joined_at)
         SELECT $1, $2, w.* FROM unnest($3::text[], $4::boolean[], $5::timestamptz[]) AS w
         ON CONFLICT (organization_id, run_id, profile_id) DO NOTHING",
        organization,
        run,
        profiles as _,
        &with_email,
        joined_at as _
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(())
}

async fn insert_issues(
    (connection, organization): At<'_>,
    run: &str,
    issues: &[Issue],
) -> Result<(), StoreError> {
    if issues.is_empty() {
        return Ok(());
    }
    let mut issues: Vec<&Issue> = issues.iter().collect();
    issues.sort_unstable_by(|a, b| (&a.profile, a.kind).cmp(&(&b.profile, b.kind)));
    let profiles: Vec<&str> = issues.iter().map(|issue| issue.profile.as_str()).collect();
    let codes: Vec<&str> = issues
        .iter()
        .map(|issue| issue.kind.code.as_str())
        .collect();
    let field = |issue: &&Issue| issue.kind.field.map_or("", Field::as_str);
    let fields: Vec<&str> = issues.iter().map(field).collect();
    let at: Vec<at::At> = issues.iter().map(|issue| at::At(issue.at)).collect();
    sqlx::query!(
        "INSERT INTO sync_issues (organization_id, run_id, profile_id, code, field, at)
         SELECT $1, $2, w.* FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[]) AS w
         ON CONFLICT (organization_id, run_id, profile_id, code, field) DO NOTHING",
        organization,
        run,
        profiles as _,
        codes as _,
        fields as _,
        at as _
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(())
}

async fn insert_members(
    (connection, organization): At<'_>,
    audience: &str,
    run: &str,
    members: &[ConsumerId],
    now: at::At,
) -> Result<u64, StoreError> {
    if members.is_empty() {
        return Ok(0);
    }
    let mut members: Vec<&str> = members.iter().map(ConsumerId::as_str).collect();
    members.sort_unstable();
    let done = sqlx::query!(
        "INSERT INTO audience_list_memberships
            (organization_id, audience_id, consumer_id, run_id, created_at)
         SELECT $1, $2, w.id, $3, $5 FROM unnest($4::text[]) AS w (id)
         ON CONFLICT (organization_id, audience_id, consumer_id) DO NOTHING",
        organization,
        audience,
        run,
        members as _,
        now
    )
    .execute(connection)
    .answer()
    .await?;
    Ok(done.rows_affected())
}
