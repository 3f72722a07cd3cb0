//! Whom the run has seen: stored in pages, found by an index in memory.

use std::sync::Arc;

use fanfare_domain::page::{LookUps, PROFILES_OF_A_SEEN_PAGE, SeenIndex, SeenSet};
use fanfare_domain::pass::Pass;

use super::slice::{ActiveSlice, Step};
use crate::error::Error;

/// Pages that are read at once: some hundred kilobytes.
const PAGES_AT_ONCE: u32 = 100;

impl ActiveSlice<'_> {
    /// Moves what the version before has seen with this run to where this one looks for it.
    pub(super) async fn gather_seen_profiles(&self) -> Result<Step, Error> {
        let run = self.run.run();
        if run.progress.tally.processed == 0 || matches!(run.pass, Pass::Incremental(_)) {
            return Ok(Step::Continue);
        }
        loop {
            let Some(mut unit) = self.lease.begin().await? else {
                return Ok(Step::Lost);
            };
            let moved = unit.gather_seen_profiles(&run.id, self.pace.batch).await?;
            unit.commit().await?;
            if moved == 0 {
                return Ok(Step::Continue);
            }
        }
    }

    /// Makes the index of what the run has seen so far: nothing, or what another slice has stored.
    pub(super) async fn index_seen(&mut self) -> Result<(), Error> {
        let run = self.run.run();
        if matches!(run.pass, Pass::Incremental(_)) {
            // It writes none down: it removes nobody.
            return Ok(());
        }
        let mut seen = SeenIndex::of_run(run.progress.total);
        if run.progress.tally.processed > 0 {
            let mut unit = self.integration.read(self.lease.organization()).await?;
            loop {
                let after = seen.last_page();
                let pages = unit.seen_pages(&run.id, after, PAGES_AT_ONCE).await?;
                if pages.is_empty() {
                    break;
                }
                for page in &pages {
                    seen.add_stored(page);
                }
            }
        }
        self.seen = seen;
        self.look_ups = LookUps::of_run(run.progress.total);
        // However long that took, the slice has its time for pages.
        self.restart_time();
        Ok(())
    }

    /// All whom the run has seen. They are read once: nobody is added any more.
    pub(super) async fn seen_set(&mut self) -> Result<Arc<SeenSet>, Error> {
        if let Some(set) = &self.seen_set {
            return Ok(Arc::clone(set));
        }
        // No page is read while members are compared.
        self.seen = SeenIndex::default();
        let run = self.run.run();
        let mut unit = self.integration.read(self.lease.organization()).await?;
        let (mut set, mut after) = (SeenSet::of_run(run.progress.tally.processed), 0);
        loop {
            let pages = unit.seen_pages(&run.id, after, PAGES_AT_ONCE).await?;
            let Some(last) = pages.last() else {
                break;
            };
            after = last.number;
            set.add(&pages);
        }
        let set = Arc::new(set.sorted());
        self.seen_set = Some(Arc::clone(&set));
        Ok(set)
    }

    /// How many pages of seen profiles a batch has.
    pub(super) fn pages_of_a_batch(&self) -> u32 {
        let profiles = u32::try_from(PROFILES_OF_A_SEEN_PAGE).unwrap_or(u32::MAX);
        (self.pace.batch / profiles).max(1)
    }
}
