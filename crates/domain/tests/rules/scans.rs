//! How far a run has read its list.

use std::collections::BTreeSet;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{Cursor, ProfileId};
use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::page::Tally;
use fanfare_domain::pass::{Pass, Phase};
use fanfare_domain::run::{Opened, PagesTaken, SourceRun, SyncStatus};
use fanfare_domain::scan::{JoinTimes, OneSecond, Partition, PartitionNumber, Scan, ScannedPage};
use fanfare_domain::time::Timestamp;
use proptest::prelude::*;

use crate::runs::queued;
use crate::world::at;

pub(crate) const FIRST: PartitionNumber = 0;

/// "Now" in these tests: after all joins.
pub(crate) const END: i64 = 100_000;

pub(crate) fn cursor(n: u64) -> Cursor {
    Cursor::parse(format!("c{n}")).unwrap()
}

pub(crate) fn page(next: Option<u64>, joins: &[i64], new_profiles: u64) -> ScannedPage {
    ScannedPage {
        next: next.map(cursor),
        joins: JoinTimes::of(joins.iter().map(|time| Some(at(*time))), at(END)),
        one_second: None,
        profiles: PAGE.max(new_profiles),
        new_profiles,
    }
}

/// Profiles on a page where nothing else is said.
pub(crate) const PAGE: u64 = 100;

pub(crate) fn scan(run: &SourceRun) -> &Scan {
    run.run().pass.scan().expect("a run that reads")
}

/// The partitions that may be asked for their next page.
pub(crate) fn numbers(run: &SourceRun) -> Vec<PartitionNumber> {
    scan(run)
        .ready()
        .map(|partition| partition.number)
        .collect()
}

/// Whether the whole list is read.
pub(crate) fn is_read(run: &SourceRun) -> bool {
    *run.run().pass.phase() == Phase::AddingMembers { after_page: None }
}

/// A run that is reading a list of `total` profiles.
pub(crate) fn reading(total: Option<u64>) -> SourceRun {
    let mut run = queued();
    run.claim(false, at(END)).unwrap();
    let opened = Opened {
        total,
        ..Opened::default()
    };
    run.open(opened, at(END)).unwrap();
    run
}

/// Counts a page, moves behind it, and splits what is left among up to `most` partitions.
pub(crate) fn take_and_split(
    run: &mut SourceRun,
    partition: PartitionNumber,
    page: ScannedPage,
    most: usize,
) {
    let tally = Tally {
        processed: page.new_profiles,
        unchanged: page.new_profiles,
        ..Tally::default()
    };
    let taken = PagesTaken {
        pages: vec![(partition, page)],
        tally,
        ..PagesTaken::default()
    };
    run.take_pages(taken, most, at(END)).unwrap();
}

/// The same without splitting.
pub(crate) fn take(run: &mut SourceRun, partition: PartitionNumber, page: ScannedPage) {
    take_and_split(run, partition, page, 1);
}

/// Where members without a join time come in a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnknownJoins {
    First,
    Last,
    /// Last, whether the earliest or the latest come first.
    AlwaysLast,
}

/// In which order the members of one second come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    /// By their ids, and in the reverse order where the latest come first.
    Reversed,
    /// By their ids, also where the latest come first.
    AlwaysAscending,
    /// Not by their ids.
    Unordered,
}

/// A list by its members' join times, and a run that reads it page by page.
pub(crate) struct Shared {
    /// In the order of the list, the earliest first.
    pub(crate) joins: Vec<Option<i64>>,
    unknown_joins: UnknownJoins,
    pub(crate) ties: Ties,
    refuses_ranges: bool,
    page: usize,
    pub(crate) run: SourceRun,
    pub(crate) seen: BTreeSet<usize>,
    pub(crate) pages: usize,
}

impl Shared {
    /// A list whose members all have a join time.
    pub(crate) fn of(joins: Vec<i64>, ties: Ties, page: usize) -> Self {
        Self {
            ties,
            ..Self::new(joins, 0, UnknownJoins::Last, page)
        }
    }

    fn new(mut joins: Vec<i64>, unknown: usize, unknown_joins: UnknownJoins, page: usize) -> Self {
        joins.sort_unstable();
        let mut joins: Vec<_> = joins.into_iter().map(Some).collect();
        let place = match unknown_joins {
            UnknownJoins::First => 0,
            UnknownJoins::Last | UnknownJoins::AlwaysLast => joins.len(),
        };
        joins.splice(place..place, std::iter::repeat_n(None, unknown));
        Self {
            run: reading(Some(joins.len() as u64)),
            joins,
            unknown_joins,
            ties: Ties::Reversed,
            refuses_ranges: false,
            page,
            seen: BTreeSet::new(),
            pages: 0,
        }
    }

