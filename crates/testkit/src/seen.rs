//! Whom a run has seen, as a worker finds it out that takes the run up.

use fanfare_domain::ids::{ProfileId, RunId};
use fanfare_domain::page::{Known, SeenIndex, SeenPage, SeenSet};
use fanfare_domain::ports::{StoreError, UnitOfWork};
use fanfare_domain::value::Email;

/// Few, so that there are several reads of a run that has seen some hundreds.
const PAGES_AT_ONCE: u32 = 2;

async fn pages(unit: &mut dyn UnitOfWork, run: &RunId) -> Result<Vec<SeenPage>, StoreError> {
    let mut pages: Vec<SeenPage> = Vec::new();
    loop {
        let after = pages.last().map_or(0, |page| page.number);
        let next = unit.seen_pages(run, after, PAGES_AT_ONCE).await?;
        if next.is_empty() {
            return Ok(pages);
        }
        pages.extend(next);
    }
}

/// The index of what the run has seen.
pub async fn seen_index(unit: &mut dyn UnitOfWork, run: &RunId) -> Result<SeenIndex, StoreError> {
    let mut index = SeenIndex::of_run(None);
    for page in pages(unit, run).await? {
        index.add_stored(&page);
    }
    Ok(index)
}

/// What the store knows of a page, by that index.
pub async fn known(
    unit: &mut dyn UnitOfWork,
    run: &RunId,
    emails: &[Email],
    profiles: &[ProfileId],
) -> Result<Known, StoreError> {
    let seen = seen_index(unit, run).await?;
    unit.known(run, &seen, emails, profiles).await
}

/// All whom the run has seen.
pub async fn seen_set(unit: &mut dyn UnitOfWork, run: &RunId) -> Result<SeenSet, StoreError> {
    let mut set = SeenSet::default();
    set.add(&pages(unit, run).await?);
    Ok(set.sorted())
}
