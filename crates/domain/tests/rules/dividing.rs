//! How a list is divided among partitions.

use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::pass::Phase;
use fanfare_domain::run::SourceRun;

use crate::scans::{FIRST, cursor, numbers, page, reading, scan, take, take_and_split};
use crate::world::at;

#[test]
fn a_long_list_is_split_by_join_times_and_a_short_one_is_not() {
    let mut run = reading(Some(100_000));
    assert_eq!(numbers(&run).len(), 1, "its beginning is not known yet");
    take_and_split(&mut run, FIRST, page(Some(1), &[0, 10], 100), 8);
    assert_eq!(numbers(&run).len(), 8);
    let partitions = scan(&run).partitions().iter();
    let ranges: Vec<_> = partitions.map(|one| (one.from, one.until)).collect();
    for pair in ranges[..7].windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "one ends where the next begins");
    }
    assert_eq!(ranges[6].1, None, "one reads to the list's end");
    assert_eq!(ranges[7], (None, None), "one looks at it");

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
    // One page of the list's end comes first, which this test does not take: it stays.
    assert_eq!((partitions[0], partitions[9], partitions[79]), (1, 4, 8));
}

/// Two partitions, 0 and 2: one from the beginning, one from the middle to the list's end. Partition 1 has looked
/// at the list's end.
pub(crate) fn two_partitions() -> SourceRun {
    let mut run = reading(Some(2_000));
    take_and_split(&mut run, FIRST, page(Some(1), &[0, 10], 100), 2);
    assert_eq!(numbers(&run), [0, 1]);
    assert_eq!(scan(&run).partitions()[1].order, MemberOrder::LatestFirst);
    take_and_split(&mut run, 1, page(Some(9), &[80_000, 70_000], 100), 2);
    assert_eq!(numbers(&run), [0, 2]);
    run
}

#[test]
fn the_partition_at_the_lists_end_looks_there_again_when_the_others_have_finished() {
    let mut run = two_partitions();
    take(&mut run, 2, page(Some(9), &[60_000], 100));
    take(&mut run, 2, page(None, &[70_000], 100));
    assert_eq!(numbers(&run), [0], "it waits");

    take(&mut run, 0, page(Some(2), &[55_000], 100));
    assert_eq!(numbers(&run), [2]);
    let last = &scan(&run).partitions()[0];
    assert_eq!(
        last.cursor,
        Some(cursor(9)),
        "a last page of one second is read again"
    );

    take(&mut run, 2, page(None, &[70_000, 80_000], 1));
    assert_eq!(*run.run().pass.phase(), Phase::ComparingCounts);
}

#[test]
fn of_a_last_page_of_several_seconds_only_the_latest_is_read_again() {
    let mut run = two_partitions();
    take(&mut run, 2, page(None, &[60_000, 70_000, 70_000], 100));
    take(&mut run, 0, page(Some(2), &[55_000], 100));
    let last = &scan(&run).partitions()[0];
    assert_eq!((last.from, &last.cursor), (Some(at(70_000)), &None));

    take(&mut run, 2, page(None, &[70_000, 70_000, 80_000], 1));
    assert_eq!(*run.run().pass.phase(), Phase::ComparingCounts);
}
