//! The life of a run: every status times every event, and the counts of tries.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, CollectionId, Cursor, OrganizationId, RunId, SourceId};
use fanfare_domain::page::Tally;
use fanfare_domain::pass::{LinkMoves, Pass};
use fanfare_domain::removal::RemovalGuard;
use fanfare_domain::run::{
    Event, InvalidTransition, NewRun, Opened, PagesTaken, SourceRun, SyncStatus, Trigger,
};
use fanfare_domain::scan::ScannedPage;
use fanfare_domain::source::{CollectionKind, CollectionRef, CollectionSource, SourceData};
use fanfare_domain::waiting::{WaitReason, Waiting};
use proptest::prelude::*;

use crate::world::at;

pub(crate) fn source() -> CollectionSource {
    CollectionSource {
        id: SourceId::parse("sync_1").unwrap(),
        collection: CollectionRef {
            kind: CollectionKind::List,
            id: CollectionId::parse("L1").unwrap(),
        },
        audience: AudienceId::parse("aud_1").unwrap(),
        status: SyncStatus::Pending,
        last_synced_at: None,
        data: SourceData {
            name: Some("VIP".to_owned()),
            ..SourceData::default()
        },
        created_at: at(0),
        created_by: "key_1".to_owned(),
        updated_at: None,
        archived: false,
        guard: RemovalGuard::default(),
        last_full_pass_at: None,
        paused_by: None,
        watermarks: None,
    }
}

pub(crate) fn new_run() -> NewRun {
    NewRun {
        id: RunId::parse("run_1").unwrap(),
        organization: OrganizationId::parse("org_1").unwrap(),
        trigger: Trigger::Import,
        confirm_removals: false,
    }
}

pub(crate) fn queued_on(source: CollectionSource) -> SourceRun {
    SourceRun::queue(source, new_run(), at(0))
}

pub(crate) fn queued() -> SourceRun {
    queued_on(source())
}

/// A run that has read its whole list, of so many members at its start.
pub(crate) fn read(members: u64) -> SourceRun {
    let mut run = queued();
    run.claim(false, at(1)).unwrap();
    let opened = Opened {
        members,
        ..Opened::default()
    };
    run.open(opened, at(1)).unwrap();
    take(&mut run, None, Tally::default());
    run
}

/// Takes a page of the first partition.
pub(crate) fn take(run: &mut SourceRun, next: Option<&str>, tally: Tally) {
    let page = ScannedPage {
        next: next.map(|next| Cursor::parse(next).unwrap()),
        new_profiles: 1,
        ..ScannedPage::default()
    };
    let taken = PagesTaken {
        pages: vec![(0, page)],
        tally,
        members_added: tally.created,
        consumers_met: tally.processed - tally.skipped,
    };
    run.take_pages(taken, 1, at(1)).unwrap();
}

pub(crate) fn in_status(status: SyncStatus) -> SourceRun {
    let run = match status {
        SyncStatus::Pending => queued(),
        SyncStatus::Syncing => read(0),
        SyncStatus::Success => {
            let mut run = read(0);
            run.begin_reconciling(LinkMoves(0), at(2)).unwrap();
            run
        }
        SyncStatus::Failed => {
            let mut run = queued();
            run.cancel("", at(2)).unwrap();
            run
        }
    };
    assert_eq!(run.run().status, status);
    run
}

/// What the table says: where the event leads from there.
pub(crate) fn leads_to(from: SyncStatus, event: Event) -> Option<SyncStatus> {
    use SyncStatus::{Failed, Pending, Success, Syncing};
    match (from, event) {
        (Pending | Syncing, Event::Claim) | (Syncing, Event::Progress) => Some(Syncing),
        (Syncing, Event::Succeed) => Some(Success),
        (Syncing, Event::Fail) | (Pending | Syncing, Event::Cancel) => Some(Failed),
        _ => None,
    }
}

/// Every method that is such an event.
pub(crate) fn happen(run: &mut SourceRun, event: Event) -> Result<(), InvalidTransition> {
    match event {
        Event::Claim => run.claim(false, at(3)),
        Event::Progress => run.take_pages(PagesTaken::default(), 1, at(3)),
        // The only way to success is a reconciliation that finds nothing to do.
        Event::Succeed => match run.begin_reconciling(LinkMoves(0), at(3)) {
            Ok(_) => Ok(()),
            Err(refused) => Err(InvalidTransition { event, ..refused }),
        },
        Event::Fail => run.fail(FailureCode::Internal, "", at(3)),
        Event::Cancel => run.cancel("", at(3)),
    }
}

