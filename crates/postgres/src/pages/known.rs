//! What is known about a page, in three statements.

use std::collections::BTreeSet;

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ConsumerId, ProfileId, RunId, SourceId};
use fanfare_domain::page::{Known, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use sqlx::PgConnection;

use crate::answer::Asked;
use crate::at::time;
use crate::consumers::ConsumerRow;
use crate::rows::id;

pub(super) async fn known(
    connection: &mut PgConnection,
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
    let asked: Vec<&str> = asked.into_iter().collect();
    let seen_profiles = seen_profiles(connection, organization, run, &asked).await?;
    Ok(Known {
        consumers,
        links,
        seen_profiles,
    })
}

async fn consumers(
    connection: &mut PgConnection,
    organization: &str,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Vec<Consumer>, StoreError> {
    let emails: Vec<&str> = emails.iter().map(Email::as_str).collect();
    let profiles: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
    sqlx::query_as!(
        ConsumerRow,
        "SELECT c.id, c.email, c.phone, c.phone_updated, c.phone_profile, c.full_name,
            c.full_name_updated, c.full_name_profile, c.primary_profile, c.primary_updated,
            c.primary_source_id
         FROM (
            SELECT o.id FROM unnest($2::text[]) AS e (email)
            CROSS JOIN LATERAL (
                SELECT id FROM consumers WHERE organization_id = $1 AND email = e.email OFFSET 0) o
            UNION
            SELECT l.consumer_id FROM unnest($3::text[]) AS p (id)
            CROSS JOIN LATERAL (
                SELECT consumer_id FROM profile_links
                WHERE organization_id = $1 AND profile_id = p.id OFFSET 0) l
         ) k
         CROSS JOIN LATERAL (
            SELECT * FROM consumers WHERE organization_id = $1 AND id = k.id OFFSET 0) c",
        organization,
        emails as _,
        profiles as _
    )
    .fetch_all(connection)
    .answer()
    .await?
    .into_iter()
    .map(Consumer::try_from)
    .collect()
}

async fn links(
    connection: &mut PgConnection,
    organization: &str,
    of: &[Consumer],
) -> Result<Vec<ProfileLink>, StoreError> {
    let consumers: Vec<&str> = of.iter().map(|consumer| consumer.id.as_str()).collect();
    sqlx::query!(
        "SELECT l.source_id, l.profile_id, l.consumer_id, l.profile_updated, l.changed_at
         FROM unnest($2::text[]) AS c (id)
         CROSS JOIN LATERAL (
            SELECT * FROM profile_links
            WHERE organization_id = $1 AND consumer_id = c.id OFFSET 0) l",
        organization,
        consumers as _
    )
    .fetch_all(connection)
    .answer()
    .await?
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
            updated: time(row.profile_updated),
            changed_at: row.changed_at.0,
        })
    })
    .collect()
}

async fn seen_profiles(
    connection: &mut PgConnection,
    organization: &str,
    run: &RunId,
    of: &[&str],
) -> Result<Vec<SeenProfile>, StoreError> {
    sqlx::query!(
        "SELECT s.profile_id, s.with_email, s.joined_at FROM unnest($3::text[]) AS p (id)
         CROSS JOIN LATERAL (
            SELECT * FROM run_seen_profiles
            WHERE organization_id = $1 AND run_id = $2 AND profile_id = p.id OFFSET 0) s",
        organization,
        run.as_str(),
        of as _
    )
    .fetch_all(connection)
    .answer()
    .await?
    .into_iter()
    .map(|row| {
        Ok(SeenProfile {
            profile: id(
                row.profile_id,
                ProfileId::parse,
                "run_seen_profiles.profile_id",
            )?,
            with_email: row.with_email,
            joined_at: time(row.joined_at),
        })
    })
    .collect()
}
