//! What is known about a page, in up to four statements (`crate::page_reads`).

use std::collections::HashSet;

use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::{Known, SeenFilter};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::profiles_of;

use super::Scope;
use crate::page_reads;

pub(super) async fn known(
    mut scope: Scope<'_>,
    run: &RunId,
    seen: &SeenFilter,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Known, StoreError> {
    let ids: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
    let mut consumers = page_reads::consumers(scope.reborrow(), &[], &ids).await?;
    // A consumer has its e-mail alone: who is found by a profile need not be found again.
    let found: HashSet<&Email> = consumers
        .iter()
        .filter_map(|one| one.email.as_ref())
        .collect();
    let others = emails.iter().filter(|email| !found.contains(email));
    let others: Vec<&str> = others.map(Email::as_str).collect();
    if !others.is_empty() {
        consumers.extend(page_reads::consumers(scope.reborrow(), &others, &[]).await?);
    }
    let links = if consumers.is_empty() {
        Vec::new()
    } else {
        let of: Vec<&str> = consumers.iter().map(|one| one.id.as_str()).collect();
        page_reads::links(scope.reborrow(), &of).await?
    };
    let mut of = profiles_of(profiles, &links);
    of.retain(|profile| seen.may_hold(profile));
    let seen_profiles = if of.is_empty() {
        Vec::new()
    } else {
        page_reads::seen_profiles(scope, run, &of).await?
    };
    Ok(Known {
        consumers,
        links,
        seen_profiles,
        ..Known::default()
    })
}
