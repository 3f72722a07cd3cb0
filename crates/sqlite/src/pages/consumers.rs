//! The consumers of a page's plan.

use fanfare_domain::consumer::{Consumer, Stamp, Stamped};
use fanfare_domain::page::ConsumerWrite;
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use serde::Serialize;

use super::write::At;
use crate::error::{refused, store_error};
use crate::rows::{SYSTEM_ACTOR, json, micros};

/// Overwrites consumers that must be there.
pub(super) async fn update(
    (connection, organization): At<'_>,
    writes: &[ConsumerWrite],
    now: i64,
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let rows: Vec<ConsumerJson<'_>> = writes
        .iter()
        .map(|write| ConsumerJson::of(&write.consumer, write.visible))
        .collect();
    let rows = json(&rows);
    // Freed before they are taken: an e-mail may go from one consumer of the page to another.
    free_emails((connection, organization), &rows).await?;
    update_contacts((connection, organization), &rows).await?;
    let updated = update_values((connection, organization), &rows, now).await?;
    if updated == writes.len() as u64 {
        Ok(())
    } else {
        Err(refused("a consumer to overwrite is not there"))
    }
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
async fn update_values(
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

/// Inserts consumers that must not be there.
pub(super) async fn insert(
    (connection, organization): At<'_>,
    consumers: &[Consumer],
    now: i64,
) -> Result<(), StoreError> {
    if consumers.is_empty() {
        return Ok(());
    }
    let rows: Vec<ConsumerJson<'_>> = consumers
        .iter()
        .map(|consumer| ConsumerJson::of(consumer, true))
        .collect();
    let rows = json(&rows);
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
