//! A scan: how a list is read, in several partitions, each of which is a range of join times.
//!
//! A chain of cursors gives one page per round trip, so partitions are read at the same time. Each partition's
//! position is stored, so that a worker that takes the run up reads at most one page of each partition again.
//!
//! Exactly one partition reads to the list's end, and it finishes last: a profile that leaves and joins again
//! while the other partitions are read is found there.
//!
//! A second that holds many joins is a chain that cannot be divided: it is read from both ends ([`Chain`]).
//!
//! A member whose join time cannot be read is in no range. Before the first range is requested, the scan takes one
//! page from the list's end; a scan that meets such a member, on this page or on any other, reads the list whole:
//! in one partition, without a filter. So it does where Klaviyo refuses the filter.

mod backwards;
mod chain;
mod loop_detector;
mod partition;

use std::time::Duration;

use chain::Chains;
pub use chain::{Chain, OneSecond};
pub use loop_detector::{CursorLoop, LoopDetector};
pub use partition::{JoinTimes, Partition, PartitionNumber, ScannedPage};

use crate::klaviyo::MemberOrder;
use crate::time::Timestamp;

/// How far a list is read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Scan {
    /// The partitions that are not finished, by their ranges.
    partitions: Vec<Partition>,
    /// How many partitions were made after the first.
    added: PartitionNumber,
    /// The most profiles that a page has held so far.
    page_size: u64,
    /// Whether the list is read in one partition without a filter: its pages are not in the order of join times,
    /// a member has none, or Klaviyo refuses to filter by them.
    #[serde(default)]
    is_whole: bool,
    /// Whether ranges may have been requested, so that a member without a join time may not have been met. Before
    /// that, one page is read from the list's end.
    #[serde(default)]
    uses_ranges: bool,
    /// Whether one page at a time is read, because workers have died.
    #[serde(default)]
    is_serial: bool,
    /// What is known of chains.
    #[serde(default)]
    chains: Chains,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            partitions: vec![Partition::default()],
            added: 0,
            page_size: 0,
            is_whole: false,
            uses_ranges: false,
            is_serial: false,
            chains: Chains::default(),
        }
    }
}

/// The fewest pages that a partition is created for: fewer are read sooner by the partition that has them.
const PAGES_WORTH_A_PARTITION: u64 = 2;

/// A list is divided at most once per this many pages of it. A division costs at most two more pages: an empty
/// one, or one that two partitions have in common, and another one at the list's end.
const PAGES_WORTH_A_DIVISION: u64 = 20;

/// A list with fewer divisions than this many may be divided twice as often, so that it has readers enough.
const DIVISIONS_OF_A_SMALL_LIST: u64 = 24;

/// When no more pages than this are left, a list that had more may be divided once more for each [`PAGES_WORTH_A_DIVISION`]
/// of it, at most [`LATE_DIVISIONS`] times: its partitions come to their ends at different times, and none could help another.
const LAST_PAGES: u64 = 40;
const LATE_DIVISIONS: u64 = 8;

/// The shortest range of join times that is divided: Klaviyo's filters know only whole seconds.
const SHORTEST_RANGE: Duration = Duration::from_secs(2);

impl Scan {
    /// A scan that reads the list whole, because members may have been in none of its ranges.
    pub(crate) fn whole() -> Self {
        Self {
            is_whole: true,
            ..Self::default()
        }
    }

    /// A scan of those who joined at this time or later. Whoever has no join time is not looked for.
    pub(crate) fn since(from: Timestamp) -> Self {
        let partition = Partition {
            from: Some(from.whole_second()),
            ..Partition::default()
        };
        Self {
            partitions: vec![partition],
            uses_ranges: true,
            ..Self::default()
        }
    }

    /// The partitions that are not finished, by their ranges.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Whether the whole list is read.
    pub const fn is_complete(&self) -> bool {
        self.partitions.is_empty()
    }

    /// Whether the list is read in one partition without a filter.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Whether members without a join time may not have been met.
    pub(crate) const fn uses_ranges(&self) -> bool {
        self.uses_ranges
    }

    /// The partitions whose next page may be requested now: all that have one, or only the first quarantined
    /// partition, so that its page is known to be the reason if the worker crashes again, or only the first one while
    /// the list is read serially.
    pub fn ready(&self) -> impl Iterator<Item = &Partition> {
        let quarantined = self.quarantined();
        let ready = self
            .partitions
            .iter()
            .filter(move |partition| match quarantined {
                Some(number) => partition.number == number,
                None => !partition.is_waiting,
            });
        ready.take(if self.is_serial { 1 } else { usize::MAX })
    }

    /// How many pages the profiles that are `left` have.
    pub fn pages_of(&self, left: u64) -> u64 {
        left / self.page_size.max(1)
    }

