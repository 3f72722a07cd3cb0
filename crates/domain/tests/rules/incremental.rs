//! Incremental passes: what they keep, and what their source remembers of them.

use std::time::Duration;

use fanfare_domain::account_changes::AccountChanges;
use fanfare_domain::due_pass::DuePass;
use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::Cursor;
use fanfare_domain::klaviyo::ChangedFrom;
use fanfare_domain::page::Tally;
use fanfare_domain::pass::{LinkMoves, Phase, RunMode};
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::{ChangesTaken, Opened, SourceRun, SyncStatus};
use fanfare_domain::watermarks::{OVERLAP, Watermarks};
use proptest::prelude::*;

use crate::runs::{queued, queued_on, source, take};
use crate::world::at;

fn marks(began: i64, profiles: u64) -> Watermarks {
    Watermarks::after_full_pass(at(began), profiles, None)
}

/// A run that has opened its list for an incremental pass.
fn opened(since: Watermarks, count: Option<u64>, started: i64) -> SourceRun {
    let mut of = source();
    of.watermarks = Some(since);
    of.guard = RemovalGuard::succeeded(since.profiles);
    let mut run = queued_on(of);
    run.claim(false, at(started)).unwrap();
    let opened = Opened {
        due: DuePass::Incremental(since),
        total: count,
        is_being_computed: true,
        members: since.profiles,
        ..Opened::default()
    };
    run.open(opened, at(started)).unwrap();
    run
}

fn created(number: u64) -> Tally {
    Tally {
        processed: number,
        created: number,
        ..Tally::default()
    }
}

proptest! {
    /// Whatever pages come, it ends with the last one, removes nobody, defers nothing, and the next pass goes on from its
    /// start.
    #[test]
    fn it_ends_with_its_last_page_and_the_next_one_goes_on_from_its_start(
        pages in prop::collection::vec(0_u64..100, 1..20), began in 1_000_i64..10_000, later in 0_i64..10_000,
    ) {
        let since = marks(began, 500);
        let mut run = opened(since, None, began + later);
        let scan = run.run().pass.scan().unwrap();
        let from = scan.partitions()[0].from.unwrap();
        prop_assert!(from <= at(began).minus(OVERLAP));
        let last = pages.len() - 1;
        for (number, profiles) in pages.iter().enumerate() {
            prop_assert_eq!(run.run().status, SyncStatus::Syncing);
            let next = format!("c{number}");
            take(&mut run, (number < last).then_some(&*next), created(*profiles));
        }
        prop_assert_eq!(run.run().pass.phase(), &Phase::ReadingChanges(None));
        run.decide_on_changes(None, at(20_000)).unwrap();
        let added: u64 = pages.iter().sum();
        let (run, source) = run.into_parts();
        prop_assert_eq!((run.status, run.pass.mode()), (SyncStatus::Success, RunMode::Incremental));
        prop_assert_eq!((run.progress.total, run.removals_deferred), (None, false));
        let after = source.watermarks.unwrap();
        prop_assert_eq!((after.joined_until, after.profiles), (at(began + later), 500 + added));
        prop_assert_eq!(after.full_pass_began_at, at(began));
        prop_assert_eq!(source.last_full_pass_at, None);
        prop_assert_eq!(source.guard, RemovalGuard::succeeded(500 + added));
    }

    #[test]
    fn who_left_beside_those_who_joined_is_found_at_its_end(added in 0_u64..50, left in 0_u64..50) {
        let known = 500;
        let mut run = opened(marks(1_000, known), Some(known + added - left.min(added)), 2_000);
        prop_assert!(!run.has_found_leavings());
        take(&mut run, None, created(added));
        prop_assert!(!run.has_found_leavings());
        run.decide_on_changes(None, at(1)).unwrap();
        prop_assert_eq!(run.has_found_leavings(), left > 0 && added > 0);
    }
}

#[test]
fn it_is_never_reconciled_and_a_failed_one_moves_no_watermark() {
    let since = marks(1_000, 500);
    let mut run = opened(since, None, 2_000);
    assert!(run.begin_reconciling(LinkMoves(0), at(2_000)).is_err());
    run.fail(FailureCode::UpstreamUnavailable, "", at(2_001))
        .unwrap();
    assert_eq!(run.source().watermarks, Some(since));
}

