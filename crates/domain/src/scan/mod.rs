//! A scan: how a list is read, in several partitions, each of which is a range of join times.
//!
//! A chain of cursors gives one page per round trip, so partitions are read at the same time. Each partition's
//! position is stored, so that a worker that takes the run up reads at most one page of each partition again.
//!
//! Exactly one partition reads to the list's end, and it finishes last: a profile that leaves and joins again
//! while the other partitions are read is found there.

mod loop_detector;
mod partition;

use std::time::Duration;

pub use loop_detector::{CursorLoop, LoopDetector};
pub use partition::{JoinTimes, Partition, PartitionNumber, ScannedPage};

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
    /// Whether Klaviyo's pages are not in the order of join times, so that the list cannot be split.
    is_disordered: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            partitions: vec![Partition::default()],
            added: 0,
            page_size: 0,
            is_disordered: false,
        }
    }
}

/// The fewest pages that a partition is created for: fewer are read sooner by the partition that has them.
const PAGES_WORTH_A_PARTITION: u64 = 4;

/// A list is divided at most once per this many pages of it. A division costs at most two more pages: an empty
/// one, or one that two partitions have in common, and another one at the list's end.
const PAGES_WORTH_A_DIVISION: u64 = 20;

/// The shortest range of join times that is divided: Klaviyo's filters know only whole seconds.
const SHORTEST_RANGE: Duration = Duration::from_secs(2);

impl Scan {
    /// The partitions that are not finished, by their ranges.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Whether the whole list is read.
    pub const fn is_complete(&self) -> bool {
        self.partitions.is_empty()
    }

    /// The partitions whose next page may be requested now: all that have one, or only the first quarantined
    /// partition, so that its page is known to be the reason if the worker crashes again.
    pub fn ready(&self) -> impl Iterator<Item = &Partition> {
        let quarantined = self.quarantined();
        self.partitions
            .iter()
            .filter(move |partition| match quarantined {
                Some(number) => partition.number == number,
                None => !partition.is_waiting,
            })
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
    /// exists because the list turned out to be disordered.
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
        if partition.is_out_of_range(&page.joins)
            && !std::mem::replace(&mut self.is_disordered, true)
        {
            // Profiles before a range's beginning were assumed to be in another partition, which may be wrong.
            if self.added > 0 {
                self.begin_anew();
                return Ok(());
            }
        }
        let Some(partition) = self.partition(number) else {
            return Ok(());
        };
        if !partition.advance(page, pages)? {
            return Ok(());
        }
        if partition.until.is_none() && self.partitions.len() > 1 {
            if let Some(partition) = self.partition(number) {
                partition.is_waiting = true;
            }
            return Ok(());
        }
        self.partitions
            .retain(|partition| partition.number != number);
        if let [last] = self.partitions.as_mut_slice() {
            last.is_waiting = false;
        }
        Ok(())
    }

    /// Drops a partition's cursor because Klaviyo no longer accepts it: the partition continues from the
    /// latest join time that it has seen, or starts again if the list is disordered. `false` if it had no
    /// cursor.
    pub(crate) fn reposition(&mut self, number: PartitionNumber) -> bool {
        let is_disordered = self.is_disordered;
        self.partition(number)
            .is_some_and(|partition| partition.reposition(is_disordered))
    }

    /// Splits the profiles that are left, `left` of `total`, among up to `most` partitions, by halving the
    /// longest ranges, as long as there are enough pages for each partition. The list's end is assumed to be
    /// at `end`. The beginning of a range is known only after its first page has arrived.
    ///
    /// An empty half costs one page, and the other half is divided next. So however the join times are
    /// distributed, the number of divisions is at most the number of binary digits of the range's length.
    pub(crate) fn split(&mut self, most: usize, left: u64, total: u64, end: Timestamp) {
        let pages = |profiles: u64| profiles / self.page_size.max(1);
        let partitions = usize::try_from(pages(left) / PAGES_WORTH_A_PARTITION).unwrap_or(most);
        let divisions = pages(total) / PAGES_WORTH_A_DIVISION;
        while !self.is_disordered
            && u64::from(self.added) < divisions
            && self.quarantined().is_none()
            && self.ready().count() < partitions.min(most)
            && let Some((index, middle)) = self.widest(end)
        {
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

    /// The index of the partition with the longest range that is still to be read, and the middle of that range.
    fn widest(&self, end: Timestamp) -> Option<(usize, Timestamp)> {
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
            .filter(|(_, partition)| !partition.is_waiting)
            .filter_map(range)
            .max()?;
        (width >= SHORTEST_RANGE).then(|| (index, position.plus(width / 2).whole_second()))
    }

    fn begin_anew(&mut self) {
        self.added += 1;
        self.partitions = vec![Partition {
            number: self.added,
            ..Partition::default()
        }];
    }

    fn partition(&mut self, number: PartitionNumber) -> Option<&mut Partition> {
        self.partitions
            .iter_mut()
            .find(|partition| partition.number == number)
    }
}
