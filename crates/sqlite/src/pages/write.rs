//! Writes a page's plan: a statement for each kind of row that the page has, whatever its size.
//!
//! The plan holds changed rows only, each key once, so no statement has to look whether a row would
//! change. Rows go in by key, which is how the tables are laid out.

use fanfare_domain::consumer::{Consumer, ProfileLink, Stamp, Stamped};
use fanfare_domain::ids::ProfileId;
use fanfare_domain::issue::{Field, Issue};
use fanfare_domain::page::Sighting;
use fanfare_domain::ports::{PageWrite, StoreError};
use fanfare_domain::time::Timestamp;
use fanfare_domain::value::Email;
use serde::Serialize;
use sqlx::SqliteConnection;

use crate::error::{refused, store_error};
use crate::rows::{SYSTEM_ACTOR, json, micros};

/// The connection, and the first parameter of every statement.
type At<'a> = (&'a mut SqliteConnection, &'a str);

/// Returns how many consumers became members.
pub(super) async fn write_page(
    connection: &mut SqliteConnection,
    organization: &str,
    page: &PageWrite<'_>,
) -> Result<u64, StoreError> {
    let (plan, now) = (page.plan, page.now.as_micros());
    if !plan.updated.is_empty() {
        let rows = plan
            .updated
            .iter()
            .map(|write| ConsumerJson::of(&write.consumer, write.visible));
        let rows = json(&rows.collect::<Vec<_>>());
        // Freed before they are taken: an e-mail may go from one consumer of the page to another.
        free_emails((connection, organization), &rows).await?;
        update_contacts((connection, organization), &rows).await?;
        let updated = update_consumers((connection, organization), &rows, now).await?;
        if updated != plan.updated.len() as u64 {
            return Err(refused("a consumer to overwrite is not there"));
        }
    }
    if !plan.created.is_empty() {
        let rows = plan.created.iter().map(|new| ConsumerJson::of(new, true));
        let rows = json(&rows.collect::<Vec<_>>());
        insert_consumers((connection, organization), &rows, now).await?;
    }
    if !plan.links.is_empty() {
        let rows = json(&plan.links.iter().map(LinkJson::of).collect::<Vec<_>>());
        put_links((connection, organization), &rows, now).await?;
    }
    let run = page.run.as_str();
    if !plan.sightings.is_empty() {
        let mut rows: Vec<&Sighting> = plan.sightings.iter().collect();
        rows.sort_unstable();
        let rows = json(&rows.into_iter().map(SightingJson::of).collect::<Vec<_>>());
        insert_sightings((connection, organization), run, &rows).await?;
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
struct ConsumerJson<'a> {
    id: &'a str,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    phone_updated: Option<i64>,
    phone_profile: Option<&'a str>,
    full_name: Option<&'a str>,
    full_name_updated: Option<i64>,
    full_name_profile: Option<&'a str>,
    primary_profile: Option<&'a str>,
    primary_updated: Option<i64>,
    primary_source_id: Option<&'a str>,
    visible: bool,
}

impl<'a> ConsumerJson<'a> {
    fn of(consumer: &'a Consumer, visible: bool) -> Self {
        fn updated(by: Option<&Stamp>) -> Option<i64> {
            by.and_then(|stamp| micros(stamp.updated))
        }
        fn profile(by: Option<&Stamp>) -> Option<&str> {
            by.map(|stamp| stamp.profile.as_str())
        }
        fn by<T>(stamped: Option<&Stamped<T>>) -> Option<&Stamp> {
            stamped.and_then(|stamped| stamped.by.as_ref())
        }
        let (phone, full_name) = (consumer.phone.as_ref(), consumer.full_name.as_ref());
        let primary = consumer.primary.as_ref();
        let primary_stamp = primary.map(|primary| &primary.stamp);
        Self {
            id: consumer.id.as_str(),
            email: consumer.email.as_ref().map(Email::as_str),
            phone: phone.map(|phone| phone.value.as_str()),
            phone_updated: updated(by(phone)),
            phone_profile: profile(by(phone)),
            full_name: full_name.map(|full_name| full_name.value.as_str()),
            full_name_updated: updated(by(full_name)),
            full_name_profile: profile(by(full_name)),
            primary_profile: profile(primary_stamp),
            primary_updated: updated(primary_stamp),
            primary_source_id: primary.map(|primary| primary.source.as_str()),
            visible,
        }
    }
}

async fn free_emails((connection, organization): At<'_>, rows: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT ?1 AS organization_id, value ->> 'id' AS id, value ->> 'email' AS email
            FROM jsonb_each(?2)
         )
         UPDATE consumers SET email = NULL FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id
           AND consumers.email IS NOT NULL AND consumers.email IS NOT w.email",
        organization,
        rows
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// E-mail and phone number have indexes, which SQLite writes anew for every row whose column is set,
/// changed or not: hence a statement for the few that have changed.
async fn update_contacts((connection, organization): At<'_>, rows: &str) -> Result<(), StoreError> {
    sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT ?1 AS organization_id, value ->> 'id' AS id, value ->> 'email' AS email,
                value ->> 'phone' AS phone
            FROM jsonb_each(?2)
         )
         UPDATE consumers SET email = w.email, phone = w.phone FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id
           AND (consumers.email IS NOT w.email OR consumers.phone IS NOT w.phone)",
        organization,
        rows
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
}