    /// The members from `from` on, behind the cursor's, as Klaviyo would answer; `None` for a refusal.
    fn answer(&self, partition: &Partition) -> Option<(Vec<usize>, Option<u64>)> {
        let mut order: Vec<usize> = (0..self.joins.len()).collect();
        if partition.order == MemberOrder::LatestFirst {
            order.reverse();
            if self.ties == Ties::AlwaysAscending {
                order.sort_by_key(|n| (self.joins[*n].map(|joined| -joined), *n));
            }
            if self.unknown_joins == UnknownJoins::AlwaysLast {
                order.sort_by_key(|n| self.joins[*n].is_none());
            }
        }
        if self.refuses_ranges && partition.from.is_some() {
            return None;
        }
        let behind: usize = partition.cursor.as_ref().map_or(0, |cursor| {
            cursor.as_str().trim_start_matches('c').parse().unwrap()
        });
        let is_within = |n: &usize| {
            let joined = self.joins[*n].map(at);
            let until = partition.until.filter(|_| partition.reads_backwards());
            partition.from.is_none_or(|from| joined >= Some(from))
                && until.is_none_or(|until| joined < Some(until))
        };
        let range = (behind..order.len()).filter(|position| is_within(&order[*position]));
        let mut range = range.peekable();
        let page: Vec<usize> = range.by_ref().take(self.page).collect();
        let last = page.last().map_or(order.len(), |last| last + 1);
        let next = range.peek().is_some().then_some(last as u64);
        Some((
            page.into_iter().map(|position| order[position]).collect(),
            next,
        ))
    }

    /// Takes the page of the partition that is chosen.
    fn step(&mut self, choice: usize) {
        let ready: Vec<Partition> = scan(&self.run).ready().cloned().collect();
        let partition = &ready[choice % ready.len()];
        let answer = self.answer(partition);
        self.take(partition.number, answer);
    }

    /// Requests the pages of all partitions, and takes them one after the other.
    pub(crate) fn round(&mut self) {
        let ready: Vec<Partition> = scan(&self.run).ready().cloned().collect();
        let answers = ready.iter().map(|one| (one.number, self.answer(one)));
        for (number, answer) in answers.collect::<Vec<_>>() {
            if self.run.run().pass.scan().is_some() {
                self.take(number, answer);
            }
        }
    }

    fn id(&self, number: usize) -> ProfileId {
        let number = match self.ties {
            Ties::Unordered => number * 7_919 % 10_007,
            Ties::Reversed | Ties::AlwaysAscending => number,
        };
        ProfileId::parse(format!("P{number:06}")).unwrap()
    }

    fn take(&mut self, number: PartitionNumber, answer: Option<(Vec<usize>, Option<u64>)>) {
        self.pages += 1;
        let Some((members, next)) = answer else {
            assert!(self.run.drop_range(number));
            return;
        };
        let new = members.iter().filter(|n| !self.seen.contains(n)).count();
        let joins = members.iter().map(|n| self.joins[*n].map(at));
        let ids: Vec<ProfileId> = members.iter().map(|n| self.id(*n)).collect();
        let taken = ScannedPage {
            joins: JoinTimes::of(joins.clone(), at(END)),
            one_second: OneSecond::of(ids.iter().zip(joins)),
            profiles: members.len() as u64,
            ..page(next, &[], new as u64)
        };
        self.seen.extend(members);
        take_and_split(&mut self.run, number, taken, 8);
    }

    /// Reads to the end, as the choices say. Klaviyo's second count is `count`.
    pub(crate) fn read(&mut self, choices: Vec<usize>, count: Option<u64>) {
        for choice in choices.into_iter().cycle() {
            assert!(self.pages < 3_000, "the scan does not end");
            match self.run.run().pass.phase() {
                Phase::ComparingCounts => self.run.compare_counts(count, at(END)).unwrap(),
                Phase::AddingMembers { .. } => return,
                _ => {
                    assert!(numbers(&self.run).len() <= 9, "a chain has one more");
                    self.step(choice);
                }
            }
        }
    }
}

/// How many pages are read again if few members on a page are in order by chance: both ends of a chain then seem to have
/// met too early, the count tells that somebody was missed, and the list is read whole.
fn again(ties: Ties, alone: usize) -> usize {
    if ties == Ties::Unordered { alone } else { 0 }
}

/// The most pages of a list that would have so many if it was not divided. A division costs one page in vain at most, and one
/// that two partitions have in common; the list's end is read twice, and looked at once more before the first division. A
/// chain that is read from both ends costs three more.
pub(crate) fn most_pages(ties: Ties, alone: usize) -> usize {
    let late_divisions = if alone > 40 { (alone / 20).min(8) } else { 0 };
    alone + 5 * (alone / 20) + 2 * late_divisions + 2 + again(ties, alone)
}

