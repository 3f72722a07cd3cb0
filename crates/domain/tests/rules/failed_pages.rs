//! Pages that kill their worker or are never answered, while other partitions are read.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::run::{SourceRun, SyncStatus};
use fanfare_domain::scan::PartitionNumber;

use crate::dividing::two_partitions;
use crate::scans::*;
use crate::world::at;

#[test]
fn after_a_crash_the_partitions_are_read_one_by_one_until_each_has_had_its_page() {
    let mut run = two_partitions();
    run.claim(true, at(END)).unwrap();
    assert_eq!((numbers(&run), run.run().crashes), (vec![0], 1));
    take_and_split(&mut run, 0, page(Some(2), &[11], 100), 8);
    assert_eq!((numbers(&run), run.run().crashes), (vec![2], 1));
    take(&mut run, 2, page(Some(9), &[60_000], 100));
    assert_eq!((numbers(&run), run.run().crashes), (vec![0, 2], 0));
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

#[test]
fn after_further_crashes_the_list_is_read_one_page_at_a_time_for_longer_and_the_ninth_ends_the_run()
{
    let mut run = two_partitions();
    let mut cursor = 100;
    let mut take_all_ready = |run: &mut SourceRun| {
        for number in numbers(run) {
            cursor += 1;
            let joined = if number == 0 { 11 } else { 60_000 };
            take(run, number, page(Some(cursor), &[joined], 100));
        }
    };
    for crash in 1..9 {
        run.claim(true, at(END)).unwrap();
        // Both partitions get past the place.
        for _ in 0..2 {
            assert_eq!(numbers(&run).len(), 1, "after crash {crash}");
            take_all_ready(&mut run);
        }
        assert_eq!(run.run().crashes, 0, "after crash {crash}");
        if crash == 2 {
            for _ in 2..16 {
                assert_eq!(numbers(&run).len(), 1);
                take_all_ready(&mut run);
            }
            assert!(numbers(&run).len() > 1, "beside each other again");
        }
    }
    run.claim(true, at(END)).unwrap();
    let error = run.run().error.as_ref().unwrap();
    assert_eq!(error.code, FailureCode::WorkerCrashed);
    assert!(
        error.message.contains("9 times on the way"),
        "{}",
        error.message
    );
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
    assert!(fail(&mut run, 2));
    // What was on its way.
    take(&mut run, 0, page(Some(2), &[11], 100));
    for _ in 0..3 {
        assert_eq!(numbers(&run), [2], "it is asked for alone");
        assert!(fail(&mut run, 2));
    }
    assert!(!fail(&mut run, 2));
}

#[test]
fn failed_answers_for_different_pages_are_not_added_up() {
    let mut run = two_partitions();
    for partition in [2, 0] {
        assert!(fail(&mut run, partition));
    }
    for (partition, joined) in [(0, 11), (2, 60_000)] {
        for _ in 0..3 {
            assert_eq!(numbers(&run), [partition]);
            assert!(fail(&mut run, partition));
        }
        take(&mut run, partition, page(Some(20), &[joined], 100));
    }
    assert_eq!((numbers(&run), run.run().failures), (vec![0, 2], 0));
}
