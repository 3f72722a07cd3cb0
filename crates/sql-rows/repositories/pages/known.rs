//! What is known about a page, in up to four statements (`crate::page_reads`).

use std::collections::{BTreeSet, HashSet};

use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::{Known, SeenIndex};
use fanfare_domain::ports::StoreError;
use fanfare_domain::value::Email;
use fanfare_sql_rows::{profiles_of, signed};

use super::Scope;
use crate::page_reads;

pub(super) async fn known(
    mut scope: Scope<'_>,
    run: &RunId,
    seen: &SeenIndex,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Known, StoreError> {
    let ids: Vec<&str> = profiles.iter().map(ProfileId::as_str).collect();
    let mut consumers = Vec::new();
    if !ids.is_empty() {
        consumers = page_reads::consumers(scope.reborrow(), &[], &ids).await?;
    }
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
    let mut pages = BTreeSet::new();
    let mut of = profiles_of(profiles, &links);
    of.retain(|profile| {
        let may_be_in = seen.pages_of(profile);
        pages.extend(may_be_in.iter().copied().map(signed));
        !may_be_in.is_empty()
    });
    let seen_profiles = if of.is_empty() {
        Vec::new()
    } else {
        let pages: Vec<i64> = pages.into_iter().collect();
        page_reads::seen_profiles(scope, run, &pages, &of).await?
    };
    Ok(Known {
        consumers,
        links,
        seen_profiles,
        ..Known::default()
    })
}
