//! How a list is read: several partitions, each a range of join times.
//!
//! A cursor chain gives one page per round trip. Partitions are read beside each other, and each partition's
//! position is kept, so that the worker that takes the run up reads one page of each again at most.
//!
//! Exactly one partition goes to the list's end. It finishes last: a profile that leaves and joins again while
//! the others are read comes up there.

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
    /// Profiles on the fullest page so far.
    page_size: u64,
    /// Whether Klaviyo's pages come in no order that a list could be split by.
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

/// Pages that a partition is made for at least: fewer are read sooner by the partition that has them.
const PAGES_WORTH_A_PARTITION: u64 = 4;

/// A division costs two pages at most: an empty one, or one that two partitions have in common, and at the
/// list's end another. So many pages are worth that.
const PAGES_WORTH_A_DIVISION: u64 = 20;

/// Klaviyo's filters know whole seconds, so a range is not worth dividing below this.
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

    /// The partitions whose next page may be asked for now: all that have one, or the first quarantined one
    /// alone, so that it is known whose page it was if something happens again.
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

    /// Reads this partition alone from now on: its page failed.
    pub(crate) fn quarantine(&mut self, number: PartitionNumber) {
        if let Some(partition) = self.partition(number) {
            partition.is_quarantined = true;
        }
    }

    /// Reads each partition alone from now on: a worker died, and the page of any may have been the reason.
    pub(crate) fn quarantine_all(&mut self) {
        for partition in &mut self.partitions {
            partition.is_quarantined = !partition.is_waiting;
        }
    }

    /// Moves a partition behind its page, the run's `pages`-th. A partition that is gone, because the list
    /// turned out to be disordered, moves nothing.
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
            // What lies before a range's beginning was taken to be in another partition, and may not be.
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

    /// Gives up a partition's cursor that Klaviyo no longer takes: it goes on from the latest join time it
    /// has seen, or begins anew where those say nothing of what is read. Tells `false` if there was no
    /// cursor to give up.
    pub(crate) fn reposition(&mut self, number: PartitionNumber) -> bool {
        let is_disordered = self.is_disordered;
        self.partition(number)
            .is_some_and(|partition| partition.reposition(is_disordered))
    }

    /// Splits the `left` of `total` profiles among up to `most` partitions, as far as their requests are worth
    /// it, by halving the longest ranges. The list's end is taken to be at `end`. Where a range begins is
    /// known only once its first page has come.
    ///
    /// An empty half costs its partition one page, and the other half is divided next: whatever the joins
    /// look like, the search is over after as many pages as the range has binary digits.
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

    /// The partition with the longest range before it, and the middle of it.
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
