//! Runs.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{Cursor, RunId};
use fanfare_domain::page::Tally;
use fanfare_domain::pass::{FullPass, IncrementalPass, LinkMoves, Pass, Phase};
use fanfare_domain::run::{
    Crashes, NewRun, Opened, PagesTaken, Progress, RunError, SourceRun, SyncStatus, Trigger,
};
use fanfare_domain::scan::{JoinTimes, ScannedPage};
use fanfare_domain::waiting::{WaitReason, Waiting};
use fanfare_domain::watermarks::Watermarks;
use fanfare_domain::work::WorkKey;
use tokio::task::JoinSet;

use super::assert_refused;
use super::harness::StoreHarness;
use super::test_organization::{ALL, TestOrganization, assert_paged};
use crate::build::{at, audience_id, consumer_id, run_id, source_id};

/// A run with a value in every field, which reads several partitions.
fn full(mut run: SourceRun) -> SourceRun {
    run.claim(true, at(100)).expect("a claim");
    let opened = Opened {
        name: Some("VIP \u{2606}".to_owned()),
        total: Some(12_000_000_000),
        members: 7_000_000_000,
        link_moves: LinkMoves(9_000_000_000),
        ..Opened::default()
    };
    run.open(opened, at(1_000_000)).expect("a claimed run");
    let page = ScannedPage {
        // As long as a cursor can be, with a NUL, a backslash and what is no UTF-8 in its encoding.
        next: Some(Cursor::parse("%00\\%FF+".repeat(7_500)).expect("60,000 characters")),
        joins: JoinTimes::of([Some(at(80)), Some(at(90))], at(100)),
        one_second: None,
        profiles: 100,
        new_profiles: 100,
    };
    let taken = PagesTaken {
        pages: vec![(0, page)],
        tally: Tally {
            processed: 10,
            created: 1,
            updated: 2,
            unchanged: 3,
            skipped: 4,
        },
        members_added: 5,
        consumers_met: 11,
    };
    run.take_pages(taken, 8, at(1_000_000))
        .expect("an opened run");
    let (mut run, source) = run.into_parts();
    run.progress.members_removed = 6;
    run.attempt = 4;
    run.crashes = 2;
    run.failures = 3;
    run.removals_deferred = true;
    SourceRun::from_stored(run, source)
}

fn waiting(mut run: SourceRun, why: WaitReason) -> SourceRun {
    let until = at(4_000_000_000);
    run.give_back(false, Waiting { until, why });
    run
}

/// Every field of the run and of its source comes back: of a queued run, one that reads several partitions, one in
/// each phase, and a failed one.
pub async fn a_run_comes_back_as_it_was_saved_last(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let new = NewRun {
        id: run_id("run_fresh"),
        organization: org.organization.clone(),
        trigger: Trigger::Manual,
        confirm_removals: true,
    };
    let fresh = SourceRun::queue(source, new, at(1));
    let mut unit = org.begin().await;
    unit.insert_run(&fresh).await.expect("a run");
    unit.commit().await.expect("a commit");
    assert_eq!(org.load(fresh.run()).await, fresh);

    let in_progress = full(fresh);
    assert!(
        in_progress
            .run()
            .pass
            .scan()
            .expect("a scan")
            .partitions()
            .len()
            > 1
    );
    let in_phase = |phase: Phase| {
        let (mut run, source) = in_progress.clone().into_parts();
        run.pass = Pass::Full(FullPass {
            phase,
            link_moves: LinkMoves(3),
            crashes: Crashes::default().one_more(7),
            is_reopened: true,
            consumers_met: Some(11_000_000_000),
            saw_whom_it_added: false,
        });
        SourceRun::from_stored(run, source)
    };
    let incremental = {
        let (mut run, source) = in_progress.clone().into_parts();
        run.pass = Pass::Incremental(IncrementalPass {
            phase: run.pass.phase().clone(),
            crashes: Crashes::default().one_more(7),
            since: Watermarks::after_full_pass(at(90), 195, Some(194)),
            counted: Some(190),
            is_whole: true,
            changed: 3,
        });
        SourceRun::from_stored(run, source)
    };
    let mut failed = in_progress.clone();
    let why = "What \u{201c}happened\u{201d}, and what to do.\n";
    failed
        .fail(FailureCode::RemovalGuard, why, at(200))
        .expect("a failure");
    for run in [
        in_phase(Phase::Opening),
        incremental,
        waiting(in_progress.clone(), WaitReason::RetryAfter),
        waiting(in_progress.clone(), WaitReason::Turn),
        in_progress.clone(),
        in_phase(Phase::ComparingCounts),
        in_phase(Phase::AddingMembers { after_page: None }),
        in_phase(Phase::AddingMembers {
            after_page: Some(9_000_000_000),
        }),
        in_phase(Phase::CheckingRemovals),
        in_phase(Phase::RemovingMembers { after: None }),
        in_phase(Phase::RemovingMembers {
            after: Some(consumer_id("cons_1")),
        }),
        failed,
    ] {
        org.save(&run).await;

        assert_eq!(org.load(run.run()).await, run);
    }
}

