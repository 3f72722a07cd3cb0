//! Writes a page's plan: a statement for each kind of row that the page has, whatever its size.
//!
//! The plan holds each key once. Rows go in by key, so that every writer takes locks in one order, and
//! what is there already as it should be is not written again.
//!
//! Each insert takes `organization_id` from the row of the page's run and not from the parameter. So where the
//! tables are distributed by Citus, it joins two shards of one organization, and its node runs it as it is; a
//! set that came from parameters alone would be copied through the coordinator, past row security.

mod consumers;
mod links;

use std::collections::{BTreeSet, HashSet};

use fanfare_domain::history::Membership;
use fanfare_domain::ids::{ConsumerId, RunId};
use fanfare_domain::issue::{Field, Issue};
use fanfare_domain::page::{PROFILES_OF_A_SEEN_PAGE, SeenProfile};
use fanfare_domain::ports::{PageWrite, StoreError};

use crate::repositories::pages::{Scope, count_link_move};
use crate::repositories::search;
use crate::timeout::WithTimeout;
use fanfare_sql_rows::{DbTimestamp, refused, run_text, signed, to_db};

/// New memberships begin at `since`. Returns how many consumers became members.
pub(crate) async fn write_page(
    mut scope: Scope<'_>,
    page: &PageWrite<'_>,
    since: DbTimestamp,
) -> Result<u64, StoreError> {
    let (plan, now) = (page.plan, DbTimestamp(page.now));
    let (run, audience) = (page.run.as_str(), page.audience.as_str());
    let created: HashSet<&str> = plan.created.iter().map(|new| new.id.as_str()).collect();
    let (mut members, others): (Vec<&str>, Vec<&str>) = (plan.members.iter())
        .map(ConsumerId::as_str)
        .partition(|member| created.contains(member));
    let others = no_members(scope.reborrow(), audience, &others).await?;
    members.extend(others.iter().map(String::as_str));
    let linked = plan.links().map(|link| link.consumer.as_str());
    let named = linked.chain(members.iter().copied());
    let named = named.filter(|id| !created.contains(id)).collect();
    must_be_there(scope.reborrow(), run, audience, named).await?;
    search::mark_pending(scope.reborrow(), run, plan).await?;
    consumers::update(scope.reborrow(), run, &plan.updated, now).await?;
    consumers::insert(scope.reborrow(), run, &plan.created, now).await?;
    links::insert(scope.reborrow(), run, &plan.new_links, now).await?;
    links::update(scope.reborrow(), run, &plan.changed_links, now).await?;
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
    insert_issues(scope.reborrow(), run, &plan.issues).await?;
    insert_members(scope, (audience, run, since), members).await
}

/// One look for the whole page at what each of its rows names: a foreign key would look for each row.
async fn must_be_there(
    scope: Scope<'_>,
    run: &str,
    audience: &str,
    named: BTreeSet<&str>,
) -> Result<(), StoreError> {
    let named: Vec<&str> = named.into_iter().collect();
    let are_there = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM sync_runs WHERE organization_id = $1 AND id = $2)
            AND EXISTS (SELECT FROM audiences WHERE organization_id = $1 AND id = $3)
            AND NOT EXISTS (
                SELECT FROM unnest($4::text[]) AS w (id)
                WHERE NOT EXISTS (
                    SELECT FROM consumers WHERE organization_id = $1 AND id = w.id OFFSET 0))
            AS "are_there!""#,
        scope.organization,
        run,
        audience,
        named as _
    )
    .fetch_one(scope.connection)
    .with_timeout()
    .await?;
    if are_there {
        Ok(())
    } else {
        Err(refused(
            "the page's run, its audience or one of its consumers is not there",
        ))
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
    let numbers = (first..).flat_map(|number| std::iter::repeat_n(number, PROFILES_OF_A_SEEN_PAGE));
    let numbers = numbers.take(seen_profiles.len());
    let numbers: Vec<i64> = numbers.map(signed).collect();
    let of = seen_profiles.iter();
    let profiles: Vec<&str> = of.clone().map(|one| one.profile.as_str()).collect();
    let with_email: Vec<bool> = of.clone().map(|one| one.with_email).collect();
    let joined_at: Vec<Option<DbTimestamp>> = of.map(|one| to_db(one.joined_at)).collect();
    let put = sqlx::query_file!(
        "sql/run_seen_pages/insert.sql",
        scope.organization,
        run,
        &numbers,
        profiles as _,
        &with_email,
        joined_at as _
    );
    put.execute(scope.connection).with_timeout().await?;
    Ok(())
}

