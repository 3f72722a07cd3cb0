//! What is known about a page, in three statements.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::{Known, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::{ProfileLinkRow, SeenProfileRow, all, profiles_of, select_consumers};

use super::Scope;
use crate::timeout::WithTimeout;

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
        r#"NULL::timestamptz AS primary_changed_at"#,
        "FROM (
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
        scope.organization,
        emails as _,
        profiles as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
}

async fn links(scope: Scope<'_>, of: &[Consumer]) -> Result<Vec<ProfileLink>, StoreError> {
    let consumers: Vec<&str> = of.iter().map(|consumer| consumer.id.as_str()).collect();
    let find = sqlx::query_file_as!(
        ProfileLinkRow,
        "sql/profile_links/of_consumers.sql",
        scope.organization,
        consumers as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
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
        of as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
}
