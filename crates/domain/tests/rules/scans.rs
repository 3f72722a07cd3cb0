//! A run's position.

use std::collections::BTreeSet;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::Cursor;
use fanfare_domain::page::Tally;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::scan::{Checkpoint, JoinTimes, Partition, PartitionNumber, Phase, ScannedPage};
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

fn numbers(checkpoint: &Checkpoint) -> Vec<PartitionNumber> {
    checkpoint
        .ready()
        .map(|partition| partition.number)
        .collect()
}

/// A run that is reading a list of `total` profiles.
fn reading(total: u64) -> SyncRun {
    let mut run = queued();
    run.claim(false, at(END)).unwrap();
    run.checkpoint.phase = Phase::Reading;
    run.progress.total = Some(total);
    run
}

/// Counts a page and moves behind it.
fn take(run: &mut SyncRun, partition: PartitionNumber, page: ScannedPage) {
    let tally = Tally {
        processed: page.new_profiles,
        unchanged: page.new_profiles,
        ..Tally::default()
    };
    run.count_pages(1, tally, 0).unwrap();
    run.advance(partition, page).unwrap();
}

/// A list by its members' join times, and a run that reads it page by page.
struct Shared<'a> {
    joins: &'a [i64],
    page: usize,
    run: SyncRun,
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

    /// Has the page of the partition that the dice choose.
    fn step(&mut self, dice: usize) {
        let ready: Vec<Partition> = self.run.checkpoint.ready().cloned().collect();
        let partition = &ready[dice % ready.len()];
        let (members, next) = self.answer(partition);
        let new = members.iter().filter(|n| !self.seen.contains(n)).count();
        let joins: Vec<i64> = members.iter().map(|n| self.joins[*n]).collect();
        self.seen.extend(members);
        self.pages += 1;
        let taken = ScannedPage {
            profiles: joins.len() as u64,
            ..page(next, &joins, new as u64)
        };
        take(&mut self.run, partition.number, taken);
        self.run.split(8, at(END));
    }
}

