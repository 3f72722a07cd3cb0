//! How an incremental pass ends: with the changes of its account, if it is this run that reads them.

use super::{Event, InvalidTransition, SourceRun};
use crate::account_changes::ChangesScan;
use crate::failure::FailureCode;
use crate::ids::Cursor;
use crate::pass::{Pass, Phase};
use crate::time::Timestamp;

/// A page of changes that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangesTaken {
    /// The position after it; `None` after the last page.
    pub next: Option<Cursor>,
    /// The latest change on it.
    pub latest: Option<Timestamp>,
    /// How many of its profiles have changed consumers.
    pub changed: u64,
}

impl SourceRun {
    /// Who joined is read. The run reads the account's changes next if that is its part, and ends otherwise.
    pub fn decide_on_changes(
        &mut self,
        scan: Option<ChangesScan>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        if *self.run.pass.phase() != Phase::ReadingChanges(None) {
            return Err(self.refuse(Event::Progress));
        }
        if scan.is_none() {
            return self.succeed(now);
        }
        self.set_phase(Phase::ReadingChanges(scan));
        self.reset_failures();
        self.follow(now);
        Ok(())
    }

    /// A page of the account's changes was written. The last one ends the run. The counts of its own list are not touched:
    /// those profiles may be in other lists.
    pub fn take_changes(
        &mut self,
        taken: ChangesTaken,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        let Pass::Incremental(pass) = &mut self.run.pass else {
            return Err(self.refuse(Event::Progress));
        };
        pass.changed += taken.changed;
        let Phase::ReadingChanges(Some(scan)) = &mut pass.phase else {
            return Err(self.refuse(Event::Progress));
        };
        let advanced = scan.advance(taken.next, taken.latest);
        self.run.progress.pages += 1;
        self.reset_failures();
        match advanced {
            Ok(true) => self.succeed(now),
            Ok(false) => {
                self.follow(now);
                Ok(())
            }
            Err(_) => {
                let message = "Klaviyo's pages of changed profiles lead in a circle. What was read so far was \
                    kept. Sync again later.";
                self.fail(FailureCode::CursorLoop, message, now)
            }
        }
    }

    /// Drops the cursor in the account's changes because Klaviyo no longer accepts it.
    pub fn reposition_changes(&mut self) {
        if let Phase::ReadingChanges(Some(scan)) = self.run.pass.phase_mut() {
            scan.reposition();
        }
    }
}