#[test]
fn every_transition_that_the_table_lacks_is_refused_and_changes_nothing() {
    for from in SyncStatus::ALL {
        for event in Event::ALL {
            let mut run = in_status(*from);
            let before = run.clone();
            let result = happen(&mut run, *event);
            if let Some(to) = leads_to(*from, *event) {
                assert_eq!((result, run.run().status), (Ok(()), to), "{from} {event}");
                let has_ended = run.run().finished_at.is_some();
                assert_eq!(has_ended, !to.is_active(), "{from} {event}");
                assert_eq!(run.source().status, to, "{from} {event}");
            } else {
                assert_eq!(
                    result,
                    Err(InvalidTransition {
                        from: *from,
                        event: *event
                    })
                );
                assert_eq!(run, before, "{from} {event}");
            }
        }
    }
}

#[test]
fn every_step_is_refused_unless_a_worker_has_the_run() {
    for status in [SyncStatus::Pending, SyncStatus::Success, SyncStatus::Failed] {
        let before = in_status(status);
        let steps: [fn(&mut SourceRun) -> bool; 6] = [
            |run| run.open(Opened::default(), at(3)).is_err(),
            |run| {
                run.count_failure(None, FailureCode::UpstreamInvalid, "", at(3))
                    .is_err()
            },
            |run| run.begin_reconciling(LinkMoves(1), at(3)).is_err(),
            |run| run.members_added(1, None, at(3)).is_err(),
            |run| run.check_removals(1, LinkMoves(0), at(3)).is_err(),
            |run| run.members_removed(1, None, LinkMoves(0), at(3)).is_err(),
        ];
        for step in steps {
            let mut run = before.clone();
            assert!(step(&mut run));
            assert_eq!(run, before);
        }
    }
}

#[test]
fn a_new_run_inherits_nothing() {
    let mut run = queued();
    let (first, source) = {
        run.cancel("", at(1)).unwrap();
        run.into_parts()
    };
    let run = queued_on(source).into_parts().0;
    assert_eq!(run.status, SyncStatus::Pending);
    assert_eq!((run.attempt, run.crashes, run.failures), (0, 0, 0));
    assert_eq!(run.pass, Pass::default());
    assert_eq!((run.started_at, run.error), (None, None));
    assert!(first.error.is_some());
}

#[test]
fn the_third_crash_ends_the_run() {
    let mut run = queued();
    run.claim(false, at(1)).unwrap();
    for crash in 1..=3 {
        assert_eq!(
            run.run().status,
            SyncStatus::Syncing,
            "before crash {crash}"
        );
        run.claim(true, at(1)).unwrap();
    }
    assert_eq!(run.run().status, SyncStatus::Failed);
    let error = run.run().error.as_ref().unwrap();
    assert_eq!(error.code, FailureCode::WorkerCrashed);
}

#[test]
fn the_fifth_failed_answer_ends_the_run_with_its_code() {
    let mut run = queued();
    run.claim(false, at(1)).unwrap();
    for _ in 1..5 {
        run.count_failure(None, FailureCode::UpstreamUnavailable, "", at(3))
            .unwrap();
        assert!(run.is_active());
    }
    run.count_failure(None, FailureCode::UpstreamInvalid, "why", at(4))
        .unwrap();
    let run = run.run();
    assert_eq!(
        (run.status, run.finished_at),
        (SyncStatus::Failed, Some(at(4)))
    );
    let error = run.error.as_ref().unwrap();
    assert_eq!(
        (error.code, error.message.as_str()),
        (FailureCode::UpstreamInvalid, "why")
    );
}

#[derive(Debug, Clone, Copy)]
enum Happening {
    Crash,
    FailedAnswer,
    Yield,
    Page,
}

proptest! {
    #[test]
    fn only_crashes_and_failed_answers_for_one_page_end_a_run(
        happenings in prop::collection::vec(
            prop::sample::select(vec![Happening::Crash, Happening::FailedAnswer, Happening::Yield, Happening::Page]),
            0..40,
        ),
    ) {
        let mut run = queued();
        run.claim(false, at(1)).unwrap();
        run.open(Opened::default(), at(1)).unwrap();
        let (mut crashes, mut failures, mut all_crashes) = (0, 0, 0);
        for (n, happening) in happenings.into_iter().enumerate() {
            match happening {
                Happening::Crash => {
                    crashes += 1;
                    all_crashes += 1;
                    run.claim(true, at(1)).unwrap();
                }
                Happening::FailedAnswer => {
                    failures += 1;
                    run.count_failure(Some(0), FailureCode::UpstreamUnavailable, "", at(1)).unwrap();
                }
                Happening::Yield => {
                    run.give_back(true, Waiting::for_turn(at(1)));
                    run.claim(false, at(1)).unwrap();
                }
                Happening::Page => {
                    (crashes, failures) = (0, 0);
                    take(&mut run, Some(&format!("c{n}")), Tally::default());
                    prop_assert_eq!(run.run().attempt, 1);
                }
            }
            let has_ended = crashes == 3 || failures == 5 || all_crashes == 9;
            prop_assert_eq!(run.run().status == SyncStatus::Failed, has_ended);
            prop_assert_eq!((run.run().crashes, run.run().failures), (crashes, failures));
            if has_ended {
                break;
            }
        }
    }
}

