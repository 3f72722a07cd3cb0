//! What another version of the program has written down of whom the run has seen.

use super::slice::{ActiveSlice, Step};
use crate::error::Error;

/// Of ninety profiles each: a unit of some hundred milliseconds.
const PAGES_AT_ONCE: u32 = 50;

impl ActiveSlice<'_> {
    /// Moves what a later version has seen with this run to where this one looks for it.
    pub(super) async fn take_up_seen_pages(&self) -> Result<Step, Error> {
        let run = self.run.run();
        if run.progress.tally.processed == 0 {
            return Ok(Step::Continue);
        }
        loop {
            let Some(mut unit) = self.lease.begin().await? else {
                return Ok(Step::Lost);
            };
            let moved = unit.scatter_seen_pages(&run.id, PAGES_AT_ONCE).await?;
            unit.commit().await?;
            if moved == 0 {
                return Ok(Step::Continue);
            }
        }
    }
}