    /// From now on one page at a time is read, or several again.
    pub(crate) const fn set_serial(&mut self, is_serial: bool) {
        self.is_serial = is_serial;
    }

    /// The quarantined partition that is read now.
    pub fn quarantined(&self) -> Option<PartitionNumber> {
        let quarantined = self
            .partitions
            .iter()
            .find(|partition| partition.is_quarantined);
        quarantined.map(|partition| partition.number)
    }

    /// Whether this partition's cursor was refused, and it has not read past that position since.
    pub(crate) fn is_repositioned(&self, number: PartitionNumber) -> bool {
        let is_it = |partition: &&Partition| partition.number == number;
        let partition = self.partitions.iter().find(is_it);
        partition.is_some_and(|partition| partition.is_repositioned)
    }

    /// From now on only this partition is read, because its page failed.
    pub(crate) fn quarantine(&mut self, number: PartitionNumber) {
        if self.stop_reading_backwards(number) {
            return;
        }
        if let Some(partition) = self.partition(number) {
            partition.is_quarantined = true;
        }
    }

    /// From now on the partitions are read one at a time: a worker died, and the page of any of them may have
    /// been the reason.
    pub(crate) fn quarantine_all(&mut self) {
        for partition in &mut self.partitions {
            partition.is_quarantined = !partition.is_waiting;
        }
    }

    /// Continues a partition after its page, the run's `pages`-th. Nothing happens if the partition no longer
    /// exists because the list turned out to be one that has to be read whole.
    pub(crate) fn advance(
        &mut self,
        number: PartitionNumber,
        page: ScannedPage,
        pages: u64,
    ) -> Result<(), CursorLoop> {
        self.page_size = self.page_size.max(page.profiles);
        let Some(partition) = self.partition(number) else {
            return Ok(());
        };
        // Profiles before a range's beginning were assumed to be in another partition, which may be wrong; and
        // profiles without a join time are in none.
        if page.joins.has_unknown() || partition.is_out_of_range(&page.joins) {
            self.read_whole();
        }
        let Some(partition) = self.partition(number) else {
            return Ok(());
        };
        if partition.reads_backwards() {
            self.advance_backwards(number, page, pages);
            return Ok(());
        }
        // The last page of a second that goes on is followed by another one.
        let one_second = page.one_second.clone().filter(|_| page.next.is_some());
        if partition.looks_at_end() {
            self.chains.last_second = one_second.map(|page| page.second);
            self.remove(number);
            return Ok(());
        }
        partition.chain = one_second.map(|page| page.forwards(partition.chain.as_ref()));
        let has_disorder = partition
            .chain
            .as_ref()
            .is_some_and(|chain| chain.last.is_none());
        let is_read = partition.advance(page, pages)?;
        if is_read {
            partition.chain = None;
        }
        let chain = partition.chain.clone();
        self.chains.is_forwards_only |= has_disorder;
        self.drop_passed_readers();
        if let Some(chain) = chain.filter(|chain| self.has_met(chain)) {
            self.skip_second(chain.second);
        } else if is_read {
            self.finish(number);
        }
        Ok(())
    }

    /// A partition has read its range, or the list to its end.
    fn finish(&mut self, number: PartitionNumber) {
        let has_others = self.partitions.len() > 1;
        if let Some(partition) = self.partition(number)
            && partition.until.is_none()
            && has_others
        {
            partition.is_waiting = true;
            return;
        }
        self.remove(number);
    }

    fn remove(&mut self, number: PartitionNumber) {
        self.partitions
            .retain(|partition| partition.number != number);
        if let [last] = self.partitions.as_mut_slice() {
            last.is_waiting = false;
        }
    }

    /// Drops a partition's cursor because Klaviyo no longer accepts it: the partition continues from the
    /// latest join time that it has seen, or starts again if the list is read whole. `false` if it had no
    /// cursor.
    pub(crate) fn reposition(&mut self, number: PartitionNumber) -> bool {
        if self.stop_reading_backwards(number) {
            return true;
        }
        let is_whole = self.is_whole;
        let Some(partition) = self.partition(number) else {
            return false;
        };
        if !partition.reposition(is_whole) {
            return false;
        }
        if !partition.is_unfiltered() {
            self.look_at_end();
        }
        self.drop_passed_readers();
        true
    }

    /// Klaviyo refuses the range or the order that this partition's page was requested by: the list is read whole
    /// without a filter, and if the order alone was refused, also without an order. `false` if it was requested
    /// by neither. Nothing happens if the partition no longer exists.
    pub(crate) fn drop_range(&mut self, number: PartitionNumber) -> bool {
        if self.stop_reading_backwards(number) {
            return true;
        }
        let Some(partition) = self.partition(number) else {
            return true;
        };
        if !partition.is_unfiltered() {
            self.read_whole();
            return true;
        }
        if partition.order == MemberOrder::Unsorted {
            return false;
        }
        self.is_whole = true;
        self.begin_anew(MemberOrder::Unsorted);
        true
    }

