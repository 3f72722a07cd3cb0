//! Lists that have to be read whole, in one partition and without a filter.

use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::run::SourceRun;
use fanfare_domain::scan::{JoinTimes, ScannedPage};

use crate::dividing::two_partitions;
use crate::scans::*;
use crate::world::at;

#[test]
fn a_disordered_list_is_read_on_in_the_partition_that_began_without_a_filter() {
    for out_of_range in [page(Some(7), &[60_000, 59_000], 2), page(Some(7), &[20], 1)] {
        let mut run = two_partitions();
        take_and_split(&mut run, 2, out_of_range, 8);
        let partitions = scan(&run).partitions().to_vec();
        assert_eq!(partitions.len(), 1);
        assert_eq!((partitions[0].from, partitions[0].until), (None, None));
        assert_eq!(partitions[0].cursor, Some(cursor(1)));

        take(&mut run, 2, page(Some(3), &[61_000], 100));
        assert_eq!(
            numbers(&run),
            [FIRST],
            "a partition of before moves nothing"
        );
        take(&mut run, FIRST, page(Some(4), &[9, 8], 2));
        take(&mut run, FIRST, page(None, &[7], 1));
        assert!(is_read(&run));
    }
}

#[test]
fn a_disordered_list_is_read_anew_if_the_partition_that_began_without_a_filter_has_finished() {
    let mut run = two_partitions();
    take(&mut run, FIRST, page(Some(2), &[60_000], 100));
    take(&mut run, 2, page(Some(7), &[60_000, 59_000], 2));
    let partition = &scan(&run).partitions()[0];
    assert_eq!((partition.from, &partition.cursor), (None, &None));
    assert_eq!(numbers(&run), [3]);
    take(&mut run, 3, page(None, &[9, 8], 2));
    assert!(is_read(&run));
}

fn page_without_join_times(next: Option<u64>) -> ScannedPage {
    ScannedPage {
        joins: JoinTimes::of([Some(at(50)), None], at(END)),
        ..page(next, &[], 2)
    }
}

#[test]
fn a_list_with_a_member_without_a_join_time_is_never_split() {
    let mut run = reading(Some(100_000));
    take_and_split(&mut run, FIRST, page_without_join_times(Some(1)), 8);
    take_and_split(&mut run, FIRST, page(Some(2), &[60, 70], 100), 8);
    assert_eq!(numbers(&run), [FIRST]);
    assert!(run.reposition(FIRST));
    assert_eq!(scan(&run).partitions()[0].from, None);
    take(&mut run, FIRST, page(None, &[80], 100));
    assert!(
        is_read(&run),
        "no count is asked for: nobody can be missing"
    );
}

#[test]
fn a_member_without_a_join_time_at_the_lists_end_ends_the_division() {
    let mut run = reading(Some(100_000));
    take_and_split(&mut run, FIRST, page(Some(1), &[0, 10], 100), 8);
    assert_eq!(numbers(&run).len(), 8);
    take_and_split(&mut run, 1, page_without_join_times(None), 8);
    let partition = &scan(&run).partitions()[0];
    assert_eq!(numbers(&run), [FIRST]);
    assert_eq!(
        (partition.until, &partition.cursor),
        (None, &Some(cursor(1)))
    );
}

#[test]
fn a_refused_range_leaves_one_reader_and_a_refused_order_one_without_an_order() {
    let mut run = reading(Some(100_000));
    take_and_split(&mut run, FIRST, page(Some(1), &[0, 10], 100), 8);
    for refused in [2, 3] {
        assert!(run.drop_range(refused));
        assert_eq!(numbers(&run), [FIRST]);
    }
    assert!(run.drop_range(FIRST));
    let partition = &scan(&run).partitions()[0];
    assert_eq!(
        (partition.order, &partition.cursor),
        (MemberOrder::Unsorted, &None)
    );
    let alone = partition.number;
    assert!(!run.drop_range(alone), "nothing is left to drop");
    take_and_split(&mut run, alone, page(Some(5), &[70, 10], 100), 8);
    take_and_split(&mut run, alone, page(None, &[20], 100), 8);
    assert!(is_read(&run));
}

#[test]
fn a_range_to_fall_back_to_is_not_asked_for_before_the_lists_end_was_looked_at() {
    let mut run = reading(Some(300));
    take(&mut run, FIRST, page(Some(1), &[0, 10], 100));
    assert!(run.reposition(FIRST));
    let orders = |run: &SourceRun| -> Vec<_> {
        scan(run).ready().map(|partition| partition.order).collect()
    };
    assert_eq!(
        orders(&run),
        [MemberOrder::EarliestFirst, MemberOrder::LatestFirst]
    );
    take(&mut run, 1, page_without_join_times(Some(9)));
    let partition = &scan(&run).partitions()[0];
    assert_eq!((partition.from, partition.number), (None, 2));
}

/// A run that was read by ranges and saw `seen` of the `total` profiles that were counted at its start.
fn read_by_ranges(seen: u64, total: Option<u64>) -> SourceRun {
    let mut run = reading(total);
    take(&mut run, FIRST, page(Some(1), &[0, 10], seen));
    assert!(run.reposition(FIRST));
    take(&mut run, 1, page(None, &[20, 10], 0));
    take(&mut run, FIRST, page(None, &[20], 0));
    run
}

#[test]
fn a_list_read_by_ranges_is_read_whole_if_more_are_counted_than_were_seen() {
    let is_read_whole = |total, count| {
        let mut run = read_by_ranges(100, total);
        if is_read(&run) {
            return None;
        }
        run.compare_counts(count, at(END)).unwrap();
        if is_read(&run) {
            return Some(false);
        }
        take_and_split(&mut run, FIRST, page(Some(5), &[0, 10], 0), 8);
        assert_eq!(numbers(&run), [FIRST]);
        take(&mut run, FIRST, page_without_join_times(None));
        assert!(is_read(&run), "it is read whole once");
        Some(true)
    };
    for enough in [100, 99] {
        assert_eq!(
            is_read_whole(Some(enough), None),
            None,
            "no count is asked for"
        );
    }
    assert_eq!(is_read_whole(Some(101), Some(101)), Some(true));
    assert_eq!(
        is_read_whole(Some(101), Some(100)),
        Some(false),
        "one has left"
    );
    assert_eq!(is_read_whole(Some(101), None), Some(true));
    assert_eq!(is_read_whole(None, Some(101)), Some(true));
    assert_eq!(is_read_whole(None, Some(100)), Some(false));
    assert_eq!(
        is_read_whole(None, None),
        Some(false),
        "there is nothing to compare"
    );
}
