//! What the store knows of a page's profiles. Each kind of row comes as one JSON document: sqlx copies value after value
//! and hands row after row to another thread, which costs several times what finding them does.
//!
//! `CROSS JOIN` fixes the order in which SQLite joins: its planner knows nothing of a JSON array's length, and must never scan
//! a table to look its rows up in the array.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::page::{SeenPage, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{
    KnownConsumerRow, MemberProfiles, ProfileLinkRow, SeenProfileRow, all, count, from_json,
};

use crate::parameters::texts;
use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// The consumers that have one of these e-mails or are linked to one of these profiles.
pub(crate) async fn consumers(
    scope: Scope<'_>,
    emails: &[&str],
    profiles: &[&str],
) -> Result<Vec<Consumer>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "sql/consumers/of_page.sql",
        scope.organization,
        texts(emails),
        texts(profiles)
    );
    let rows = find.fetch_one(scope.connection).with_timeout().await?;
    all(from_json::<Vec<KnownConsumerRow>>(&rows, "consumers")?)
}

/// The links of these consumers.
pub(crate) async fn links(
    scope: Scope<'_>,
    consumers: &[&str],
) -> Result<Vec<ProfileLink>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "sql/profile_links/of_page.sql",
        scope.organization,
        texts(consumers)
    );
    let rows = find.fetch_one(scope.connection).with_timeout().await?;
    all(from_json::<Vec<ProfileLinkRow>>(&rows, "profile_links")?)
}

/// Those of these profiles that the run has seen and that stand in these pages.
pub(crate) async fn seen_profiles(
    scope: Scope<'_>,
    run: &RunId,
    pages: &[i64],
    profiles: &[&str],
) -> Result<Vec<SeenProfile>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "sql/run_seen_pages/of_profiles.sql",
        scope.organization,
        run.as_str(),
        texts(pages),
        texts(profiles)
    );
    let rows = find.fetch_one(scope.connection).with_timeout().await?;
    all(from_json::<Vec<SeenProfileRow>>(&rows, "run_seen_pages")?)
}

/// The next pages of what the run has seen.
pub(crate) async fn seen_pages(
    scope: Scope<'_>,
    run: &RunId,
    after: i64,
    most: i64,
) -> Result<Vec<SeenPage>, StoreError> {
    let find = sqlx::query_file!(
        "sql/run_seen_pages/next.sql",
        scope.organization,
        run.as_str(),
        after,
        most
    );
    let rows = find.fetch_all(scope.connection).with_timeout().await?;
    let page = |number, profiles: String| {
        let rows = from_json::<Vec<SeenProfileRow>>(&profiles, "run_seen_pages")?;
        Ok(SeenPage {
            number: count(number, "run_seen_pages.number")?,
            profiles: all(rows)?,
        })
    };
    rows.into_iter()
        .map(|row| page(row.number, row.profiles))
        .collect()
}

/// The members of an audience between two consumers, the first one excluded, with whether the run has added them, and their
/// profiles.
pub(crate) async fn members_with_profiles(
    scope: Scope<'_>,
    run: &RunId,
    audience: &AudienceId,
    (after, last): (&str, &str),
) -> Result<Vec<MemberProfiles>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "sql/audience_list_memberships/with_profiles.sql",
        scope.organization,
        audience.as_str(),
        after,
        last,
        run.as_str()
    );
    let rows = find.fetch_one(scope.connection).with_timeout().await?;
    from_json(&rows, "audience_list_memberships")
}
