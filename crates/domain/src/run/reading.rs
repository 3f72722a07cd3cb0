//! How a run opens its list and reads it, page by page.

use super::{Event, InvalidTransition, SourceRun, SyncStatus};
use crate::due_pass::DuePass;
use crate::failure::{FailureCode, MAX_FAILED_ANSWERS};
use crate::page::Tally;
use crate::pass::{FullPass, IncrementalPass, LinkMoves, Pass, Phase};
use crate::scan::{CursorLoop, PartitionNumber, Scan, ScannedPage};
use crate::time::Timestamp;

/// What is known after a list has been opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// The pass that is due.
    pub due: DuePass,
    /// The list's name; `None` if it has none that can be stored.
    pub name: Option<String>,
    /// Klaviyo's count of its profiles, if known.
    pub total: Option<u64>,
    /// Whether it is a segment that Klaviyo is still computing.
    pub is_being_computed: bool,
    /// The members that the audience has now.
    pub members: u64,
    /// The organization's count of link moves so far.
    pub link_moves: LinkMoves,
}

/// Pages that were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PagesTaken {
    /// The pages, each with the partition it belongs to.
    pub pages: Vec<(PartitionNumber, ScannedPage)>,
    /// The outcomes of their profiles.
    pub tally: Tally,
    /// Consumers that became members.
    pub members_added: u64,
    /// Consumers whom the run has met for the first time.
    pub consumers_met: u64,
}