async fn insert_issues(scope: Scope<'_>, run: &str, issues: &[Issue]) -> Result<(), StoreError> {
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
    let at: Vec<DbTimestamp> = issues.iter().map(|issue| DbTimestamp(issue.at)).collect();
    let put = sqlx::query!(
        "INSERT INTO sync_issues (organization_id, run_id, profile_id, code, field, at)
         SELECT r.organization_id, r.id, w.profile_id, w.code, w.field, w.at
         FROM sync_runs r
         CROSS JOIN unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[])
            AS w (profile_id, code, field, at)
         WHERE r.organization_id = $1 AND r.id = $2
         ON CONFLICT (organization_id, run_id, profile_id, code, field) DO NOTHING",
        scope.organization,
        run,
        profiles as _,
        codes as _,
        fields as _,
        at as _
    );
    put.execute(scope.connection).with_timeout().await?;
    Ok(())
}

/// Those of the consumers who are no members.
async fn no_members(
    scope: Scope<'_>,
    audience: &str,
    consumers: &[&str],
) -> Result<Vec<String>, StoreError> {
    if consumers.is_empty() {
        return Ok(Vec::new());
    }
    let find = sqlx::query_scalar!(
        r#"SELECT w.id AS "id!" FROM unnest($3::text[]) AS w (id)
           WHERE NOT EXISTS (
            SELECT FROM audience_list_memberships
            WHERE organization_id = $1 AND audience_id = $2 AND consumer_id = w.id OFFSET 0)"#,
        scope.organization,
        audience,
        consumers as _
    );
    find.fetch_all(scope.connection).with_timeout().await
}

/// Makes members of consumers who are none yet.
async fn insert_members(
    scope: Scope<'_>,
    (audience, run, since): (&str, &str, DbTimestamp),
    mut consumers: Vec<&str>,
) -> Result<u64, StoreError> {
    if consumers.is_empty() {
        return Ok(0);
    }
    consumers.sort_unstable();
    let insert = sqlx::query!(
        "INSERT INTO audience_list_memberships
            (organization_id, audience_id, consumer_id, run_id, created_at)
         SELECT r.organization_id, $2::text, w.id, r.id, $5::timestamptz
         FROM sync_runs r CROSS JOIN unnest($4::text[]) AS w (id)
         WHERE r.organization_id = $1 AND r.id = $3",
        scope.organization,
        audience,
        run,
        consumers as _,
        since
    );
    let done = insert.execute(scope.connection).with_timeout().await?;
    Ok(done.rows_affected())
}

/// Keeps memberships of an audience that this run has ended at this time.
pub(crate) async fn insert_ended_memberships(
    scope: Scope<'_>,
    audience: &str,
    (run, ended_at): (&RunId, DbTimestamp),
    memberships: &[Membership],
) -> Result<(), StoreError> {
    let of = memberships.iter();
    let consumers: Vec<&str> = of.clone().map(|one| one.consumer.as_str()).collect();
    let began_at: Vec<DbTimestamp> = of.clone().map(|one| DbTimestamp(one.began)).collect();
    let joined_by: Vec<&str> = of.map(|one| run_text(one.joined_by.as_ref())).collect();
    let insert = sqlx::query_file!(
        "sql/ended_memberships/insert.sql",
        scope.organization,
        audience,
        run.as_str(),
        consumers as _,
        began_at as _,
        joined_by as _,
        ended_at
    );
    insert.execute(scope.connection).with_timeout().await?;
    Ok(())
}