/// Everything but the contacts. Returns how many consumers were there.
async fn update_consumers(
    (connection, organization): At<'_>,
    rows: &str,
    now: i64,
) -> Result<u64, StoreError> {
    let done = sqlx::query!(
        "WITH w AS MATERIALIZED (
            SELECT ?1 AS organization_id, value ->> 'id' AS id, value FROM jsonb_each(?2)
         )
         UPDATE consumers SET
            phone_updated = w.value ->> 'phone_updated', phone_profile = w.value ->> 'phone_profile',
            full_name = w.value ->> 'full_name', full_name_updated = w.value ->> 'full_name_updated',
            full_name_profile = w.value ->> 'full_name_profile',
            primary_profile = w.value ->> 'primary_profile',
            primary_updated = w.value ->> 'primary_updated',
            primary_source_id = w.value ->> 'primary_source_id',
            updated_at = iif(w.value ->> 'visible', ?3, updated_at),
            updated_by = iif(w.value ->> 'visible', ?4, updated_by)
         FROM w
         WHERE consumers.organization_id = w.organization_id AND consumers.id = w.id",
        organization,
        rows,
        now,
        SYSTEM_ACTOR
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(done.rows_affected())
}

async fn insert_consumers(
    (connection, organization): At<'_>,
    rows: &str,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO consumers (organization_id, id, email, phone, phone_updated, phone_profile,
            full_name, full_name_updated, full_name_profile, primary_profile, primary_updated,
            primary_source_id, created_at, created_by)
         SELECT ?1, value ->> 'id', value ->> 'email', value ->> 'phone',
            value ->> 'phone_updated', value ->> 'phone_profile', value ->> 'full_name',
            value ->> 'full_name_updated', value ->> 'full_name_profile',
            value ->> 'primary_profile', value ->> 'primary_updated',
            value ->> 'primary_source_id', ?3, ?4
         FROM jsonb_each(?2)",
        organization,
        rows,
        now,
        SYSTEM_ACTOR
    )
    .execute(connection)
    .await
    .map_err(store_error)?;
    Ok(())
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
struct SightingJson<'a>(&'a ProfileId, bool);

impl<'a> SightingJson<'a> {
    fn of(sighting: &'a Sighting) -> Self {
        Self(&sighting.profile, sighting.with_email)
    }
}

async fn insert_sightings(
    (connection, organization): At<'_>,
    run: &str,
    rows: &str,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO run_sightings (organization_id, run_id, profile_id, with_email)
         SELECT ?1, ?2, value ->> 0, value ->> 1 FROM jsonb_each(?3) WHERE true
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
            code: issue.fault.code.as_str(),
            field: issue.fault.field.map_or("", Field::as_str),
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
