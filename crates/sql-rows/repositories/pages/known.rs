//! What is known about a page, in three statements.
//!
//! In SQLite's, `CROSS JOIN` fixes the order: its planner knows nothing of a JSON array's length, and
//! must never scan a table to look its rows up in the array. Postgres has `LATERAL … OFFSET 0` for that.

use fanfare_domain::consumer::{Consumer, ProfileLink};
use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::{Known, SeenProfile};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::{ProfileLinkRow, SeenProfileRow, all, profiles_of};

use super::Scope;
use crate::consumer_reads::read_consumers;
use crate::parameters::texts;
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
        ..Known::default()
    })
}

async fn consumers(
    scope: Scope<'_>,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Vec<Consumer>, StoreError> {
    let emails: Vec<&str> = emails.iter().map(Email::as_str).collect();
    let profiles: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
    let find = read_consumers!(
        of_page,
        scope.organization,
        texts(&emails) as _,
        texts(&profiles) as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
}

async fn links(scope: Scope<'_>, of: &[Consumer]) -> Result<Vec<ProfileLink>, StoreError> {
    let consumers: Vec<&str> = of.iter().map(|consumer| consumer.id.as_str()).collect();
    let find = sqlx::query_file_as!(
        ProfileLinkRow,
        "sql/profile_links/of_consumers.sql",
        scope.organization,
        texts(&consumers) as _
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
        texts(of) as _
    );
    all(find.fetch_all(scope.connection).with_timeout().await?)
}
