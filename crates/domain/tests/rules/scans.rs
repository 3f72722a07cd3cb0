//! How far a run has read its list.

use std::collections::BTreeSet;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::Cursor;
use fanfare_domain::page::Tally;
use fanfare_domain::pass::{Pass, Phase};
use fanfare_domain::run::{Opened, PagesTaken, SourceRun, SyncStatus};
use fanfare_domain::scan::{JoinTimes, Partition, PartitionNumber, Scan, ScannedPage};
use fanfare_domain::time::Timestamp;
use proptest::prelude::*;

use crate::runs::queued;
use crate::world::at;

const FIRST: PartitionNumber = 0;

/// "Now" in these tests: after all joins.
const END: i64 = 100_000;

fn cursor(n: u64) -> Cursor {
    Cursor::parse(format!("c{n}")).unwrap()
}

fn page(next: Option<u64>, joins: &[i64], new_profiles: u64) -> ScannedPage {
    ScannedPage {
        next: next.map(cursor),
        joins: JoinTimes::of(joins.iter().map(|time| Some(at(*time))), at(END)),
        profiles: PAGE.max(new_profiles),
        new_profiles,
    }
}

/// Profiles on a page where nothing else is said.
const PAGE: u64 = 100;

fn scan(run: &SourceRun) -> &Scan {
    run.run().pass.scan().expect("a run that reads")
}

/// The partitions that may be asked for their next page.
fn numbers(run: &SourceRun) -> Vec<PartitionNumber> {
    scan(run)
        .ready()
        .map(|partition| partition.number)
        .collect()
}

/// Whether the whole list is read.
fn is_read(run: &SourceRun) -> bool {
    *run.run().pass.phase() == Phase::AddingMembers { after: None }
}

/// A run that is reading a list of `total` profiles.
fn reading(total: Option<u64>) -> SourceRun {
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
fn take_and_split(run: &mut SourceRun, partition: PartitionNumber, page: ScannedPage, most: usize) {
    let tally = Tally {
        processed: page.new_profiles,
        unchanged: page.new_profiles,
        ..Tally::default()
    };
    let taken = PagesTaken {
        pages: vec![(partition, page)],
        tally,
        members_added: 0,
    };
    run.take_pages(taken, most, at(END)).unwrap();
}

/// The same without splitting.
fn take(run: &mut SourceRun, partition: PartitionNumber, page: ScannedPage) {
    take_and_split(run, partition, page, 1);
}

/// A list by its members' join times, and a run that reads it page by page.
struct Shared<'a> {
    joins: &'a [i64],
    page: usize,
    run: SourceRun,
    seen: BTreeSet<usize>,
    pages: usize,
}

impl Shared<'_> {
    /// The members from `from` on, behind the cursor's, as Klaviyo would answer.
    fn answer(&self, partition: &Partition) -> (Vec<usize>, Option<u64>) {
        let behind: usize = partition.cursor.as_ref().map_or(0, |cursor| {
            cursor.as_str().trim_start_matches('c').parse().unwrap()
        });
        let range = (behind..self.joins.len())
            .filter(|n| partition.from.is_none_or(|from| at(self.joins[*n]) >= from));
        let page: Vec<usize> = range.take(self.page).collect();
        let last = page.last().map_or(self.joins.len(), |last| last + 1);
        (page, (last < self.joins.len()).then_some(last as u64))
    }

    /// Takes the page of the partition that is chosen.
    fn step(&mut self, choice: usize) {
        let ready: Vec<Partition> = scan(&self.run).ready().cloned().collect();
        let partition = &ready[choice % ready.len()];
        let (members, next) = self.answer(partition);
        let new = members.iter().filter(|n| !self.seen.contains(n)).count();
        let joins: Vec<i64> = members.iter().map(|n| self.joins[*n]).collect();
        self.seen.extend(members);
        self.pages += 1;
        let taken = ScannedPage {
            profiles: joins.len() as u64,
            ..page(next, &joins, new as u64)
        };
        take_and_split(&mut self.run, partition.number, taken, 8);
    }
}

