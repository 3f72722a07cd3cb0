//! How a scan reads its chains from both ends ([`Chain`]).

use std::time::Duration;

use super::chain::Chain;
use super::partition::ONE_SECOND;
use super::{Partition, PartitionNumber, Scan, ScannedPage};
use crate::ids::Cursor;
use crate::klaviyo::MemberOrder;
use crate::time::Timestamp;

/// How long before the run's start a second must have ended to be read from both ends: then nobody joins in it any
/// more, by Klaviyo's clock as by ours.
const SETTLED: Duration = Duration::from_mins(2);

impl Scan {
    /// How many partitions read chains, of which each page has to wait for the one before: the scan takes at least as
    /// long as they do.
    pub fn chain_readers(&self) -> u32 {
        let readers = self.ready().filter(|partition| partition.chain.is_some());
        u32::try_from(readers.count()).unwrap_or(u32::MAX)
    }

    /// Continues a partition that reads a chain backwards after its page, the run's `pages`-th. It ends when it has met
    /// the one that reads forwards. If its pages are not what they should be, the chain is read forwards alone.
    pub(super) fn advance_backwards(
        &mut self,
        number: PartitionNumber,
        page: ScannedPage,
        pages: u64,
    ) {
        let Some(partition) = self.partition(number) else {
            return;
        };
        let before = partition.chain.as_ref();
        let page_read = page.one_second.as_ref().zip(before);
        let chain = page_read.and_then(|(page, before)| page.backwards(before));
        let follows = |next: &Cursor| {
            let loops = &mut partition.loops;
            loops.step(next, page.new_profiles, pages).is_ok()
        };
        let is_usable = chain.is_some() && page.next.as_ref().is_none_or(follows);
        let Some(chain) = chain.filter(|_| is_usable) else {
            self.stop_reading_backwards(number);
            return;
        };
        let second = chain.second;
        let is_read = page.next.is_none();
        partition.cursor = page.next;
        partition.chain = Some(chain);
        partition.is_quarantined = false;
        let forwards = self.partitions.iter().filter(|one| !one.reads_backwards());
        let mut forwards = forwards.filter_map(|one| one.chain.as_ref());
        if is_read || forwards.any(|chain| self.has_met(chain)) {
            self.skip_second(second);
        }
    }

    /// Whether this chain, read forwards, has met the partition that reads it backwards.
    pub(super) fn has_met(&self, forwards: &Chain) -> bool {
        let backwards = self.partitions.iter().filter(|one| one.reads_backwards());
        let mut backwards = backwards.filter_map(|one| one.chain.as_ref());
        backwards.any(|chain| forwards.meets(chain))
    }

    /// A second was read completely: the partition that reads it forwards continues behind it.
    pub(super) fn skip_second(&mut self, second: Timestamp) {
        let is_of_second = |one: &Partition| {
            let chain = one.chain.as_ref();
            chain.is_some_and(|chain| chain.second == second)
        };
        self.partitions
            .retain(|one| !(one.reads_backwards() && is_of_second(one)));
        self.added += 1;
        self.chains.added += 1;
        let number = self.added;
        let forwards = self.partitions.iter_mut().find(|one| is_of_second(one));
        if forwards.is_some_and(|forwards| forwards.skip_second(number, second)) {
            self.finish(number);
        }
    }

    /// Removes the partitions that read chains backwards which have been passed forwards.
    pub(super) fn drop_passed_readers(&mut self) {
        let partitions = self.partitions.iter();
        let forwards = partitions.filter(|one| !one.reads_backwards());
        let chains: Vec<Timestamp> = forwards
            .filter_map(|one| Some(one.chain.as_ref()?.second))
            .collect();
        self.partitions.retain(|one| {
            let second = one.chain.as_ref().map(|chain| chain.second);
            !one.reads_backwards() || second.is_some_and(|second| chains.contains(&second))
        });
    }

    /// From now on chains are read forwards alone, if this partition reads one backwards. Whether it did.
    pub(super) fn stop_reading_backwards(&mut self, number: PartitionNumber) -> bool {
        let partition = self.partition(number);
        let reads_backwards = partition.is_some_and(|one| one.reads_backwards());
        if reads_backwards {
            self.chains.is_forwards_only = true;
            self.partitions.retain(|one| !one.reads_backwards());
            if let [last] = self.partitions.as_mut_slice() {
                last.is_waiting = false;
            }
        }
        reads_backwards
    }

    /// Lets the chains that partitions have come to be read backwards, too, one more partition than `most` at the most.
    /// Each costs at most three pages more, so there are not more of them than there may be divisions.
    pub(super) fn read_chains_backwards(&mut self, most: usize, divisions: u64, end: Timestamp) {
        while !self.is_whole
            && !self.is_serial
            && !self.chains.is_forwards_only
            && u64::from(self.chains.added) < 2 * divisions
            && self.quarantined().is_none()
            && self.ready().count() <= most
            && let Some((index, second)) = self.chain_read_forwards_alone(end)
        {
            self.look_at_end();
            self.added += 1;
            self.chains.added += 1;
            let backwards = Partition {
                number: self.added,
                from: Some(second),
                until: Some(second.plus(ONE_SECOND)),
                order: MemberOrder::LatestFirst,
                chain: Some(Chain { second, last: None }),
                ..Partition::default()
            };
            self.partitions.insert(index + 1, backwards);
        }
    }

    /// The index of a partition that reads a chain which no other one reads backwards, and the chain's second.
    fn chain_read_forwards_alone(&self, end: Timestamp) -> Option<(usize, Timestamp)> {
        let partitions = self.partitions.iter().enumerate();
        let chains =
            partitions.filter_map(|(index, one)| Some((index, one.chain.as_ref()?.second)));
        let mut settled = chains.filter(|(_, second)| second.plus(SETTLED) <= end);
        settled.find(|(_, second)| {
            let readers = self.partitions.iter().filter_map(|one| one.chain.as_ref());
            readers.filter(|chain| chain.second == *second).count() == 1
        })
    }
}
