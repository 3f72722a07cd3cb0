//! What the store knows of a page's profiles. `LATERAL … OFFSET 0` fixes the order in which Postgres joins: its planner
//! knows nothing of an array's length, and must never scan a table to look its rows up in the array.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::page::{SeenPage, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{DbTimestamp, MemberProfiles, ProfileLinkRow, SeenProfileRow, all, count};

use crate::consumer_reads::read_consumers;
use crate::repositories::pages::Scope;
use crate::timeout::WithTimeout;

/// The consumers that have one of these e-mails or are linked to one of these profiles.
pub(crate) async fn consumers(
    scope: Scope<'_>,
    emails: &[&str],
    profiles: &[&str],
) -> Result<Vec<Consumer>, StoreError> {
    let find = read_consumers!(of_page, scope.organization, emails as _, profiles as _);
    all(find.fetch_all(scope.connection).with_timeout().await?)
}

/// The links of these consumers.
pub(crate) async fn links(
    scope: Scope<'_>,
    consumers: &[&str],
) -> Result<Vec<ProfileLink>, StoreError> {
    let find = sqlx::query_file_as!(
        ProfileLinkRow,
        "sql/profile_links/of_consumers.sql",
        scope.organization,
        consumers as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
}

/// Those of these profiles that the run has seen and that stand in these pages.
pub(crate) async fn seen_profiles(
    scope: Scope<'_>,
    run: &RunId,
    pages: &[i64],
    profiles: &[&str],
) -> Result<Vec<SeenProfile>, StoreError> {
    let find = sqlx::query_file_as!(
        SeenProfileRow,
        "sql/run_seen_pages/of_profiles.sql",
        scope.organization,
        run.as_str(),
        pages,
        profiles as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
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
    let page =
        |(number, profiles, with_email, joined_at): (i64, Vec<String>, Vec<bool>, Vec<_>)| {
            let columns = profiles.into_iter().zip(with_email).zip(joined_at);
            let rows = columns.map(|((profile_id, with_email), joined_at)| SeenProfileRow {
                profile_id,
                with_email,
                joined_at,
            });
            Ok(SeenPage {
                number: count(number, "run_seen_pages.number")?,
                profiles: all(rows.collect())?,
            })
        };
    rows.into_iter()
        .map(|row| page((row.number, row.profiles, row.with_email, row.joined_at)))
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
    let find = sqlx::query_file_as!(
        MemberProfiles,
        "sql/audience_list_memberships/with_profiles.sql",
        scope.organization,
        audience.as_str(),
        after,
        last,
        run.as_str()
    );
    find.fetch_all(scope.connection).with_timeout().await
}