proptest! {
    #[test]
    fn every_member_is_seen_whatever_the_joins_and_whichever_partition_is_quickest(
        joins in prop::collection::vec(prop_oneof![0_i64..END, 500_i64..510, Just(700_i64)], 0..400),
        page in 1_usize..8,
        ties in prop::sample::select(vec![Ties::Reversed, Ties::AlwaysAscending, Ties::Unordered]),
        choices in prop::collection::vec(0_usize..100, 1..50),
    ) {
        let mut shared = Shared::new(joins, 0, UnknownJoins::Last, page);
        shared.ties = ties;
        let members = shared.joins.len();
        shared.read(choices, None);
        prop_assert_eq!(shared.seen.len(), members);
        let alone = members.div_ceil(page).max(1);
        let most = most_pages(ties, alone);
        prop_assert!(shared.pages <= most, "{} pages instead of {alone}", shared.pages);
    }

    #[test]
    fn every_member_is_seen_also_those_without_a_join_time_and_where_ranges_are_refused(
        joins in prop::collection::vec(prop_oneof![0_i64..END, Just(700_i64), Just(2 * END)], 0..300),
        unknown in 0_usize..30,
        unknown_joins in prop::sample::select(vec![UnknownJoins::First, UnknownJoins::Last, UnknownJoins::AlwaysLast]),
        refuses_ranges: bool,
        is_counted_again: bool,
        page in 1_usize..8,
        choices in prop::collection::vec(0_usize..100, 1..50),
    ) {
        let mut shared = Shared::new(joins, unknown, unknown_joins, page);
        shared.refuses_ranges = refuses_ranges;
        let members = shared.joins.len();
        shared.read(choices, is_counted_again.then_some(members as u64));
        prop_assert_eq!(shared.seen.len(), members);
    }

    #[test]
    fn the_range_to_fall_back_to_is_the_latest_join_seen(mut joins in prop::collection::vec(0_i64..100, 1..30)) {
        joins.sort_unstable();
        let mut run = reading(None);
        for (n, joined) in (0_u64..).zip(&joins) {
            take(&mut run, FIRST, page(Some(n), &[*joined], 1));
        }
        prop_assert!(run.reposition(FIRST));
        prop_assert!(!run.reposition(FIRST));
        let partition = &scan(&run).partitions()[0];
        prop_assert_eq!(partition.from, joins.into_iter().max().map(at));
        prop_assert_eq!(&partition.cursor, &None);
    }

    #[test]
    fn a_position_survives_being_stored(steps in 0_u64..200) {
        let mut run = reading(Some(1_000_000));
        for n in 0..steps {
            let joined = i64::try_from(n).unwrap();
            take_and_split(&mut run, FIRST, page(Some(n), &[joined], 100), 8);
        }
        let pass = &run.run().pass;
        let text = serde_json::to_string(pass).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Pass>(&text).unwrap(), pass);
    }
}

#[test]
fn the_last_page_leads_to_reconciling() {
    let mut run = reading(None);
    take(&mut run, FIRST, page(Some(1), &[], 100));
    assert!(!is_read(&run));
    take(&mut run, FIRST, page(None, &[], 7));
    assert!(is_read(&run));
}

#[test]
fn the_last_page_ends_a_scan_however_many_pages_had_no_new_profiles() {
    let mut run = reading(None);
    for n in 0..1_000 {
        take(&mut run, FIRST, page(Some(n), &[], 0));
    }
    take(&mut run, FIRST, page(None, &[], 0));
    assert!(is_read(&run));
}

#[test]
fn pages_without_new_profiles_end_the_run_when_there_are_too_many() {
    let mut run = reading(None);
    for n in 0..1_000 {
        take(&mut run, FIRST, page(Some(n), &[], 0));
    }
    take(&mut run, FIRST, page(Some(1_000), &[], 0));
    let error = run.run().error.as_ref().unwrap();
    assert_eq!(error.code, FailureCode::CursorLoop);
    assert_eq!(run.source().status, SyncStatus::Failed);
}

#[test]
fn a_range_read_anew_may_pass_the_same_cursors_again() {
    let mut run = reading(None);
    for n in 0..50 {
        take(&mut run, FIRST, page(Some(n), &[], 1));
    }
    assert!(run.reposition(FIRST));
    for n in 0..50 {
        take(&mut run, FIRST, page(Some(n), &[], 0));
    }
    assert!(run.is_active());
}

#[test]
fn joins_in_the_future_count_as_now() {
    let joins = JoinTimes::of([Some(at(5)), Some(at(900))], at(10));
    let capped = JoinTimes::of([Some(at(5)), Some(at(10))], at(10));
    assert_eq!(joins, capped);
}

#[test]
fn a_cursor_that_is_forgotten_in_a_disordered_list_begins_it_anew() {
    for out_of_range in [page(Some(2), &[50, 40], 2), page(Some(2), &[20], 1)] {
        let mut run = reading(Some(10_000));
        take(&mut run, FIRST, page(Some(1), &[30], 100));
        take(&mut run, FIRST, out_of_range);
        assert!(run.reposition(FIRST));

        let partition = &scan(&run).partitions()[0];
        assert_eq!((partition.from, &partition.cursor), (None, &None));
        take(&mut run, FIRST, page(Some(3), &[20], 100));
        assert!(run.reposition(FIRST));
        assert_eq!(scan(&run).partitions()[0].from, None);
        assert!(!run.reposition(FIRST), "no cursor to give up");
    }
}

#[test]
fn a_time_is_taken_back_to_the_beginning_of_its_second() {
    for (micros, second) in [
        (1_999_999, 1_000_000),
        (2_000_000, 2_000_000),
        (-1, -1_000_000),
    ] {
        let time = Timestamp::from_micros(micros).unwrap();
        assert_eq!(time.whole_second().as_micros(), second);
    }
}
