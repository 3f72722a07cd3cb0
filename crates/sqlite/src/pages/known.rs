//! What is known about a page, in three statements.
//!
//! `CROSS JOIN` fixes the order: SQLite's planner knows nothing of a JSON array's length, and must
//! never scan a table to look its rows up in the array.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::{Known, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::{ProfileLinkRow, SeenProfileRow, all, json, profiles_of, select_consumers};

use super::Scope;
use crate::error::store_error;

pub(super) async fn known(
    mut scope: Scope<'_>,
    run: &RunId,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Known, StoreError> {
    let consumers = consumers(scope.reborrow(), emails, profiles).await?;
    let links = if consumers.is_empty() {
        Vec::new()
    } else {
        links(scope.reborrow(), &consumers).await?
    };
    let seen_profiles = seen_profiles(scope, run, &profiles_of(profiles, &links)).await?;
    Ok(Known {
        consumers,
        links,
        seen_profiles,
    })
}

async fn consumers(
    scope: Scope<'_>,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Vec<Consumer>, StoreError> {
    let emails: Vec<&str> = emails.iter().map(Email::as_str).collect();
    let profiles: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
    let find = select_consumers!(
        r#"NULL AS "primary_changed_at?: fanfare_sql_rows::DbTimestamp""#,
        "FROM (
            SELECT o.id FROM json_each($2) e
            CROSS JOIN consumers o ON o.organization_id = $1 AND o.email = e.value
            UNION
            SELECT l.consumer_id FROM json_each($3) p
            CROSS JOIN profile_links l ON l.organization_id = $1 AND l.profile_id = p.value
         ) k
         CROSS JOIN consumers c ON c.organization_id = $1 AND c.id = k.id",
        scope.organization,
        json(&emails),
        json(&profiles)
    );
    all(find
        .fetch_all(scope.connection)
        .await
        .map_err(store_error)?)
}

async fn links(scope: Scope<'_>, of: &[Consumer]) -> Result<Vec<ProfileLink>, StoreError> {
    let consumers: Vec<&str> = of.iter().map(|consumer| consumer.id.as_str()).collect();
    let find = sqlx::query_file_as!(
        ProfileLinkRow,
        "sql/profile_links/of_consumers.sql",
        scope.organization,
        json(&consumers)
    );
    all(find
        .fetch_all(scope.connection)
        .await
        .map_err(store_error)?)
}

async fn seen_profiles(
    scope: Scope<'_>,
    run: &RunId,
    of: &[&str],
) -> Result<Vec<SeenProfile>, StoreError> {
    let find = sqlx::query_file_as!(
        SeenProfileRow,
        "sql/run_seen_profiles/of_profiles.sql",
        scope.organization,
        run.as_str(),
        json(of)
    );
    all(find
        .fetch_all(scope.connection)
        .await
        .map_err(store_error)?)
}
