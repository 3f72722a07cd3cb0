//! The queue of due runs, and the bell.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::ids::RunId;
use fanfare_domain::ports::DueRun;
use fanfare_domain::run::SyncRun;

use super::harness::StoreHarness;
use super::scene::{LEASE, Scene};
use crate::build::at;

const HALF_QUIET: Duration = Duration::from_secs(5);
const QUIET: Duration = Duration::from_secs(11);

/// Rings, and fails unless exactly these many were rung for and heard.
async fn assert_rings(scene: &Scene<'_>, limit: u32, want: usize) -> BTreeSet<(String, RunId)> {
    scene.harness.on_job().await;
    let rung = scene.handle().queue.notify(limit).await.expect("a count");
    assert_eq!(rung, want as u64);
    let Some(heard) = scene.harness.on_job().await else {
        return BTreeSet::new();
    };
    assert_eq!(heard.len(), want, "heard");
    let key = |due: DueRun| (due.organization.to_string(), due.run);
    heard.into_iter().map(key).collect()
}

/// Fails unless these, and no others, were rung for since the last time.
async fn assert_heard(scene: &Scene<'_>, want: &[DueRun]) {
    let heard = scene.harness.on_job().await;
    assert!(
        heard.as_deref().is_none_or(|heard| heard == want),
        "{heard:?} is not {want:?}"
    );
}

fn due(run: &SyncRun) -> DueRun {
    DueRun {
        organization: run.organization.clone(),
        run: run.id.clone(),
    }
}

/// Queued, a run is due at once and rung for with its commit.
pub async fn a_queued_run_is_due_and_rung_for(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await;

    assert_heard(&scene, &[due(&run)]).await;
    let queue = &harness.handles()[1].queue;
    assert_eq!(queue.backlog().await.expect("a backlog"), 1);
    assert_eq!(turn(&scene).await, Some((due(&run), 0)));
}

/// A run that nobody came for is rung for again after ten seconds, and again, and not before.
pub async fn a_ring_that_nobody_heard_is_repeated(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await;
    assert_rings(&scene, 10, 0).await;
    for _ in 0..3 {
        scene.advance(HALF_QUIET).await;
        assert_rings(&scene, 10, 0).await;
        scene.advance(QUIET).await;
        let rung = assert_rings(&scene, 10, 1).await;
        assert!(rung.iter().all(|(_, id)| *id == run.id));
        assert_rings(&scene, 10, 0).await;
    }
}

/// A run that is held is not rung for, until its lease has run out: then it is, though it was never
/// given back.
pub async fn a_worker_that_went_silent_is_rung_for(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let token = scene.claim(&run).await.expect("a lease");
    scene.advance(QUIET).await;
    assert_rings(&scene, 10, 0).await;
    let mut unit = scene.begin().await;
    assert!(unit.renew(&run, token, LEASE).await.expect("an answer"));
    unit.commit().await.expect("a commit");
    scene.advance(LEASE.saturating_sub(QUIET)).await;
    assert_rings(&scene, 10, 0).await;

    scene.advance(QUIET * 2).await;

    assert_rings(&scene, 10, 1).await;
}

/// A ring that was heard is over: whoever claims and goes silent, or pauses, is not shielded by the ten
/// seconds after it.
pub async fn a_claim_ends_the_quiet_after_a_ring(harness: &dyn StoreHarness) {
    const SHORT: Duration = Duration::from_secs(1);
    const SOON: Duration = Duration::from_secs(5);
    let scene = Scene::new(harness);
    let silent = scene.queue("list1").await.id;
    let mut unit = scene.begin().await;
    let claim = unit.claim(&silent, SHORT).await.expect("an answer");
    assert!(claim.is_some());
    unit.commit().await.expect("a commit");
    scene.advance(SOON).await;
    assert_rings(&scene, 10, 1).await;

    let token = scene.claim(&silent).await.expect("a lease");
    let due = harness.now().await.plus(SHORT);
    assert!(scene.release(&silent, token, Some(due)).await);
    scene.advance(SOON).await;
    assert_rings(&scene, 10, 1).await;
}

/// Given back at once, a run is rung for with that commit; given back for later, when it is due.
pub async fn a_run_given_back_is_rung_for_when_it_is_due(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await;
    assert_heard(&scene, &[due(&run)]).await;
    let token = scene.claim(&run.id).await.expect("a lease");
    assert_heard(&scene, &[]).await;
    assert!(scene.release(&run.id, token, None).await);
    assert_heard(&scene, &[due(&run)]).await;

    let token = scene.claim(&run.id).await.expect("a lease");
    let later = harness.now().await.plus(LEASE);
    assert!(scene.release(&run.id, token, Some(later)).await);
    assert_heard(&scene, &[]).await;
    scene.advance(LEASE / 2).await;
    assert_rings(&scene, 10, 0).await;

    scene.advance(LEASE / 2 + QUIET).await;

    assert_rings(&scene, 10, 1).await;
}

/// No more than the limit at a time, each once, of every organization.
pub async fn many_runs_are_rung_for_up_to_the_limit(harness: &dyn StoreHarness) {
    let (ours, theirs) = (Scene::new(harness), Scene::of(harness, "org_b"));
    for list in ["l1", "l2", "l3"] {
        ours.queue(list).await;
        theirs.queue(list).await;
    }
    ours.advance(QUIET).await;

    let mut rung = assert_rings(&ours, 4, 4).await;
    rung.extend(assert_rings(&ours, 4, 2).await);
    assert_rings(&ours, 4, 0).await;

    assert!(rung.is_empty() || rung.len() == 6, "each once: {rung:?}");
    assert_rings(&ours, 0, 0).await;
}