    /// Splits the profiles that are left, `left` of `total`, among up to `most` partitions, by halving the
    /// longest ranges, as long as there are enough pages for each partition. The list's end is assumed to be
    /// at `end`. The beginning of a range is known only after its first page has arrived.
    ///
    /// An empty half costs one page, and the other half is divided next. So however the join times are
    /// distributed, the number of divisions is at most the number of binary digits of the range's length.
    pub(crate) fn split(&mut self, most: usize, left: u64, total: u64, end: Timestamp) {
        let left = self.pages_of(left);
        let partitions = usize::try_from(left / PAGES_WORTH_A_PARTITION).unwrap_or(most);
        let total = self.pages_of(total);
        let divisions = total / PAGES_WORTH_A_DIVISION;
        let divisions = divisions.max((2 * divisions).min(DIVISIONS_OF_A_SMALL_LIST));
        self.read_chains_backwards(most, divisions, end);
        let divisions = divisions + late_divisions(left, total);
        while !self.is_whole
            && !self.is_serial
            // The partition that looks at the list's end is no division.
            && u64::from(self.added - self.chains.added) < divisions + u64::from(self.uses_ranges)
            && self.quarantined().is_none()
            && self.ready().count() < partitions.min(most)
            && let Some((index, middle)) = self.widest(end)
        {
            if !self.uses_ranges {
                self.look_at_end();
                continue;
            }
            self.added += 1;
            let left = &mut self.partitions[index];
            let right = Partition {
                number: self.added,
                from: Some(middle),
                until: left.until.replace(middle),
                ..Partition::default()
            };
            self.partitions.insert(index + 1, right);
        }
    }

    /// The index of the partition that is divided next, and where: at the last second if that may be long, so that it is
    /// come to soon, or else the partition with the longest range that is still to be read, in the middle of it.
    fn widest(&mut self, end: Timestamp) -> Option<(usize, Timestamp)> {
        if let Some(second) = self.chains.last_second.take() {
            let holds = |one: &Partition| {
                let begins_before = one.position().is_some_and(|position| position < second);
                let ends_behind = one.until.is_none_or(|until| second < until);
                begins_before && ends_behind && !one.is_waiting
            };
            if let Some(index) = self.partitions.iter().position(holds) {
                return Some((index, second));
            }
        }
        let range = |(index, partition): (usize, &Partition)| {
            let position = partition.position()?;
            Some((
                partition.until.unwrap_or(end).since(position),
                index,
                position,
            ))
        };
        let partitions = self.partitions.iter().enumerate();
        let (width, index, position) = partitions
            .filter(|(_, partition)| !partition.is_waiting && !partition.reads_backwards())
            .filter_map(range)
            .max()?;
        (width >= SHORTEST_RANGE).then(|| (index, position.plus(width / 2).whole_second()))
    }

    /// Before the first range is requested: one page is read from the list's end, where members without a join
    /// time may be. Where they are at its beginning, the first partition has met them.
    fn look_at_end(&mut self) {
        if !std::mem::replace(&mut self.uses_ranges, true) {
            self.added += 1;
            self.partitions.push(Partition {
                number: self.added,
                order: MemberOrder::LatestFirst,
                ..Partition::default()
            });
        }
    }

    /// From now on the list is read in one partition without a filter: by the one that has read it so from its
    /// beginning, if that has not finished, or anew.
    fn read_whole(&mut self) {
        if std::mem::replace(&mut self.is_whole, true) {
            return;
        }
        self.partitions.retain(Partition::is_unfiltered);
        match self.partitions.as_mut_slice() {
            [partition] => {
                partition.until = None;
                partition.is_waiting = false;
            }
            _ => self.begin_anew(MemberOrder::EarliestFirst),
        }
        self.uses_ranges = false;
    }

    fn begin_anew(&mut self, order: MemberOrder) {
        self.added += 1;
        self.uses_ranges = false;
        self.partitions = vec![Partition {
            number: self.added,
            order,
            ..Partition::default()
        }];
    }

    fn partition(&mut self, number: PartitionNumber) -> Option<&mut Partition> {
        self.partitions
            .iter_mut()
            .find(|partition| partition.number == number)
    }
}

/// How many more divisions a list of `total` pages may have, of which `left` are left.
fn late_divisions(left: u64, total: u64) -> u64 {
    if left > LAST_PAGES || total <= LAST_PAGES {
        return 0;
    }
    (total / PAGES_WORTH_A_DIVISION).min(LATE_DIVISIONS)
}
