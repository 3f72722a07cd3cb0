//! What the store knows of a page's profiles. `LATERAL … OFFSET 0` fixes the order in which Postgres joins: its planner
//! knows nothing of an array's length, and must never scan a table to look its rows up in the array.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::RunId;
use fanfare_domain::page::SeenProfile;
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{ProfileLinkRow, SeenProfileRow, all};

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

/// Those of these profiles that the run has seen.
pub(crate) async fn seen_profiles(
    scope: Scope<'_>,
    run: &RunId,
    profiles: &[&str],
) -> Result<Vec<SeenProfile>, StoreError> {
    let find = sqlx::query_file_as!(
        SeenProfileRow,
        "sql/run_seen_profiles/of_profiles.sql",
        scope.organization,
        run.as_str(),
        profiles as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
}
