//! Runs as rows.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::Cursor;
use fanfare_domain::page::Tally;
use fanfare_domain::run::{Progress, RunMode, SyncRun, Trigger};
use fanfare_domain::scan::{JoinTimes, Phase, ScannedPage};
use tokio::task::JoinSet;

use super::assert_refused;
use super::harness::StoreHarness;
use super::scene::{ALL, Scene, assert_paged};
use crate::build::{at, audience_id, consumer_id, profile_id, run_id, source_id};

/// A run that has been through everything.
fn worn(mut run: SyncRun) -> SyncRun {
    run.claim(true, at(100)).expect("a claim");
    run.members_at_start = 7_000_000_000;
    run.progress = Progress {
        total: Some(12_000_000_000),
        tally: Tally {
            processed: 10,
            created: 1,
            updated: 2,
            unchanged: 3,
            skipped: 4,
        },
        members_added: 5,
        members_removed: 6,
        pages: 7,
    };
    let page = ScannedPage {
        next: Cursor::parse("bmV4dDo6aWQ6Ok5aWFlsTmE=".repeat(20)).ok(),
        joins: JoinTimes::of([Some(at(80)), Some(at(90))], at(100)),
        profiles: 100,
        new_profiles: 100,
    };
    run.advance(0, page).expect("a straight walk");
    run.split(8, at(1_000_000));
    run.attempt = 4;
    run.crashes = 2;
    run.failures = 3;
    run
}

/// Every field comes back: queued, worn, in every phase, and failed.
pub async fn a_run_comes_back_as_it_was_saved_last(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut fresh = scene.run(&scene.import("list1").await);
    fresh.trigger = Trigger::Manual;
    fresh.mode = RunMode::Incremental;
    fresh.confirm_removals = true;
    let mut unit = scene.begin().await;
    unit.enqueue(&fresh).await.expect("a place in the queue");
    assert_eq!(
        unit.run(&fresh.id).await.expect("an answer"),
        Some(fresh.clone())
    );
    unit.commit().await.expect("a commit");

    let worn = worn(fresh.clone());
    let in_phase = |phase: Phase| {
        let mut run = worn.clone();
        run.checkpoint.phase = phase;
        run
    };
    let mut failed = worn.clone();
    let why = "What \u{201c}happened\u{201d}, and what to do.\n";
    failed
        .fail(FailureCode::RemovalGuard, why, at(200))
        .expect("a failure");
    for run in [
        in_phase(Phase::Opening),
        in_phase(Phase::Reading),
        in_phase(Phase::Adding(None)),
        in_phase(Phase::Adding(Some(profile_id(
            "01GDDKASAP8TKDDA2GRZDSVP4H",
        )))),
        in_phase(Phase::Removing(None)),
        in_phase(Phase::Removing(Some(consumer_id("cons_1")))),
        failed,
    ] {
        let mut unit = scene.begin().await;
        unit.save_run(&run).await.expect("a run saved");
        unit.commit().await.expect("a commit");

        let mut unit = scene.read().await;
        assert_eq!(unit.run(&run.id).await.expect("an answer"), Some(run));
    }
}

/// A run that is not there cannot be saved, read or found.
pub async fn a_run_that_is_not_there_is_not_saved(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.run(&scene.import("list1").await);
    let mut unit = scene.begin().await;

    assert_eq!(unit.run(&run.id).await.expect("an answer"), None);
    assert_eq!(unit.active_run(&run.source).await.expect("an answer"), None);
    assert_refused(unit.save_run(&run).await, "a run that is not there");
}

/// A run is of a source and an audience that are there.
pub async fn a_run_of_nothing_is_refused(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.run(&scene.import("list1").await);
    let mut of_no_source = run.clone();
    of_no_source.source = source_id("sync_none");
    let mut of_no_audience = run;
    of_no_audience.audience = audience_id("aud_none");
    for run in [of_no_source, of_no_audience] {
        let mut unit = scene.begin().await;
        assert_refused(unit.enqueue(&run).await, "a run of nothing");
    }
}

/// Pending and syncing runs are active, each its source's one; ended ones are not.
pub async fn active_runs_are_those_that_go_on(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let pending = scene.queue("list1").await;
    let mut syncing = scene.queue("list2").await;
    let mut ended = scene.queue("list3").await;
    syncing.claim(false, at(1)).expect("a claim");
    let mut unit = scene.begin().await;
    unit.save_run(&syncing).await.expect("a run saved");
    unit.commit().await.expect("a commit");
    scene.finish(&mut ended).await;

    let mut unit = scene.read().await;
    let mut active = unit.active_runs().await.expect("runs");
    active.sort_by(|a, b| a.source.cmp(&b.source));
    assert_eq!(active, [pending.clone(), syncing.clone()]);
    for (source, want) in [
        (pending.source.clone(), Some(pending)),
        (syncing.source.clone(), Some(syncing)),
        (ended.source, None),
    ] {
        assert_eq!(unit.active_run(&source).await.expect("an answer"), want);
    }
}

/// A second active run of a source is refused by the store itself; after the end of the first it is
/// not.
pub async fn a_source_has_one_active_run(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut first = scene.queue("list1").await;
    let second = scene.run(&Scene::source("list1"));
    let mut unit = scene.begin().await;
    assert_refused(unit.enqueue(&second).await, "a second active run");
    drop(unit);

    scene.finish(&mut first).await;

    let mut unit = scene.begin().await;
    unit.enqueue(&second).await.expect("a place in the queue");
    assert_eq!(unit.active_runs().await.expect("runs"), [second]);
}

/// Fifty clicks at once, from two processes, that do not even look first: one run.
pub async fn of_fifty_runs_queued_at_once_one_stays(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let source = scene.import("list1").await;
    let mut clicks = JoinSet::new();
    for n in 0..50 {
        let store = harness.handles()[n % 2].store.clone();
        let run = scene.run(&source);
        clicks.spawn(async move {
            let mut unit = store
                .begin(&run.organization)
                .await
                .expect("a unit for writing");
            if unit.enqueue(&run).await.is_err() {
                return 0;
            }
            u32::from(unit.commit().await.is_ok())
        });
    }
    let queued: u32 = clicks.join_all().await.into_iter().sum();

    let mut unit = scene.read().await;
    assert_eq!(queued, 1);
    assert_eq!(unit.active_runs().await.expect("runs").len(), 1);
    assert_eq!(unit.run_count(&source.audience).await.expect("a count"), 1);
    assert_eq!(scene.handle().queue.backlog().await.expect("a backlog"), 1);
}

/// The latest first, and none of another audience.
pub async fn an_audiences_runs_are_paged_from_the_latest(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut runs = Vec::new();
    for _ in 0..5 {
        let mut run = scene.queue("list1").await;
        scene.finish(&mut run).await;
        runs.insert(0, run);
        let mut other = scene.queue("list2").await;
        scene.finish(&mut other).await;
    }
    let audience = runs[0].audience.clone();
    let mut unit = scene.read().await;

    let all = unit.runs(&audience, &ALL).await.expect("runs").items;
    assert_eq!(all, runs);
    assert_eq!(unit.run_count(&audience).await.expect("a count"), 5);
    assert_paged(&all, async |page| {
        unit.runs(&audience, page).await.expect("runs")
    })
    .await;
    let nobody = audience_id("aud_none");
    assert_eq!(unit.runs(&nobody, &ALL).await.expect("runs").items, []);
    assert_eq!(unit.run_count(&nobody).await.expect("a count"), 0);
    assert_eq!(
        unit.run(&run_id("run_none")).await.expect("an answer"),
        None
    );
}