proptest! {
    #[test]
    fn whatever_the_joins_and_whoever_is_quickest_every_member_is_seen(
        mut joins in prop::collection::vec(prop_oneof![0_i64..END, 500_i64..510, Just(700_i64)], 0..400),
        page in 1_usize..8,
        dice in prop::collection::vec(0_usize..100, 1..50),
    ) {
        joins.sort_unstable();
        let mut shared = Shared {
            joins: &joins,
            page,
            run: reading(joins.len() as u64),
            seen: BTreeSet::new(),
            pages: 0,
        };
        for dice in dice.into_iter().cycle() {
            if shared.run.checkpoint.phase != Phase::Reading {
                break;
            }
            prop_assert!(numbers(&shared.run.checkpoint).len() <= 8);
            prop_assert!(shared.pages < 2_000, "the walk does not end");
            shared.step(dice);
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
        let mut checkpoint = Checkpoint::default();
        for (n, joined) in (0_u64..).zip(&joins) {
            checkpoint.advance(FIRST, page(Some(n), &[*joined], 1), n + 1).unwrap();
        }
        prop_assert!(checkpoint.reposition(FIRST));
        prop_assert!(!checkpoint.reposition(FIRST));
        let partition = &checkpoint.partitions[0];
        prop_assert_eq!(partition.from, joins.into_iter().max().map(at));
        prop_assert_eq!(&partition.cursor, &None);
    }

    #[test]
    fn a_position_survives_being_stored(steps in 0_u64..200) {
        let mut run = reading(1_000_000);
        for n in 0..steps {
            let joined = i64::try_from(n).unwrap();
            take(&mut run, FIRST, page(Some(n), &[joined], 100));
            run.split(8, at(END));
        }
        let text = serde_json::to_string(&run.checkpoint).unwrap();
        prop_assert_eq!(serde_json::from_str::<Checkpoint>(&text).unwrap(), run.checkpoint);
    }
}

#[test]
fn the_last_page_leads_to_settling() {
    let mut checkpoint = Checkpoint::default();
    checkpoint
        .advance(FIRST, page(Some(1), &[], 100), 1)
        .unwrap();
    checkpoint.advance(FIRST, page(None, &[], 7), 2).unwrap();
    assert_eq!(checkpoint.phase, Phase::Adding(None));
    assert!(checkpoint.partitions.is_empty());
}

#[test]
fn the_last_page_ends_a_walk_however_barren_it_was() {
    let mut checkpoint = Checkpoint::default();
    for n in 0..1_000 {
        checkpoint.advance(FIRST, page(Some(n), &[], 0), n).unwrap();
    }
    checkpoint
        .advance(FIRST, page(None, &[], 0), 1_001)
        .unwrap();
    assert_eq!(checkpoint.phase, Phase::Adding(None));
}

#[test]
fn a_range_read_anew_may_pass_the_same_cursors_again() {
    let mut checkpoint = Checkpoint::default();
    for n in 0..50 {
        checkpoint.advance(FIRST, page(Some(n), &[], 1), n).unwrap();
    }
    checkpoint.reposition(FIRST);
    for n in 0..50 {
        let passed = checkpoint.advance(FIRST, page(Some(n), &[], 0), 50 + n);
        passed.unwrap();
    }
}

#[test]
fn joins_in_the_future_count_as_now() {
    let joins = JoinTimes::of([Some(at(5)), None, Some(at(900))], at(10));
    let capped = JoinTimes::of([Some(at(5)), Some(at(10))], at(10));
    assert_eq!(joins, capped);
}

#[test]
fn a_long_list_is_shared_by_join_times_and_a_short_one_is_not() {
    let mut run = reading(100_000);
    run.split(8, at(END));
    assert_eq!(
        numbers(&run.checkpoint).len(),
        1,
        "its beginning is not known yet"
    );
    take(&mut run, FIRST, page(Some(1), &[0, 10], 100));
    run.split(8, at(END));
    assert_eq!(numbers(&run.checkpoint).len(), 8);
    let ranges: Vec<_> = run
        .checkpoint
        .partitions
        .iter()
        .map(|r| (r.from, r.until))
        .collect();
    for pair in ranges.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "one ends where the next begins");
    }
    assert_eq!(ranges[7].1, None, "one reads to the list's end");

    let mut short = reading(400);
    take(&mut short, FIRST, page(Some(1), &[0, 10], 100));
    short.split(8, at(END));
    assert_eq!(numbers(&short.checkpoint), [FIRST]);
}

#[test]
fn a_list_of_unknown_length_gets_more_readers_as_it_proves_to_be_long() {
    let mut run = reading(0);
    run.progress.total = None;
    let mut partitions = Vec::new();
    for n in 0..80 {
        take(
            &mut run,
            FIRST,
            page(Some(n), &[i64::try_from(n).unwrap()], 100),
        );
        run.split(8, at(END));
        partitions.push(numbers(&run.checkpoint).len());
    }
    assert_eq!((partitions[0], partitions[9], partitions[79]), (1, 2, 8));
}

/// Two partitions: one from the beginning, one from the middle to the list's end.
fn two_partitions() -> SyncRun {
    let mut run = reading(2_000);
    take(&mut run, FIRST, page(Some(1), &[0, 10], 100));
    run.split(2, at(END));
    assert_eq!(numbers(&run.checkpoint), [0, 1]);
    run
}

#[test]
fn whoever_reads_to_the_end_looks_there_again_when_the_others_have_finished() {
    let mut run = two_partitions();
    take(&mut run, 1, page(Some(9), &[60_000], 100));
    take(&mut run, 1, page(None, &[70_000], 100));
    assert_eq!(numbers(&run.checkpoint), [0], "it waits");

    take(&mut run, 0, page(Some(2), &[55_000], 100));
    assert_eq!(numbers(&run.checkpoint), [1]);
    let last = &run.checkpoint.partitions[0];
    assert_eq!(
        last.cursor,
        Some(cursor(9)),
        "a last page of one second is read again"
    );

    take(&mut run, 1, page(None, &[70_000, 80_000], 1));
    assert_eq!(run.checkpoint.phase, Phase::Adding(None));
}