impl SourceRun {
    /// The list has been opened, and its pages are read next.
    pub fn open(&mut self, opened: Opened, now: Timestamp) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        self.source.data.name = opened.name;
        let is_full = opened.due == DuePass::Full;
        // An incremental pass does not read so many.
        self.run.progress.total = opened.total.filter(|_| is_full);
        // It removes nobody anyway.
        self.run.removals_deferred |= is_full && opened.is_being_computed;
        // A run whose checkpoint was lost opens its list again, and has changed the members already.
        let progress = &self.run.progress;
        let before =
            (opened.members + progress.members_removed).saturating_sub(progress.members_added);
        self.run.members_at_start = before;
        let crashes = self.run.pass.crashes();
        self.run.pass = match opened.due {
            DuePass::Full => Pass::Full(FullPass {
                phase: Phase::Reading(Scan::default()),
                link_moves: opened.link_moves,
                crashes,
                is_reopened: self.run.progress.pages > 0,
                consumers_met: Some(0),
                saw_whom_it_added: false,
            }),
            DuePass::Incremental(since) => Pass::Incremental(IncrementalPass {
                phase: Phase::Reading(Scan::since(since.read_from())),
                crashes,
                since,
                counted: opened.total,
                is_whole: false,
                changed: 0,
            }),
        };
        self.read_serially_if_needed();
        self.reset_failures();
        self.follow(now);
        Ok(())
    }

    /// Pages were written: they are counted, each partition continues after its page, and the rest of the list
    /// is split among up to `most` partitions. Pages that lead in a circle end the run with `cursor_loop`.
    pub fn take_pages(
        &mut self,
        taken: PagesTaken,
        most: usize,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        let progress = &mut self.run.progress;
        progress.tally += taken.tally;
        progress.members_added += taken.members_added;
        progress.pages += taken.pages.len() as u64;
        if let Pass::Full(full) = &mut self.run.pass {
            full.consumers_met = full.consumers_met.map(|met| met + taken.consumers_met);
        }
        for (partition, page) in taken.pages {
            if self.advance(partition, page).is_err() {
                let message = "Klaviyo's pages of this list lead in a circle. The profiles of the pages read \
                    so far were kept. Sync again later.";
                return self.fail(FailureCode::CursorLoop, message, now);
            }
        }
        self.read_serially_if_needed();
        self.split(most, now);
        self.follow(now);
        Ok(())
    }

    /// Whether its list has lost somebody who stands beside those whom this incremental pass has added: Klaviyo had counted
    /// them all, so the count did not tell before.
    pub fn has_found_leavings(&self) -> bool {
        let Pass::Incremental(pass) = &self.run.pass else {
            return false;
        };
        let leavings = |added| pass.since.has_leavings(added, pass.counted);
        self.run.status == SyncStatus::Success
            && !leavings(0)
            && leavings(self.run.progress.members_added)
    }

    /// After crashes the list is read one page at a time for a while.
    pub(super) fn read_serially_if_needed(&mut self) {
        let pages = self.run.progress.pages;
        let is_serial = self.run.pass.crashes().is_serial(pages);
        if let Some(scan) = self.run.pass.scan_mut() {
            scan.set_serial(is_serial);
        }
    }

    /// A partition continues after a page that was counted. The count of failed answers is reset only if
    /// this is the page whose answers failed, or one beyond the position whose cursor was refused.
    fn advance(&mut self, partition: PartitionNumber, page: ScannedPage) -> Result<(), CursorLoop> {
        let pages = self.run.progress.pages;
        let Some(scan) = self.run.pass.scan_mut() else {
            return Ok(());
        };
        let failures = match scan.quarantined() {
            Some(quarantined) if quarantined != partition => self.run.failures,
            _ => 0,
        };
        scan.advance(partition, page, pages)?;
        let failures = if scan.is_repositioned(partition) {
            self.run.failures
        } else {
            failures
        };
        let (is_complete, is_whole, uses_ranges) =
            (scan.is_complete(), scan.is_whole(), scan.uses_ranges());
        if let Pass::Incremental(pass) = &mut self.run.pass {
            pass.is_whole |= is_whole;
            if is_complete {
                pass.phase = Phase::ReadingChanges(None);
            }
        } else if is_complete {
            let is_certain = !uses_ranges || self.has_seen_all();
            self.set_phase(if is_certain {
                Phase::AddingMembers { after_page: None }
            } else {
                Phase::ComparingCounts
            });
        }
        self.reset_failures();
        self.run.failures = failures;
        Ok(())
    }

    /// Whether as many profiles were seen as Klaviyo counted; `false` if its count is not known.
    fn has_seen_all(&self) -> bool {
        let progress = &self.run.progress;
        progress
            .total
            .is_some_and(|total| progress.tally.processed >= total)
    }

    /// The list was read by ranges, and Klaviyo now counts `count` profiles, if it says so. If more are counted
    /// than were seen, some may be in no range, and the list is read whole. Without this count the one of the
    /// pass's start is taken: the profiles that are missing may have left, but that is not known.
    pub fn compare_counts(
        &mut self,
        count: Option<u64>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Progress)?;
        let progress = &self.run.progress;
        let counted = count.or(progress.total);
        let is_short = counted.is_some_and(|counted| progress.tally.processed < counted);
        self.set_phase(if is_short {
            Phase::Reading(Scan::whole())
        } else {
            Phase::AddingMembers { after_page: None }
        });
        self.read_serially_if_needed();
        self.reset_failures();
        self.follow(now);
        Ok(())
    }

    /// Whether a complete pass is reading a list that was not counted when it was opened.
    pub const fn is_uncounted(&self) -> bool {
        self.run.progress.total.is_none()
            && matches!(&self.run.pass, Pass::Full(pass) if matches!(pass.phase, Phase::Reading(_)))
    }

    /// Klaviyo counts so many profiles in a list that is being read and was not counted before.
    pub const fn count(&mut self, profiles: u64) {
        if self.is_uncounted() {
            self.run.progress.total = Some(profiles);
        }
    }

    /// If Klaviyo does not say how many profiles are left, as many as were read are assumed.
    fn split(&mut self, most: usize, now: Timestamp) {
        let read = self.run.progress.tally.processed;
        let total = self.run.progress.total.unwrap_or(2 * read).max(read);
        let end = self.run.started_at.unwrap_or(now);
        if let Some(scan) = self.run.pass.scan_mut() {
            scan.split(most, total - read, total, end);
        }
    }

    /// Klaviyo gave no usable answer for a partition's page, or for the list itself (`None`). The fifth time
    /// ends the run with `code` and with `message`, which describes the answer. While one partition is
    /// quarantined, only the failed answers for its page are counted.
    pub fn count_failure(
        &mut self,
        partition: Option<PartitionNumber>,
        code: FailureCode,
        message: impl Into<String>,
        now: Timestamp,
    ) -> Result<(), InvalidTransition> {
        self.require_syncing(Event::Fail)?;
        if let (Some(partition), Some(scan)) = (partition, self.run.pass.scan_mut()) {
            let quarantined = scan.quarantined();
            scan.quarantine(partition);
            if quarantined.is_some_and(|quarantined| quarantined != partition) {
                return Ok(());
            }
        }
        self.run.failures += 1;
        if self.run.failures >= MAX_FAILED_ANSWERS {
            return self.fail(code, message, now);
        }
        self.follow(now);
        Ok(())
    }

    /// Drops a partition's cursor because Klaviyo no longer accepts it: the partition continues from the
    /// latest join time that it has seen, or starts again if the list is read whole. `false` if it had no cursor.
    pub fn reposition(&mut self, partition: PartitionNumber) -> bool {
        let scan = self.run.pass.scan_mut();
        scan.is_some_and(|scan| scan.reposition(partition))
    }

    /// Reads the list whole because Klaviyo refuses the range or the order of this partition's page. `false` if
    /// the page was requested by neither.
    pub fn drop_range(&mut self, partition: PartitionNumber) -> bool {
        let scan = self.run.pass.scan_mut();
        scan.is_some_and(|scan| scan.drop_range(partition))
    }
}
