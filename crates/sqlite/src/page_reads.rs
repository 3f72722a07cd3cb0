//! What the store knows of a page's profiles. Each kind of row comes as one JSON document: sqlx copies value after value
//! and hands row after row to another thread, which costs several times what finding them does.
//!
//! `CROSS JOIN` fixes the order in which SQLite joins: its planner knows nothing of a JSON array's length, and must never scan
//! a table to look its rows up in the array.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::RunId;
use fanfare_domain::page::SeenProfile;
use fanfare_domain::ports::StoreError;
use fanfare_sql_rows::{KnownConsumerRow, ProfileLinkRow, SeenProfileRow, all, from_json};

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

/// Those of these profiles that the run has seen.
pub(crate) async fn seen_profiles(
    scope: Scope<'_>,
    run: &RunId,
    profiles: &[&str],
) -> Result<Vec<SeenProfile>, StoreError> {
    let find = sqlx::query_file_scalar!(
        "sql/run_seen_profiles/of_profiles.sql",
        scope.organization,
        run.as_str(),
        texts(profiles)
    );
    let rows = find.fetch_one(scope.connection).with_timeout().await?;
    all(from_json::<Vec<SeenProfileRow>>(
        &rows,
        "run_seen_profiles",
    )?)
}