proptest! {
    #[test]
    fn every_member_is_seen_whatever_the_joins_and_whichever_partition_is_quickest(
        mut joins in prop::collection::vec(prop_oneof![0_i64..END, 500_i64..510, Just(700_i64)], 0..400),
        page in 1_usize..8,
        choices in prop::collection::vec(0_usize..100, 1..50),
    ) {
        joins.sort_unstable();
        let mut shared = Shared {
            joins: &joins,
            page,
            run: reading(Some(joins.len() as u64)),
            seen: BTreeSet::new(),
            pages: 0,
        };
        for choice in choices.into_iter().cycle() {
            if is_read(&shared.run) {
                break;
            }
            prop_assert!(numbers(&shared.run).len() <= 8);
            prop_assert!(shared.pages < 2_000, "the scan does not end");
            shared.step(choice);
        }
        prop_assert_eq!(shared.seen.len(), joins.len());
        // A division costs one page in vain at most, and one that two partitions have in common; the list's
        // end is read twice.
        let alone = joins.len().div_ceil(page).max(1);
        let most = alone + 2 * (alone / 20) + 1;
        prop_assert!(shared.pages <= most, "{} pages instead of {alone}", shared.pages);
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
    let joins = JoinTimes::of([Some(at(5)), None, Some(at(900))], at(10));
    let capped = JoinTimes::of([Some(at(5)), Some(at(10))], at(10));
    assert_eq!(joins, capped);
}

#[test]
fn a_long_list_is_split_by_join_times_and_a_short_one_is_not() {
    let mut run = reading(Some(100_000));
    assert_eq!(numbers(&run).len(), 1, "its beginning is not known yet");
    take_and_split(&mut run, FIRST, page(Some(1), &[0, 10], 100), 8);
    assert_eq!(numbers(&run).len(), 8);
    let partitions = scan(&run).partitions().iter();
    let ranges: Vec<_> = partitions.map(|one| (one.from, one.until)).collect();
    for pair in ranges.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "one ends where the next begins");
    }
    assert_eq!(ranges[7].1, None, "one reads to the list's end");

    let mut short = reading(Some(400));
    take_and_split(&mut short, FIRST, page(Some(1), &[0, 10], 100), 8);
    assert_eq!(numbers(&short), [FIRST]);
}

#[test]
fn a_list_of_unknown_length_gets_more_partitions_as_it_proves_to_be_long() {
    let mut run = reading(None);
    let mut partitions = Vec::new();
    for n in 0..80 {
        let joined = i64::try_from(n).unwrap();
        take_and_split(&mut run, FIRST, page(Some(n), &[joined], 100), 8);
        partitions.push(numbers(&run).len());
    }
    assert_eq!((partitions[0], partitions[9], partitions[79]), (1, 2, 8));
}

/// Two partitions: one from the beginning, one from the middle to the list's end.
fn two_partitions() -> SourceRun {
    let mut run = reading(Some(2_000));
    take_and_split(&mut run, FIRST, page(Some(1), &[0, 10], 100), 2);
    assert_eq!(numbers(&run), [0, 1]);
    run
}

#[test]
fn the_partition_at_the_lists_end_looks_there_again_when_the_others_have_finished() {
    let mut run = two_partitions();
    take(&mut run, 1, page(Some(9), &[60_000], 100));
    take(&mut run, 1, page(None, &[70_000], 100));
    assert_eq!(numbers(&run), [0], "it waits");

    take(&mut run, 0, page(Some(2), &[55_000], 100));
    assert_eq!(numbers(&run), [1]);
    let last = &scan(&run).partitions()[0];
    assert_eq!(
        last.cursor,
        Some(cursor(9)),
        "a last page of one second is read again"
    );

    take(&mut run, 1, page(None, &[70_000, 80_000], 1));
    assert!(is_read(&run));
}