fn waits(until: i64, why: WaitReason) -> Waiting {
    let until = at(until);
    Waiting { until, why }
}

#[test]
fn a_run_tells_what_it_waits_for_while_no_worker_has_it() {
    use WaitReason::{Quota, Retry, RetryAfter, Turn};
    let mut run = queued();
    let queued_at = run.run().queued_at;
    assert_eq!(
        run.run().waiting_at(at(9)),
        Some(Waiting::for_turn(queued_at))
    );
    for why in [Quota, RetryAfter, Retry] {
        run.claim(false, at(10)).unwrap();
        assert_eq!(run.run().waiting_at(at(10)), None, "a worker has it");

        run.give_back(true, waits(20, why));

        assert_eq!(run.run().waiting_at(at(19)), Some(waits(20, why)));
        assert_eq!(
            run.run().waiting_at(at(20)),
            Some(waits(20, Turn)),
            "what it waited for is over"
        );
    }
    run.cancel("", at(30)).unwrap();
    assert_eq!(run.run().waiting_at(at(30)), None, "it has ended");
}

#[test]
fn a_run_is_woken_if_it_waits_for_klaviyo() {
    for (why, is_woken) in [
        (WaitReason::Quota, true),
        (WaitReason::RetryAfter, true),
        (WaitReason::Retry, false),
        (WaitReason::Turn, false),
    ] {
        let mut run = queued();
        run.claim(false, at(10)).unwrap();
        run.give_back(true, waits(9_999, why));

        assert_eq!(run.wake(at(20)), is_woken, "{why}");

        let turn = waits(20, WaitReason::Turn);
        let want = if is_woken { turn } else { waits(9_999, why) };
        assert_eq!(run.run().waiting_at(at(20)), Some(want), "{why}");
    }
}

#[test]
fn the_source_follows_its_run_and_keeps_the_time_of_its_last_success() {
    let mut run = queued();
    assert_eq!(
        run.source().updated_at,
        None,
        "it is as new as its first run"
    );
    run.claim(false, at(1)).unwrap();
    let opened = Opened {
        name: Some("VIP".to_owned()),
        ..Opened::default()
    };
    run.open(opened, at(1)).unwrap();
    let tally = Tally {
        processed: 3,
        created: 2,
        skipped: 1,
        ..Tally::default()
    };
    take(&mut run, None, tally);
    run.begin_reconciling(LinkMoves(0), at(9)).unwrap();
    let source = run.into_parts().1;
    assert_eq!(
        (source.status, source.last_synced_at),
        (SyncStatus::Success, Some(at(9)))
    );
    assert_eq!((source.data.created, source.data.members_added), (2, 2));

    let mut next = queued_on(source);
    assert_eq!(
        (next.source().status, next.source().last_synced_at),
        (SyncStatus::Pending, Some(at(9)))
    );
    next.cancel("", at(11)).unwrap();
    let source = next.source();
    assert_eq!(
        (source.status, source.last_synced_at),
        (SyncStatus::Failed, Some(at(9)))
    );
    assert_eq!(source.data.last_error.as_deref(), Some("cancelled"));
    assert_eq!(source.data.name.as_deref(), Some("VIP"));
}

#[test]
fn rates_and_remaining_time_are_shown_if_they_are_known() {
    let mut run = queued();
    assert_eq!(
        (
            run.run().profiles_per_second(at(5)),
            run.run().eta_seconds(at(5))
        ),
        (None, None)
    );

    run.claim(false, at(10)).unwrap();
    for total in [None, Some(250)] {
        let opened = Opened {
            total,
            ..Opened::default()
        };
        run.open(opened, at(10)).unwrap();
        if total.is_none() {
            let tally = Tally {
                processed: 100,
                unchanged: 100,
                ..Tally::default()
            };
            take(&mut run, Some("c1"), tally);
        }
        assert_eq!(run.run().profiles_per_second(at(20)), Some(10.0));
        let left = total.map(|_| 15);
        assert_eq!(run.run().eta_seconds(at(20)), left);
    }
    run.cancel("", at(20)).unwrap();
    assert_eq!(
        (
            run.run().profiles_per_second(at(99)),
            run.run().eta_seconds(at(99))
        ),
        (Some(10.0), None)
    );
}
