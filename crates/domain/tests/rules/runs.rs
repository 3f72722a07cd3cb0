//! The life of a run: every status times every event, and the counts of tries.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, CollectionId, Cursor, OrganizationId, RunId, SourceId};
use fanfare_domain::page::Tally;
use fanfare_domain::run::{Event, InvalidTransition, NewRun, SyncRun, SyncStatus, Trigger};
use fanfare_domain::scan::ScannedPage;
use fanfare_domain::source::{CollectionKind, CollectionRef, CollectionSource, SourceData};
use proptest::prelude::*;

use crate::world::at;

pub(crate) fn queued() -> SyncRun {
    let new = NewRun {
        id: RunId::parse("run_1").unwrap(),
        organization: OrganizationId::parse("org_1").unwrap(),
        source: SourceId::parse("sync_1").unwrap(),
        audience: AudienceId::parse("aud_1").unwrap(),
        trigger: Trigger::Import,
        confirm_removals: false,
    };
    SyncRun::queued(new, at(0))
}

fn in_status(status: SyncStatus) -> SyncRun {
    let mut run = queued();
    match status {
        SyncStatus::Pending => {}
        SyncStatus::Syncing => run.claim(false, at(1)).unwrap(),
        SyncStatus::Success => {
            run.claim(false, at(1)).unwrap();
            run.succeed(at(2)).unwrap();
        }
        SyncStatus::Failed => run.cancel("", at(2)).unwrap(),
    }
    assert_eq!(run.status, status);
    run
}

/// What the table says: where the event leads from there.
fn leads_to(from: SyncStatus, event: Event) -> Option<SyncStatus> {
    use SyncStatus::{Failed, Pending, Success, Syncing};
    match (from, event) {
        (Pending | Syncing, Event::Claim) | (Syncing, Event::Page) => Some(Syncing),
        (Syncing, Event::Succeed) => Some(Success),
        (Syncing, Event::Fail) | (Pending | Syncing, Event::Cancel) => Some(Failed),
        _ => None,
    }
}

fn happen(run: &mut SyncRun, event: Event) -> Result<(), InvalidTransition> {
    match event {
        Event::Claim => run.claim(false, at(3)),
        Event::Page => run.count_pages(1, Tally::default(), 0),
        Event::Succeed => run.succeed(at(3)),
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
                assert_eq!((result, run.status), (Ok(()), to), "{from} {event}");
                assert_eq!(run.finished_at.is_some(), !to.is_active(), "{from} {event}");
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
fn a_failed_answer_counts_only_while_a_worker_has_the_run() {
    for status in [SyncStatus::Pending, SyncStatus::Success, SyncStatus::Failed] {
        let mut run = in_status(status);
        let before = run.clone();
        let refused = run.count_failure(0, FailureCode::UpstreamInvalid, "", at(3));
        assert!(refused.is_err());
        assert_eq!(run, before);
    }
}

#[test]
fn a_new_run_inherits_nothing() {
    let run = queued();
    assert_eq!(run.status, SyncStatus::Pending);
    assert_eq!((run.attempt, run.crashes, run.failures), (0, 0, 0));
    assert_eq!(run.checkpoint, fanfare_domain::scan::Checkpoint::default());
    assert_eq!(run.started_at, None);
}

#[test]
fn the_third_crash_ends_the_run() {
    let mut run = queued();
    run.claim(false, at(1)).unwrap();
    for crash in 1..=3 {
        assert_eq!(run.status, SyncStatus::Syncing, "before crash {crash}");
        run.claim(true, at(1)).unwrap();
    }
    assert_eq!(run.status, SyncStatus::Failed);
    assert_eq!(run.error.unwrap().code, FailureCode::WorkerCrashed);
}

#[test]
fn the_fifth_failed_answer_ends_the_run_with_its_code() {
    let mut run = in_status(SyncStatus::Syncing);
    for _ in 1..5 {
        assert!(
            run.count_failure(0, FailureCode::UpstreamUnavailable, "", at(3))
                .unwrap()
        );
    }
    assert!(
        !run.count_failure(0, FailureCode::UpstreamInvalid, "why", at(4))
            .unwrap()
    );
    assert_eq!(
        (run.status, run.finished_at),
        (SyncStatus::Failed, Some(at(4)))
    );
    let error = run.error.unwrap();
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
        let mut run = in_status(SyncStatus::Syncing);
        let (mut crashes, mut failures) = (0, 0);
        for (n, happening) in happenings.into_iter().enumerate() {
            match happening {
                Happening::Crash => {
                    crashes += 1;
                    run.claim(true, at(1)).unwrap();
                }
                Happening::FailedAnswer => {
                    failures += 1;
                    run.count_failure(0, FailureCode::UpstreamUnavailable, "", at(1)).unwrap();
                }
                Happening::Yield => {
                    run.yielded();
                    run.claim(false, at(1)).unwrap();
                }
                Happening::Page => {
                    (crashes, failures) = (0, 0);
                    run.count_pages(1, Tally::default(), 0).unwrap();
                    let page = ScannedPage {
                        next: Some(Cursor::parse(format!("c{n}")).unwrap()),
                        new_profiles: 1,
                        ..ScannedPage::default()
                    };
                    run.advance(0, page).unwrap();
                    prop_assert_eq!(run.attempt, 1);
                }
            }
            let has_ended = crashes == 3 || failures == 5;
            prop_assert_eq!(run.status == SyncStatus::Failed, has_ended);
            prop_assert_eq!((run.crashes, run.failures), (crashes, failures));
            if has_ended {
                break;
            }
        }
    }
}

#[test]
fn the_source_follows_its_run_and_keeps_the_time_of_its_last_success() {
    let mut source = CollectionSource {
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
    };
    let tally = Tally {
        processed: 3,
        created: 2,
        skipped: 1,
        ..Tally::default()
    };
    let mut run = in_status(SyncStatus::Syncing);
    run.count_pages(1, tally, 2).unwrap();
    run.succeed(at(9)).unwrap();
    source.follow(&run, at(9));
    assert_eq!(
        (source.status, source.last_synced_at),
        (SyncStatus::Success, Some(at(9)))
    );
    assert_eq!((source.data.created, source.data.members_added), (2, 2));

    let mut next = queued();
    source.follow(&next, at(10));
    assert_eq!(
        (source.status, source.last_synced_at),
        (SyncStatus::Pending, Some(at(9)))
    );
    next.cancel("", at(11)).unwrap();
    source.follow(&next, at(11));
    assert_eq!(
        (source.status, source.last_synced_at),
        (SyncStatus::Failed, Some(at(9)))
    );
    assert_eq!(source.data.last_error.as_deref(), Some("cancelled"));
    assert_eq!(source.data.name.as_deref(), Some("VIP"));
}

#[test]
fn rates_and_remaining_time_are_told_where_they_are_known() {
    let mut run = queued();
    assert_eq!(
        (run.profiles_per_second(at(5)), run.eta_seconds(at(5))),
        (None, None)
    );

    run.claim(false, at(10)).unwrap();
    run.count_pages(
        1,
        Tally {
            processed: 100,
            unchanged: 100,
            ..Tally::default()
        },
        0,
    )
    .unwrap();
    assert_eq!(run.profiles_per_second(at(20)), Some(10.0));
    assert_eq!(run.eta_seconds(at(20)), None);

    run.progress.total = Some(250);
    assert_eq!(run.eta_seconds(at(20)), Some(15));
    run.succeed(at(20)).unwrap();
    assert_eq!(
        (run.profiles_per_second(at(99)), run.eta_seconds(at(99))),
        (Some(10.0), None)
    );
}
