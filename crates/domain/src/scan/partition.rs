//! A partition: one chain of pages through a range of join times.

use super::loop_detector::{CursorLoop, LoopDetector};
use crate::ids::Cursor;
use crate::time::Timestamp;

/// A partition's name within its run.
pub type PartitionNumber = u32;

/// Where a partition stands. It reads from the earliest join to the latest, and ends where the next
/// partition's range begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Partition {
    /// Its name.
    pub number: PartitionNumber,
    /// Where its range begins, to the second; `None` for the list's beginning. `cursor` is a position
    /// of that range.
    pub from: Option<Timestamp>,
    /// Where another's range begins; `None` for the one that reads to the list's end.
    pub until: Option<Timestamp>,
    /// Where its next page begins; `None` for the first of its range.
    pub cursor: Option<Cursor>,
    /// The latest join time it has seen.
    pub joined_until: Option<Timestamp>,
    /// Notices when its cursors lead in a circle.
    pub loops: LoopDetector,
    /// Its page failed, or may have killed a worker: it is read with no other beside it.
    pub is_quarantined: bool,
    /// It has come to the list's end, and looks there again when all others have finished.
    pub is_waiting: bool,
}

/// A page that was taken, as far as a walk is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScannedPage {
    /// Where Klaviyo says the following page begins; `None` after the last.
    pub next: Option<Cursor>,
    /// Its join times.
    pub joins: JoinTimes,
    /// Profiles on it.
    pub profiles: u64,
    /// Those of them that the run had not seen before.
    pub new_profiles: u64,
}

/// The join times of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JoinTimes {
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
    is_disordered: bool,
}

impl JoinTimes {
    /// Of the times of a page's profiles as they came. One in the future counts as `now`: it must not
    /// make a range that skips the present.
    pub fn of(times: impl IntoIterator<Item = Option<Timestamp>>, now: Timestamp) -> Self {
        let mut joins = Self::default();
        for time in times.into_iter().flatten().map(|time| time.min(now)) {
            joins.is_disordered |= joins.latest > Some(time);
            joins.earliest = Some(joins.earliest.map_or(time, |earliest| earliest.min(time)));
            joins.latest = joins.latest.max(Some(time));
        }
        joins
    }

    fn is_of_several_seconds(&self) -> bool {
        self.earliest.map(Timestamp::whole_second) < self.latest.map(Timestamp::whole_second)
    }
}

impl Partition {
    /// Whether a page that came for it is not what was asked for: out of order, or from outside its
    /// range. Such a list cannot be shared by join times.
    pub(super) fn is_out_of_range(&self, joins: &JoinTimes) -> bool {
        let begins_before = |bound: Option<Timestamp>| {
            let earliest = joins.earliest;
            earliest.is_some_and(|time| bound.is_some_and(|bound| time < bound))
        };
        joins.is_disordered
            || begins_before(self.from.map(Timestamp::whole_second))
            || (self.cursor.is_some() && begins_before(self.joined_until))
    }

    /// Moves behind a page, the run's `pages`-th. Tells whether its range is read. At the list's end it
    /// stays where it can look for more: at the last page's latest second, or before a last page that is
    /// all of one second.
    pub(super) fn advance(&mut self, page: ScannedPage, pages: u64) -> Result<bool, CursorLoop> {
        self.is_quarantined = false;
        let is_past = self
            .until
            .is_some_and(|until| page.joins.latest >= Some(until));
        let Some(next) = page.next.filter(|_| !is_past) else {
            if page.joins.is_of_several_seconds() {
                self.joined_until = page.joins.latest;
                self.cursor = None;
                self.from = self.position();
                self.loops.begin_anew();
            }
            return Ok(true);
        };
        self.loops.step(&next, page.new_profiles, pages)?;
        self.cursor = Some(next);
        self.joined_until = self.joined_until.max(page.joins.latest);
        Ok(false)
    }

    /// Gives up its cursor: it goes on from the latest join time it has seen, or from the list's beginning
    /// where the list is in disorder. `false` if there was none to give up.
    pub(super) fn reposition(&mut self, is_disordered: bool) -> bool {
        if self.cursor.take().is_none() {
            return false;
        }
        self.loops.begin_anew();
        if is_disordered {
            self.joined_until = None;
            self.from = None;
        } else {
            self.from = self.position();
        }
        true
    }

    /// Where it stands, as far as known: everything before is read, or another's.
    pub(super) fn position(&self) -> Option<Timestamp> {
        self.joined_until.max(self.from)
    }
}
