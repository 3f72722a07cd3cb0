//! Reconciling: which members are added and removed when all pages were read, and when nothing is removed.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::page::Tally;
use fanfare_domain::pass::{LinkMoves, Phase};
use fanfare_domain::run::{NewRun, Opened, Reconciliation, SourceRun, SyncRun, SyncStatus};

use crate::runs::*;
use crate::world::at;

#[test]
fn members_are_added_only_if_links_have_moved_since_the_pass_began() {
    let mut run = read(10);
    let next = run.begin_reconciling(LinkMoves(0), at(3)).unwrap();
    assert_eq!(next, Reconciliation::CheckRemovals);

    let mut run = read(10);
    let next = run.begin_reconciling(LinkMoves(1), at(3)).unwrap();
    assert_eq!(next, Reconciliation::AddMembers);
    let after_page = Some(5);
    run.members_added(3, after_page, at(3)).unwrap();
    assert_eq!(*run.run().pass.phase(), Phase::AddingMembers { after_page });
    run.members_added(2, None, at(3)).unwrap();
    assert_eq!(*run.run().pass.phase(), Phase::CheckingRemovals);
    assert_eq!(run.run().progress.members_added, 5);
}

/// The version before went by profiles.
#[test]
fn members_that_the_version_before_was_adding_are_added_from_the_first_on() {
    let read = |stored: &str| serde_json::from_str::<Phase>(stored).unwrap();
    let after_page = |after_page| Phase::AddingMembers { after_page };

    assert_eq!(
        read(r#"{"AddingMembers":{"after":"p5"}}"#),
        after_page(Some(0))
    );
    assert_eq!(
        read(r#"{"AddingMembers":{"after":null}}"#),
        after_page(None)
    );
    let stored = serde_json::to_string(&after_page(Some(5))).unwrap();
    assert_eq!(read(&stored), after_page(Some(5)));
}

#[test]
fn a_pass_that_finds_nobody_absent_ends_without_removals() {
    let mut run = read(200);
    run.begin_reconciling(LinkMoves(0), at(3)).unwrap();

    run.check_removals(0, LinkMoves(0), at(3)).unwrap();

    assert_eq!(run.run().status, SyncStatus::Success);
}

#[test]
fn a_pass_has_met_all_members_if_they_are_as_many_and_no_link_has_moved() {
    let mut run = queued();
    run.claim(true, at(1)).unwrap();
    let opened = Opened {
        members: 200,
        ..Opened::default()
    };
    run.open(opened, at(1)).unwrap();
    let seen = |processed, skipped| Tally {
        processed,
        skipped,
        ..Tally::default()
    };
    take(&mut run, Some("next"), seen(100, 1));
    take(&mut run, None, seen(101, 0));
    let (mut moved, mut other_program) = (run.clone(), run.clone());
    moved.begin_reconciling(LinkMoves(1), at(3)).unwrap();
    moved.members_added(1, None, at(3)).unwrap();

    run.begin_reconciling(LinkMoves(0), at(3)).unwrap();

    assert!(run.has_met_all(200, LinkMoves(0)));
    assert!(!run.has_met_all(201, LinkMoves(0)), "somebody has left");
    assert!(!run.has_met_all(200, LinkMoves(1)), "a link moves now");
    assert!(!moved.has_met_all(200, LinkMoves(1)), "a link has moved");
    // A program that does not count has taken a page.
    let (run, source) = other_program.into_parts();
    let mut pass = serde_json::to_value(&run.pass).unwrap();
    let full = pass["Full"].as_object_mut().expect("a complete pass");
    full.remove("consumers_met").expect("a count");
    let pass = serde_json::from_value(pass).unwrap();
    other_program = SourceRun::from_stored(SyncRun { pass, ..run }, source);
    other_program
        .begin_reconciling(LinkMoves(0), at(3))
        .unwrap();
    assert!(!other_program.has_met_all(200, LinkMoves(0)));
}

/// Those whom the run added itself are not counted as absent, and may be.
#[test]
fn members_whom_the_run_added_are_looked_at_if_links_have_moved_or_another_worker_goes_on() {
    let removes = |run: &mut SourceRun, link_moves| {
        run.check_removals(0, link_moves, at(3)).unwrap();
        *run.run().pass.phase() == Phase::RemovingMembers { after: None }
    };
    let mut moved_before = read(200);
    moved_before.begin_reconciling(LinkMoves(1), at(3)).unwrap();
    moved_before.members_added(1, None, at(3)).unwrap();
    assert!(removes(&mut moved_before, LinkMoves(1)));

    let mut moved_meanwhile = read(200);
    moved_meanwhile
        .begin_reconciling(LinkMoves(0), at(3))
        .unwrap();
    assert!(removes(&mut moved_meanwhile.clone(), LinkMoves(1)));

    // What is stored of the run.
    let (run, source) = moved_meanwhile.into_parts();
    let pass = serde_json::to_string(&run.pass).unwrap();
    let pass = serde_json::from_str(&pass).unwrap();
    let mut taken_up = SourceRun::from_stored(SyncRun { pass, ..run }, source);
    assert!(removes(&mut taken_up, LinkMoves(0)));
}

#[test]
fn a_run_whose_checkpoint_was_lost_looks_at_the_members_that_it_added() {
    let mut run = read(200);
    run.open(Opened::default(), at(3)).unwrap();
    take(&mut run, None, Tally::default());
    run.begin_reconciling(LinkMoves(0), at(3)).unwrap();

    run.check_removals(0, LinkMoves(0), at(3)).unwrap();

    assert_eq!(
        *run.run().pass.phase(),
        Phase::RemovingMembers { after: None }
    );
}

#[test]
fn removals_above_the_threshold_fail_the_run_and_others_are_carried_out() {
    let mut run = read(200);
    run.begin_reconciling(LinkMoves(0), at(3)).unwrap();
    let mut held = run.clone();
    held.check_removals(101, LinkMoves(0), at(3)).unwrap();
    let error = held.run().error.as_ref().unwrap();
    assert_eq!(error.code, FailureCode::RemovalGuard);

    run.check_removals(100, LinkMoves(0), at(3)).unwrap();
    let after = ConsumerId::parse("c5").ok();
    run.members_removed(60, after.clone(), LinkMoves(0), at(3))
        .unwrap();
    assert_eq!(*run.run().pass.phase(), Phase::RemovingMembers { after });
    run.members_removed(40, None, LinkMoves(0), at(4)).unwrap();
    assert_eq!(run.run().status, SyncStatus::Success);
    assert_eq!(run.run().progress.members_removed, 100);
}

/// A run that has read its whole list and saw 89 profiles, with so many counted by Klaviyo and so many members at
/// its start.
fn read_of(total: Option<u64>, members: u64, confirm_removals: bool) -> SourceRun {
    let new = NewRun {
        confirm_removals,
        ..new_run()
    };
    let mut run = SourceRun::queue(source(), new, at(0));
    run.claim(false, at(1)).unwrap();
    let opened = Opened {
        total,
        members,
        ..Opened::default()
    };
    run.open(opened, at(1)).unwrap();
    let tally = Tally {
        processed: 89,
        unchanged: 89,
        ..Tally::default()
    };
    take(&mut run, None, tally);
    run
}

#[test]
fn a_pass_that_saw_fewer_than_nine_tenths_removes_nothing_and_fails_unless_confirmed() {
    for members in [0, 10] {
        let mut run = read_of(Some(99), members, false);
        let next = run.begin_reconciling(LinkMoves(0), at(3)).unwrap();
        assert_eq!(next, Reconciliation::Done);
        let error = run.run().error.as_ref().unwrap();
        assert_eq!(error.code, FailureCode::IncompleteRead);
        assert!(error.message.contains("89 of the 99"), "{}", error.message);

        for (total, confirmed) in [(Some(99), true), (Some(98), false), (None, false)] {
            let mut run = read_of(total, members, confirmed);
            run.begin_reconciling(LinkMoves(0), at(3)).unwrap();
            assert_eq!(run.run().error, None, "{total:?}, {confirmed}");
        }
    }
}

#[test]
fn a_pass_that_saw_too_few_adds_the_members_that_are_missing_before_it_fails() {
    let mut run = read_of(Some(99), 200, false);
    let next = run.begin_reconciling(LinkMoves(1), at(3)).unwrap();
    assert_eq!(next, Reconciliation::AddMembers);
    run.members_added(2, None, at(3)).unwrap();
    // The removal threshold would refuse it, too: that less was read than there is comes first.
    run.check_removals(150, LinkMoves(1), at(3)).unwrap();
    let error = run.run().error.as_ref().unwrap();
    assert_eq!(error.code, FailureCode::IncompleteRead);
    assert_eq!(run.run().progress.members_added, 2);
}

#[test]
fn links_that_move_during_the_removals_are_looked_for_after_them() {
    let mut run = read(10);
    run.begin_reconciling(LinkMoves(0), at(3)).unwrap();
    run.check_removals(1, LinkMoves(0), at(3)).unwrap();
    run.members_removed(1, None, LinkMoves(1), at(3)).unwrap();
    assert_eq!(
        *run.run().pass.phase(),
        Phase::AddingMembers { after_page: None }
    );

    let next = run.begin_reconciling(LinkMoves(1), at(3)).unwrap();
    assert_eq!(next, Reconciliation::AddMembers);
}