/// A finished run is rung for no more.
pub async fn a_finished_run_is_not_rung_for(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut run = scene.queue("list1").await;
    scene.finish(&mut run).await;

    scene.advance(QUIET).await;

    assert_rings(&scene, 10, 0).await;
}

/// Whose turn it is, and how many runs the organization holds.
async fn turn(scene: &Scene<'_>) -> Option<(DueRun, u64)> {
    let turn = scene.handle().queue.next().await.expect("an answer");
    turn.map(|turn| (turn.due, turn.held))
}

async fn held(scene: &Scene<'_>) -> u64 {
    let organization = &scene.organization;
    let held = scene.handle().queue.held(organization).await;
    held.expect("a count")
}

/// A run can be next while it is due and held by nobody.
pub async fn a_run_waits_while_it_is_due_and_nobodys(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    assert_eq!(turn(&scene).await, None, "an empty queue");
    let run = scene.queue("list1").await;
    let its_turn = Some((due(&run), 0));
    assert_eq!(
        (turn(&scene).await, held(&scene).await),
        (its_turn.clone(), 0)
    );

    let token = scene.claim(&run.id).await.expect("a lease");
    assert_eq!((turn(&scene).await, held(&scene).await), (None, 1), "held");
    let later = harness.now().await.plus(LEASE);
    assert!(scene.release(&run.id, token, Some(later)).await);
    assert_eq!(
        (turn(&scene).await, held(&scene).await),
        (None, 0),
        "paused"
    );
    scene.advance(LEASE + QUIET).await;
    assert_eq!(turn(&scene).await, its_turn, "due again");

    scene.claim(&run.id).await.expect("a lease");
    scene.advance(LEASE + QUIET).await;
    assert_eq!(
        (turn(&scene).await, held(&scene).await),
        (its_turn, 0),
        "its holder went silent"
    );
}

/// Whoever holds fewer runs is next, however long the others have been waiting.
pub async fn whoever_holds_the_fewest_runs_is_next(harness: &dyn StoreHarness) {
    let (many, single) = (Scene::new(harness), Scene::of(harness, "org_single"));
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3", "l4"] {
        runs.push(many.queue(list).await);
        many.advance(HALF_QUIET).await;
    }
    let alone = single.queue("l1").await;
    assert_eq!(
        turn(&many).await,
        Some((due(&runs[0]), 0)),
        "nobody holds one"
    );

    many.claim(&runs[0].id).await.expect("a lease");
    assert_eq!(turn(&many).await, Some((due(&alone), 0)));
    single.claim(&alone.id).await.expect("a lease");
    assert_eq!(turn(&many).await, Some((due(&runs[1]), 1)), "even again");
    many.claim(&runs[1].id).await.expect("a lease");
    let another = single.queue("l2").await;
    assert_eq!(turn(&many).await, Some((due(&another), 1)));
    assert_eq!((held(&many).await, held(&single).await), (2, 1));
}

/// Among those that hold none, nobody has a second turn before the others have had one.
pub async fn whoever_was_served_longest_ago_is_next(harness: &dyn StoreHarness) {
    let (many, single) = (Scene::new(harness), Scene::of(harness, "org_single"));
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3"] {
        runs.push(many.queue(list).await);
    }
    many.advance(HALF_QUIET).await;
    let alone = single.queue("l1").await;

    let first = turn(&many).await.expect("a turn").0;
    assert_eq!(first.organization, many.organization, "due for longest");
    let index = runs.iter().position(|run| run.id == first.run);
    let mut done = runs.remove(index.expect("one of them"));
    many.claim(&done.id).await.expect("a lease");
    many.finish(&mut done).await;
    assert_eq!(turn(&many).await, Some((due(&alone), 0)));

    many.advance(HALF_QUIET).await;
    let token = single.claim(&alone.id).await.expect("a lease");
    assert!(single.release(&alone.id, token, None).await);
    let next = turn(&many).await.expect("a turn").0;
    assert_eq!(next.organization, many.organization);
}

/// Of one organization's runs that became due at once, the one that was claimed least often is next.
pub async fn whoever_was_served_least_is_next(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let (first, second) = (scene.queue("l1").await, scene.queue("l2").await);
    let later = harness.now().await.plus(LEASE);
    for run in [&first, &first, &second] {
        let token = scene.claim(&run.id).await.expect("a lease");
        let at = if run.id == first.id && token.0 == 1 {
            at(0)
        } else {
            later
        };
        assert!(scene.release(&run.id, token, Some(at)).await);
    }
    assert_eq!(turn(&scene).await, None);
    scene.advance(LEASE + QUIET).await;
    assert_eq!(turn(&scene).await, Some((due(&second), 0)));
}

/// The backlog holds what is due and what is held, not what is paused.
pub async fn the_backlog_is_what_is_due_or_held(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let queue = &scene.handle().queue;
    let mut runs = Vec::new();
    for list in ["l1", "l2", "l3"] {
        runs.push(scene.queue(list).await);
    }
    assert_eq!(queue.backlog().await.expect("a backlog"), 3, "due");
    scene.claim(&runs[0].id).await.expect("a lease");
    let token = scene.claim(&runs[1].id).await.expect("a lease");
    assert_eq!(queue.backlog().await.expect("a backlog"), 3, "held");
    let later = harness.now().await.plus(LEASE);
    assert!(scene.release(&runs[1].id, token, Some(later)).await);
    assert_eq!(queue.backlog().await.expect("a backlog"), 2, "paused");
    scene.finish(&mut runs[2]).await;
    assert_eq!(queue.backlog().await.expect("a backlog"), 1, "finished");
    scene.advance(LEASE + QUIET).await;
    assert_eq!(
        queue.backlog().await.expect("a backlog"),
        2,
        "due again, and gone silent"
    );
}
