//! Reconciling: after the last page, a run makes the audience's members exactly the consumers whose profiles
//! it has seen.

use super::{Event, InvalidTransition, SourceRun};
use crate::collection::CollectionKind;
use crate::failure::FailureCode;
use crate::ids::ConsumerId;
use crate::pass::{LinkMoves, Pass, Phase};
use crate::removal::{Held, is_complete};
use crate::time::Timestamp;

/// What reconciling has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reconciliation {
    /// Add members that are missing, in batches: profiles have moved between consumers.
    AddMembers,
    /// Check how many members would be removed.
    CheckRemovals,
    /// Nothing: the run has ended.
    Done,
}

impl SourceRun {
    /// Whether the run has to look at its segment once more after the last page: if Klaviyo has begun to compute it
    /// since, a profile that was not seen says nothing.
    pub const fn has_to_look_at_segment(&self) -> bool {
        matches!(self.source.collection.kind, CollectionKind::Segment)
            && !self.run.removals_deferred
    }

    /// Klaviyo is computing the segment: the run removes nobody.
    pub const fn defer_removals(&mut self) {
        self.run.removals_deferred = true;
    }

    /// All pages are read: returns what reconciling has to do first. Members are missing only if profiles have
    /// moved between consumers since the pass began, or since members were last added. A pass that saw clearly
    /// fewer profiles than Klaviyo had counted ends with `incomplete_read` when no members are missing.
    pub fn begin_reconciling(
        &mut self,
        link_moves: LinkMoves,
        now: Timestamp,
    ) -> Result<Reconciliation, InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        let Pass::Full(full) = &mut self.run.pass else {
            return Err(self.refuse(Event::Progress));
        };
        let is_reopened = full.is_reopened;
        full.saw_whom_it_added = false;
        if std::mem::replace(&mut full.link_moves, link_moves) != link_moves {
            return Ok(Reconciliation::AddMembers);
        }
        if self.run.removals_deferred {
            // What was not seen may come yet: neither its number nor whose profiles it is says anything.
            self.succeed(now)?;
            return Ok(Reconciliation::Done);
        }
        if self.fail_if_incomplete(now)? {
            return Ok(Reconciliation::Done);
        }
        if self.run.members_at_start == 0 && !is_reopened {
            // The pages have added every member, and the audience had none before.
            self.succeed(now)?;
            return Ok(Reconciliation::Done);
        }
        if let Pass::Full(full) = &mut self.run.pass {
            full.saw_whom_it_added = !is_reopened;
        }
        self.set_phase(Phase::CheckingRemovals);
        Ok(Reconciliation::CheckRemovals)
    }

    /// A batch of missing members was added; the next batch begins after the page of seen profiles `next`.
    pub fn members_added(
        &mut self,
        added: u64,
        next: Option<u64>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        self.run.progress.members_added += added;
        self.reset_failures();
        self.set_phase(match next {
            after_page @ Some(_) => Phase::AddingMembers { after_page },
            None if self.run.removals_deferred => Phase::AddingMembers { after_page: None },
            None => Phase::CheckingRemovals,
        });
        self.follow(now);
        Ok(())
    }

    /// Ends the run with `incomplete_read` if it saw fewer than nine tenths of what Klaviyo counted at its start,
    /// unless the user has confirmed it. Returns whether it did.
    fn fail_if_incomplete(&mut self, now: Timestamp) -> Result<bool, InvalidTransition> {
        let progress = &self.run.progress;
        let (seen, total) = (progress.tally.processed, progress.total);
        if self.run.confirm_removals || is_complete(seen, total) {
            return Ok(false);
        }
        let total = total.unwrap_or_default();
        let message = format!(
            "This pass saw only {seen} of the {total} profiles that Klaviyo had counted, fewer than nine tenths, \
             so no member was removed; what it read was kept. Sync again later. If it is right, sync again and \
             confirm the removals."
        );
        self.fail(FailureCode::IncompleteRead, message, now)?;
        Ok(true)
    }

    /// Whether the run has seen every member, of whom there are so many, as its own counts tell: then nobody has to look
    /// who was not seen. It has added everybody whom it has met, so there are not fewer.
    pub fn has_met_all(&self, members: u64, link_moves: LinkMoves) -> bool {
        match &self.run.pass {
            Pass::Full(full) => {
                full.saw_whom_it_added
                    && full.link_moves == link_moves
                    && full.consumers_met == Some(members)
            }
            Pass::Incremental(_) => false,
        }
    }

    /// The members that were there before the run and were not seen have been counted. A pass that is not complete ends with
    /// `incomplete_read`. Above the removal threshold, and as long as no user has confirmed the removals of a pass before, the
    /// run ends with `removal_guard`. If there are none, and whom the run added itself it has seen, the run has succeeded:
    /// there is nobody to remove.
    pub fn check_removals(
        &mut self,
        absent: u64,
        link_moves: LinkMoves,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        let is_settled = match &mut self.run.pass {
            Pass::Full(full) => {
                std::mem::take(&mut full.saw_whom_it_added) && full.link_moves == link_moves
            }
            Pass::Incremental(_) => false,
        };
        if self.fail_if_incomplete(now)? {
            return Ok(());
        }
        let (run, guard) = (&self.run, self.source.guard);
        let checked = guard.check(run.members_at_start, absent, run.confirm_removals);
        if let Err(held) = checked {
            let why = match held {
                Held::TooMany(members) => format!(
                    "This pass would have removed {absent} of {members} members, more than half, so \
                     they were kept."
                ),
                Held::Since => format!(
                    "This pass would have removed {absent} members. They were kept, because an earlier pass would \
                     have removed more than half of the members, and nobody has confirmed that since."
                ),
            };
            let message = format!("{why} If that is right, sync again and confirm the removals.");
            return self.fail(FailureCode::RemovalGuard, message, now);
        }
        if absent == 0 && is_settled {
            return self.succeed(now);
        }
        self.set_phase(Phase::RemovingMembers { after: None });
        self.follow(now);
        Ok(())
    }

    /// A batch of members was removed; the next batch begins after the consumer `next`. After the last batch
    /// the run has succeeded, unless profiles have moved meanwhile: then their new consumers have to be added.
    pub fn members_removed(
        &mut self,
        removed: u64,
        next: Option<ConsumerId>,
        link_moves: LinkMoves,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        self.run.progress.members_removed += removed;
        self.reset_failures();
        let is_same = matches!(&self.run.pass, Pass::Full(full) if full.link_moves == link_moves);
        match next {
            after @ Some(_) => self.set_phase(Phase::RemovingMembers { after }),
            None if is_same => return self.succeed(now),
            None => self.set_phase(Phase::AddingMembers { after_page: None }),
        }
        self.follow(now);
        Ok(())
    }
}