#[test]
fn of_a_last_page_of_several_seconds_only_the_latest_is_read_again() {
    let mut run = two_partitions();
    take(&mut run, 1, page(None, &[60_000, 70_000, 70_000], 100));
    take(&mut run, 0, page(Some(2), &[55_000], 100));
    let last = &run.checkpoint.partitions[0];
    assert_eq!((last.from, &last.cursor), (Some(at(70_000)), &None));

    take(&mut run, 1, page(None, &[70_000, 70_000, 80_000], 1));
    assert_eq!(run.checkpoint.phase, Phase::Adding(None));
}

#[test]
fn a_list_in_disorder_is_read_anew_by_one_reader_from_one_end_to_the_other() {
    for astray in [page(Some(7), &[60_000, 59_000], 2), page(Some(7), &[20], 1)] {
        let mut run = two_partitions();
        take(&mut run, 1, astray);
        run.split(8, at(END));
        let partitions: Vec<_> = run.checkpoint.partitions.iter().collect();
        assert_eq!(partitions.len(), 1);
        assert_eq!((partitions[0].from, partitions[0].until), (None, None));

        let alone = partitions[0].number;
        take(&mut run, 0, page(Some(3), &[11], 100));
        assert_eq!(
            numbers(&run.checkpoint),
            [alone],
            "a partition of before moves nothing"
        );
        take(&mut run, alone, page(Some(4), &[9, 8], 2));
        take(&mut run, alone, page(None, &[7], 1));
        assert_eq!(run.checkpoint.phase, Phase::Adding(None));
    }
}

#[test]
fn a_cursor_that_is_forgotten_in_a_disordered_list_begins_it_anew() {
    for astray in [page(Some(2), &[50, 40], 2), page(Some(2), &[20], 1)] {
        let mut run = reading(10_000);
        take(&mut run, FIRST, page(Some(1), &[30], 100));
        take(&mut run, FIRST, astray);
        assert!(run.checkpoint.reposition(FIRST));

        let partition = &run.checkpoint.partitions[0];
        assert_eq!((partition.from, &partition.cursor), (None, &None));
        take(&mut run, FIRST, page(Some(3), &[20], 100));
        assert!(run.checkpoint.reposition(FIRST));
        assert_eq!(run.checkpoint.partitions[0].from, None);
        assert!(!run.checkpoint.reposition(FIRST), "no cursor to give up");
    }
}

#[test]
fn after_a_crash_the_readers_read_one_after_the_other_until_each_has_taken_its_page() {
    let mut run = two_partitions();
    run.claim(true, at(END)).unwrap();
    assert_eq!((numbers(&run.checkpoint), run.crashes), (vec![0], 1));
    take(&mut run, 0, page(Some(2), &[11], 100));
    run.split(8, at(END));
    assert_eq!((numbers(&run.checkpoint), run.crashes), (vec![1], 1));
    take(&mut run, 1, page(Some(9), &[60_000], 100));
    assert_eq!((numbers(&run.checkpoint), run.crashes), (vec![0, 1], 0));
}

#[test]
fn a_page_that_kills_its_worker_ends_the_run_though_other_readers_get_on() {
    let mut run = two_partitions();
    for crash in 1..=3 {
        assert_eq!(run.status, SyncStatus::Syncing, "before crash {crash}");
        run.claim(true, at(END)).unwrap();
        if crash < 3 {
            take(&mut run, 0, page(Some(20 + crash), &[11], 100));
        }
    }
    let error = run.error.unwrap();
    assert_eq!(error.code, FailureCode::WorkerCrashed);
}

fn fail(run: &mut SyncRun, partition: PartitionNumber) -> bool {
    run.count_failure(partition, FailureCode::UpstreamUnavailable, "", at(END))
        .unwrap()
}

#[test]
fn five_failed_answers_for_one_page_end_the_run_though_other_readers_get_on() {
    let mut run = two_partitions();
    assert!(fail(&mut run, 1));
    // What was on its way.
    take(&mut run, 0, page(Some(2), &[11], 100));
    for _ in 0..3 {
        assert_eq!(numbers(&run.checkpoint), [1], "it is asked for alone");
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
            assert_eq!(numbers(&run.checkpoint), [partition]);
            assert!(fail(&mut run, partition));
        }
        take(&mut run, partition, page(Some(20), &[joined], 100));
    }
    assert_eq!((numbers(&run.checkpoint), run.failures), (vec![0, 1], 0));
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
