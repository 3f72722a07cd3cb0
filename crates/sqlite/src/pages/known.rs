//! What is known about a page, in three statements.
//!
//! `CROSS JOIN` fixes the order: SQLite's planner knows nothing of a JSON array's length, and must
//! never walk a table to look its rows up in the array.

use std::collections::BTreeSet;

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ConsumerId, ProfileId, RunId, SourceId};
use fanfare_domain::page::{Known, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use sqlx::SqliteConnection;

use crate::consumers::ConsumerRow;
use crate::error::store_error;
use crate::rows::{id, json, time, time_opt};

pub(super) async fn known(
    connection: &mut SqliteConnection,
    organization: &str,
    run: &RunId,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Known, StoreError> {
    let consumers = consumers(connection, organization, emails, profiles).await?;
    let links = if consumers.is_empty() {
        Vec::new()
    } else {
        links(connection, organization, &consumers).await?
    };
    let linked = links.iter().map(|link| link.profile.as_str());
    let asked: BTreeSet<&str> = profiles
        .iter()
        .map(ProfileId::as_str)
        .chain(linked)
        .collect();
    let seen_profiles = seen_profiles(connection, organization, run, &asked).await?;
    Ok(Known {
        consumers,
        links,
        seen_profiles,
    })
}

async fn consumers(
    connection: &mut SqliteConnection,
    organization: &str,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Vec<Consumer>, StoreError> {
    let emails: Vec<&str> = emails.iter().map(Email::as_str).collect();
    let (emails, profiles) = (json(&emails), json(profiles));
    sqlx::query_as!(
        ConsumerRow,
        "SELECT c.id, c.email, c.phone, c.phone_updated, c.phone_profile, c.full_name,
            c.full_name_updated, c.full_name_profile, c.primary_profile, c.primary_updated,
            c.primary_source_id
         FROM (
            SELECT o.id FROM json_each(?2) e
            CROSS JOIN consumers o ON o.organization_id = ?1 AND o.email = e.value
            UNION
            SELECT l.consumer_id FROM json_each(?3) p
            CROSS JOIN profile_links l ON l.organization_id = ?1 AND l.profile_id = p.value
         ) k
         CROSS JOIN consumers c ON c.organization_id = ?1 AND c.id = k.id",
        organization,
        emails,
        profiles
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?
    .into_iter()
    .map(Consumer::try_from)
    .collect()
}

async fn links(
    connection: &mut SqliteConnection,
    organization: &str,
    of: &[Consumer],
) -> Result<Vec<ProfileLink>, StoreError> {
    let consumers: Vec<&str> = of.iter().map(|consumer| consumer.id.as_str()).collect();
    let consumers = json(&consumers);
    sqlx::query!(
        "SELECT l.source_id, l.profile_id, l.consumer_id, l.profile_updated, l.changed_at
         FROM json_each(?2) c
         CROSS JOIN profile_links l INDEXED BY profile_links_by_consumer
           ON l.organization_id = ?1 AND l.consumer_id = c.value",
        organization,
        consumers
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?
    .into_iter()
    .map(|row| {
        Ok(ProfileLink {
            source: id(row.source_id, SourceId::parse, "profile_links.source_id")?,
            profile: id(row.profile_id, ProfileId::parse, "profile_links.profile_id")?,
            consumer: id(
                row.consumer_id,
                ConsumerId::parse,
                "profile_links.consumer_id",
            )?,
            updated: time_opt(row.profile_updated, "profile_links.profile_updated")?,
            changed_at: time(row.changed_at, "profile_links.changed_at")?,
        })
    })
    .collect()
}

async fn seen_profiles(
    connection: &mut SqliteConnection,
    organization: &str,
    run: &RunId,
    of: &BTreeSet<&str>,
) -> Result<Vec<SeenProfile>, StoreError> {
    let (run, profiles) = (run.as_str(), json(of));
    sqlx::query!(
        "SELECT s.profile_id, s.with_email, s.joined_at FROM json_each(?3) p
         CROSS JOIN run_seen_profiles s
           ON s.organization_id = ?1 AND s.run_id = ?2 AND s.profile_id = p.value",
        organization,
        run,
        profiles
    )
    .fetch_all(connection)
    .await
    .map_err(store_error)?
    .into_iter()
    .map(|row| {
        Ok(SeenProfile {
            profile: id(
                row.profile_id,
                ProfileId::parse,
                "run_seen_profiles.profile_id",
            )?,
            with_email: row.with_email != 0,
            joined_at: time_opt(row.joined_at, "run_seen_profiles.joined_at")?,
        })
    })
    .collect()
}