#[test]
fn of_a_last_page_of_several_seconds_only_the_latest_is_read_again() {
    let mut run = two_partitions();
    take(&mut run, 1, page(None, &[60_000, 70_000, 70_000], 100));
    take(&mut run, 0, page(Some(2), &[55_000], 100));
    let last = &scan(&run).partitions()[0];
    assert_eq!((last.from, &last.cursor), (Some(at(70_000)), &None));

    take(&mut run, 1, page(None, &[70_000, 70_000, 80_000], 1));
    assert!(is_read(&run));
}

#[test]
fn a_disordered_list_is_read_anew_as_one_partition() {
    for out_of_range in [page(Some(7), &[60_000, 59_000], 2), page(Some(7), &[20], 1)] {
        let mut run = two_partitions();
        take_and_split(&mut run, 1, out_of_range, 8);
        let partitions = scan(&run).partitions().to_vec();
        assert_eq!(partitions.len(), 1);
        assert_eq!((partitions[0].from, partitions[0].until), (None, None));

        let alone = partitions[0].number;
        take(&mut run, 0, page(Some(3), &[11], 100));
        assert_eq!(
            numbers(&run),
            [alone],
            "a partition of before moves nothing"
        );
        take(&mut run, alone, page(Some(4), &[9, 8], 2));
        take(&mut run, alone, page(None, &[7], 1));
        assert!(is_read(&run));
    }
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
fn after_a_crash_the_partitions_are_read_one_by_one_until_each_has_had_its_page() {
    let mut run = two_partitions();
    run.claim(true, at(END)).unwrap();
    assert_eq!((numbers(&run), run.run().crashes), (vec![0], 1));
    take_and_split(&mut run, 0, page(Some(2), &[11], 100), 8);
    assert_eq!((numbers(&run), run.run().crashes), (vec![1], 1));
    take(&mut run, 1, page(Some(9), &[60_000], 100));
    assert_eq!((numbers(&run), run.run().crashes), (vec![0, 1], 0));
}

#[test]
fn a_page_that_kills_its_worker_ends_the_run_though_other_partitions_get_on() {
    let mut run = two_partitions();
    for crash in 1..=3 {
        assert_eq!(
            run.run().status,
            SyncStatus::Syncing,
            "before crash {crash}"
        );
        run.claim(true, at(END)).unwrap();
        if crash < 3 {
            take(&mut run, 0, page(Some(20 + crash), &[11], 100));
        }
    }
    let error = run.run().error.as_ref().unwrap();
    assert_eq!(error.code, FailureCode::WorkerCrashed);
}

/// Counts a failed answer. Returns whether the run is still active.
fn fail(run: &mut SourceRun, partition: PartitionNumber) -> bool {
    run.count_failure(
        Some(partition),
        FailureCode::UpstreamUnavailable,
        "",
        at(END),
    )
    .unwrap();
    run.is_active()
}

#[test]
fn five_failed_answers_for_one_page_end_the_run_though_other_partitions_get_on() {
    let mut run = two_partitions();
    assert!(fail(&mut run, 1));
    // What was on its way.
    take(&mut run, 0, page(Some(2), &[11], 100));
    for _ in 0..3 {
        assert_eq!(numbers(&run), [1], "it is asked for alone");
        assert!(fail(&mut run, 1));
    }
    assert!(!fail(&mut run, 1));
}

#[test]
fn failed_answers_for_different_pages_are_not_added_up() {
    let mut run = two_partitions();
    for partition in [1, 0] {
        assert!(fail(&mut run, partition));
    }
    for (partition, joined) in [(0, 11), (1, 60_000)] {
        for _ in 0..3 {
            assert_eq!(numbers(&run), [partition]);
            assert!(fail(&mut run, partition));
        }
        take(&mut run, partition, page(Some(20), &[joined], 100));
    }
    assert_eq!((numbers(&run), run.run().failures), (vec![0, 1], 0));
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
