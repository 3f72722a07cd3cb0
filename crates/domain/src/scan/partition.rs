//! A partition: one chain of pages through one range of join times.

use std::time::Duration;

use super::chain::{Chain, OneSecond};
use super::loop_detector::{CursorLoop, LoopDetector};
use crate::ids::Cursor;
use crate::klaviyo::MemberOrder;
use crate::time::Timestamp;

/// A partition's number within its run.
pub type PartitionNumber = u32;

/// The position of a partition. It reads from the earliest join time to the latest, and ends where the next
/// partition's range begins. Two kinds read the latest first: the one that looks at the list's end, one page, and those
/// that read a chain backwards, which have a range of one second.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Partition {
    /// Its number.
    pub number: PartitionNumber,
    /// Where its range begins, in whole seconds; `None` for the list's beginning. `cursor` is a position in
    /// that range.
    pub from: Option<Timestamp>,
    /// Where the next partition's range begins; `None` for the partition that reads to the list's end.
    pub until: Option<Timestamp>,
    /// Where its next page begins; `None` for the first page of its range.
    pub cursor: Option<Cursor>,
    /// The order of its pages.
    #[serde(default)]
    pub order: MemberOrder,
    /// The latest join time that it has seen.
    pub joined_until: Option<Timestamp>,
    /// Detects when its cursors lead in a circle.
    pub loops: LoopDetector,
    /// Whether its page failed or may have crashed a worker, so that no other partition is read with it.
    pub is_quarantined: bool,
    /// Whether its cursor was refused and it has not read past that position since. Until it has, it stays
    /// quarantined, and its failed answers stay counted.
    #[serde(default)]
    pub is_repositioned: bool,
    /// Whether it has reached the list's end and waits to read it again after all others have finished.
    pub is_waiting: bool,
    /// The second that its last page was of, if it was of one alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<Chain>,
}

/// A page that was written, as far as the scan is concerned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScannedPage {
    /// Where the following page begins; `None` after the last.
    pub next: Option<Cursor>,
    /// Its join times.
    pub joins: JoinTimes,
    /// What tells how far it has come within a second, if it is of one alone.
    pub one_second: Option<OneSecond>,
    /// Profiles on it.
    pub profiles: u64,
    /// How many of them the run had not seen before.
    pub new_profiles: u64,
}

/// The join times of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JoinTimes {
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
    is_disordered: bool,
    has_unknown: bool,
}

impl JoinTimes {
    /// Collects the join times of a page's profiles, in the order of the page. A time in the future counts as
    /// `now`, because no range may begin after the present.
    pub fn of(times: impl IntoIterator<Item = Option<Timestamp>>, now: Timestamp) -> Self {
        let mut joins = Self::default();
        for time in times {
            let Some(time) = time.map(|time| time.min(now)) else {
                joins.has_unknown = true;
                continue;
            };
            joins.is_disordered |= joins.latest > Some(time);
            joins.earliest = Some(joins.earliest.map_or(time, |earliest| earliest.min(time)));
            joins.latest = joins.latest.max(Some(time));
        }
        joins
    }

    /// Whether a profile has no join time that could be read.
    pub(super) const fn has_unknown(&self) -> bool {
        self.has_unknown
    }

    fn is_of_several_seconds(&self) -> bool {
        self.earliest.map(Timestamp::whole_second) < self.latest.map(Timestamp::whole_second)
    }
}

/// The shortest range that Klaviyo's filters know.
pub(super) const ONE_SECOND: Duration = Duration::from_secs(1);

impl Partition {
    /// Whether it reads no range but one page from the list's end.
    pub(super) fn looks_at_end(&self) -> bool {
        self.order == MemberOrder::LatestFirst && self.until.is_none()
    }

    /// Whether it reads a chain backwards.
    pub fn reads_backwards(&self) -> bool {
        self.order == MemberOrder::LatestFirst && self.until.is_some()
    }

    /// Whether it reads the list from its beginning without a filter, so that it meets every member.
    pub(super) fn is_unfiltered(&self) -> bool {
        self.from.is_none() && self.order != MemberOrder::LatestFirst
    }

    /// Whether a page is out of order, or has join times from before its range. Such a list cannot be split by
    /// join times.
    pub(super) fn is_out_of_range(&self, joins: &JoinTimes) -> bool {
        if self.order == MemberOrder::LatestFirst {
            return false;
        }
        let begins_before = |bound: Option<Timestamp>| {
            let earliest = joins.earliest;
            earliest.is_some_and(|time| bound.is_some_and(|bound| time < bound))
        };
        joins.is_disordered
            || begins_before(self.from.map(Timestamp::whole_second))
            || (self.cursor.is_some() && begins_before(self.joined_until))
    }

    /// Continues after a page, the run's `pages`-th. Returns whether its range is read completely. At the
    /// list's end it keeps a position from which it can read more later: the latest second of the last page,
    /// or, if all of that page is of one second, the beginning of the page.
    pub(super) fn advance(&mut self, page: ScannedPage, pages: u64) -> Result<bool, CursorLoop> {
        let is_past = self
            .until
            .is_some_and(|until| page.joins.latest >= Some(until));
        let is_complete = is_past || page.next.is_none();
        // Reading up to the refused position again proves nothing: only a cursor that leads to new profiles does.
        let is_past_refusal = self.cursor.is_some() && page.new_profiles > 0;
        if !self.is_repositioned || is_past_refusal || is_complete {
            self.is_repositioned = false;
            self.is_quarantined = false;
        }
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

    /// Continues behind the second of its chain, as another partition: a page that was requested of the second moves
    /// nothing any more. Returns whether its range is read completely.
    pub(super) fn skip_second(&mut self, number: PartitionNumber, second: Timestamp) -> bool {
        let behind = second.plus(ONE_SECOND);
        self.number = number;
        self.from = Some(behind);
        self.cursor = None;
        self.joined_until = None;
        self.chain = None;
        self.is_repositioned = false;
        self.loops.begin_anew();
        self.until.is_some_and(|until| until <= behind)
    }

    /// Drops its cursor: it continues from the latest join time that it has seen, or from the list's beginning
    /// if the list is read whole. `false` if it had no cursor.
    pub(super) fn reposition(&mut self, is_whole: bool) -> bool {
        if self.cursor.take().is_none() {
            return false;
        }
        self.is_repositioned = true;
        self.chain = None;
        self.loops.begin_anew();
        if is_whole {
            self.joined_until = None;
            self.from = None;
        } else {
            self.from = self.position();
        }
        true
    }

    /// Its position, if known: everything before it is read or belongs to another partition.
    pub(super) fn position(&self) -> Option<Timestamp> {
        self.joined_until.max(self.from)
    }
}