#[test]
fn a_complete_pass_leaves_watermarks_unless_it_did_not_see_everything() {
    let read = |total, is_being_computed| {
        let mut run = queued();
        run.claim(false, at(1)).unwrap();
        let opened = Opened {
            total,
            is_being_computed,
            ..Opened::default()
        };
        run.open(opened, at(2)).unwrap();
        take(&mut run, None, created(90));
        run
    };
    let mut run = read(Some(89), false);
    run.begin_reconciling(LinkMoves(0), at(3)).unwrap();
    assert_eq!(run.run().status, SyncStatus::Success);
    assert_eq!(run.source().watermarks, Some(marks(1, 89)));

    let mut deferred = read(Some(90), true);
    deferred.begin_reconciling(LinkMoves(0), at(3)).unwrap();
    assert_eq!(deferred.run().status, SyncStatus::Success);
    assert_eq!(deferred.source().watermarks, None);

    let mut incomplete = read(Some(1_000), false);
    incomplete.begin_reconciling(LinkMoves(0), at(3)).unwrap();
    assert_eq!(incomplete.run().status, SyncStatus::Failed);
    assert_eq!(incomplete.source().watermarks, None);
}

/// What a complete pass would have removed stays held: an incremental one has looked at nobody who may leave.
#[test]
fn a_held_guard_stays_held() {
    let mut of = source();
    of.guard = RemovalGuard::succeeded(500).held();
    let since = marks(1_000, 500);
    let mut run = queued_on(of);
    run.claim(false, at(2_000)).unwrap();
    let opened = Opened {
        due: DuePass::Incremental(since),
        members: 500,
        ..Opened::default()
    };
    run.open(opened, at(2_000)).unwrap();
    take(&mut run, None, created(1));
    run.decide_on_changes(None, at(2_001)).unwrap();
    assert!(run.source().guard.is_holding);
}

/// Changes are of the account: they count neither as the list's profiles nor as joins.
#[test]
fn the_accounts_changes_are_its_last_phase() {
    let since = marks(1_000, 500);
    let mut run = opened(since, Some(501), 2_000);
    let scan = || AccountChanges::default().begin(Duration::from_mins(1), None, at(2_000));
    assert!(run.decide_on_changes(Some(scan()), at(2_000)).is_err());
    take(&mut run, None, created(1));
    run.decide_on_changes(Some(scan()), at(2_001)).unwrap();
    assert!(run.decide_on_changes(None, at(2_001)).is_err());

    let page = |next: Option<&str>, latest| ChangesTaken {
        next: next.map(|next| Cursor::parse(next).unwrap()),
        latest: Some(at(latest)),
        changed: 2,
    };
    run.take_changes(page(Some("a"), 1_990), at(2_001)).unwrap();
    assert_eq!(run.run().status, SyncStatus::Syncing);
    run.reposition_changes();
    let Phase::ReadingChanges(Some(scan)) = run.run().pass.phase() else {
        panic!("{:?}", run.run().pass);
    };
    let want = ChangedFrom {
        after: at(1_989),
        cursor: None,
    };
    assert_eq!(scan.from(), want);
    run.take_changes(page(None, 9_000), at(2_002)).unwrap();
    assert_eq!(run.run().status, SyncStatus::Success);
    assert_eq!(run.run().progress.tally, created(1));
    assert_eq!(run.source().watermarks.unwrap().profiles, 501);
    assert!(run.take_changes(page(None, 1), at(2_003)).is_err());
}

#[test]
fn changes_that_lead_in_a_circle_end_the_run() {
    let mut run = opened(marks(1_000, 500), None, 2_000);
    take(&mut run, None, created(0));
    let scan = AccountChanges::default().begin(Duration::from_mins(1), None, at(2_000));
    run.decide_on_changes(Some(scan), at(2_001)).unwrap();
    let page = || ChangesTaken {
        next: Some(Cursor::parse("a").unwrap()),
        ..ChangesTaken::default()
    };
    while run.is_active() {
        run.take_changes(page(), at(2_001)).unwrap();
    }
    let error = run.run().error.as_ref().map(|error| error.code);
    assert_eq!(error, Some(FailureCode::CursorLoop));
}