/// An active run is ended with its source's sync, whatever its row holds, and can be read then. One that has ended, or
/// was never stored, is not ended.
pub async fn a_run_is_ended_without_being_read(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    org.save(&full(org.load(&run).await)).await;
    let other = org.queue("list2").await;
    let error = RunError {
        code: FailureCode::Internal,
        message: "What it was.".to_owned(),
    };
    let end = async |run: RunId| {
        let mut unit = org.begin().await;
        let ended = unit.end_unread(&run, &error, at(2_000_000)).await;
        unit.commit().await.expect("a commit");
        ended.expect("an answer")
    };

    assert!(end(run.id.clone()).await);

    let (ended, source) = org.load(&run).await.into_parts();
    assert_eq!(ended.status, SyncStatus::Failed);
    assert_eq!(ended.error.as_ref(), Some(&error));
    assert_eq!(ended.finished_at, Some(at(2_000_000)));
    assert_eq!(ended.progress, Progress::default());
    assert_eq!((ended.pass, ended.waiting), (Pass::default(), None));
    assert_eq!(
        (ended.trigger, ended.queued_at),
        (run.trigger, run.queued_at)
    );
    assert_eq!(source.status, SyncStatus::Failed);
    assert_eq!(source.updated_at, Some(at(2_000_000)));
    assert!(!end(run.id.clone()).await, "it has ended");
    assert!(!end(run_id("run_none")).await, "it is not there");
    let mut unit = org.read().await;
    assert_eq!(unit.active_runs().await.expect("runs"), [other.id]);
}

/// A run that was never stored cannot be saved or read.
pub async fn a_run_that_is_not_there_is_not_saved(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.run(&org.import("list1").await);
    let mut unit = org.begin().await;

    assert_eq!(unit.run(&run.run().id).await.expect("an answer"), None);
    let source = &run.source().id;
    assert_eq!(unit.active_run(source).await.expect("an answer"), None);
    assert_refused(unit.save_run(&run).await, "a run that is not there");
}

/// A run has a stored source and a stored audience.
pub async fn a_run_without_its_source_or_audience_is_refused(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (run, source) = org.run(&org.import("list1").await).into_parts();
    let mut of_no_source = run.clone();
    of_no_source.source = source_id("sync_none");
    let mut of_no_audience = run;
    of_no_audience.audience = audience_id("aud_none");
    for run in [of_no_source, of_no_audience] {
        let run = SourceRun::from_stored(run, source.clone());
        let mut unit = org.begin().await;
        assert_refused(
            unit.insert_run(&run).await,
            "a run without its source or audience",
        );
    }
}

/// A pending or syncing run is its source's active run; an ended one is not.
pub async fn pending_and_syncing_runs_are_active(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let pending = org.queue("list1").await;
    let syncing = org.queue("list2").await;
    let ended = org.queue("list3").await;
    let mut claimed = org.load(&syncing).await;
    claimed.claim(false, at(1)).expect("a claim");
    org.save(&claimed).await;
    let (syncing, _) = claimed.into_parts();
    org.finish(&ended).await;

    let mut unit = org.read().await;
    let mut active = unit.active_runs().await.expect("runs");
    active.sort();
    let mut want = [pending.id.clone(), syncing.id.clone()];
    want.sort();
    assert_eq!(active, want);
    for (source, want) in [
        (pending.source.clone(), Some(pending.id)),
        (syncing.source.clone(), Some(syncing.id)),
        (ended.source, None),
    ] {
        assert_eq!(unit.active_run(&source).await.expect("an answer"), want);
    }
}

/// The store itself refuses a second active run of a source, until the first has ended.
pub async fn a_source_has_one_active_run(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let first = org.queue("list1").await;
    let second = org.run(&TestOrganization::source("list1"));
    let mut unit = org.begin().await;
    assert_refused(unit.insert_run(&second).await, "a second active run");
    drop(unit);

    org.finish(&first).await;

    let mut unit = org.begin().await;
    unit.insert_run(&second).await.expect("a run");
    assert_eq!(
        unit.active_runs().await.expect("runs"),
        [second.into_parts().0.id]
    );
}

/// Of fifty requests at once, in two processes, which do not look for an active run first, one queues a run.
pub async fn of_fifty_runs_queued_at_once_one_stays(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let mut requests = JoinSet::new();
    for n in 0..50 {
        let store = harness.handles()[n % 2].store.clone();
        let organization = org.organization.clone();
        let run = org.run(&source);
        requests.spawn(async move {
            let mut unit = store
                .begin(&organization)
                .await
                .expect("a unit for writing");
            if unit.insert_run(&run).await.is_err() {
                return 0;
            }
            let work = WorkKey::pull(&run.run().id);
            unit.enqueue(&work).await.expect("a row in the queue");
            u32::from(unit.commit().await.is_ok())
        });
    }
    let queued: u32 = requests.join_all().await.into_iter().sum();

    let mut unit = org.read().await;
    assert_eq!(queued, 1);
    assert_eq!(unit.active_runs().await.expect("runs").len(), 1);
    assert_eq!(unit.run_count(&source.audience).await.expect("a count"), 1);
    assert_eq!(org.handle().queue.backlog().await.expect("a backlog"), 1);
}

/// The latest run comes first, and no run of another audience comes.
pub async fn an_audiences_runs_are_paged_from_the_latest(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut runs = Vec::new();
    for _ in 0..5 {
        let run = org.queue("list1").await;
        runs.insert(0, org.finish(&run).await);
        let other = org.queue("list2").await;
        org.finish(&other).await;
    }
    let audience = runs[0].audience.clone();
    let mut unit = org.read().await;

    let all = unit.runs(&audience, &ALL).await.expect("runs").items;
    assert_eq!(all, runs);
    assert_eq!(unit.run_count(&audience).await.expect("a count"), 5);
    assert_paged(&all, async |page| {
        unit.runs(&audience, page).await.expect("runs")
    })
    .await;
    let unknown = audience_id("aud_none");
    assert_eq!(unit.runs(&unknown, &ALL).await.expect("runs").items, []);
    assert_eq!(unit.run_count(&unknown).await.expect("a count"), 0);
    assert_eq!(
        unit.run(&run_id("run_none")).await.expect("an answer"),
        None
    );
}
