//! What is known about a page, in three statements (`crate::page_reads`).

use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::Known;
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::profiles_of;

use super::Scope;
use crate::page_reads;

pub(super) async fn known(
    mut scope: Scope<'_>,
    run: &RunId,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Known, StoreError> {
    let emails: Vec<&str> = emails.iter().map(Email::as_str).collect();
    let ids: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
    let consumers = page_reads::consumers(scope.reborrow(), &emails, &ids).await?;
    let links = if consumers.is_empty() {
        Vec::new()
    } else {
        let of: Vec<&str> = consumers.iter().map(|one| one.id.as_str()).collect();
        page_reads::links(scope.reborrow(), &of).await?
    };
    let of = profiles_of(profiles, &links);
    let seen_profiles = page_reads::seen_profiles(scope, run, &of).await?;
    Ok(Known {
        consumers,
        links,
        seen_profiles,
        ..Known::default()
    })
}
