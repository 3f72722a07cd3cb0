//! Leases: who may write for a run.

use std::time::Duration;

use fanfare_domain::run::FencingToken;
use tokio::task::JoinSet;

use super::harness::StoreHarness;
use super::scene::{LEASE, Scene};
use crate::build::{at, run_id};

/// Half of a lease, and a bit more than a whole.
const HALF: Duration = Duration::from_mins(5);
const MORE: Duration = Duration::from_mins(11);

/// One holds it; nobody else gets it, from no process.
pub async fn a_lease_is_had_by_one(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let mut unit = scene.begin().await;
    let claim = unit
        .claim(&run, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!claim.abandoned);
    assert_eq!(
        unit.claim(&run, LEASE).await.expect("an answer"),
        None,
        "in the same unit"
    );
    unit.commit().await.expect("a commit");

    scene.advance(HALF).await;

    let mut unit = scene
        .elsewhere()
        .begin(&scene.organization)
        .await
        .expect("a unit");
    assert_eq!(
        unit.claim(&run, LEASE).await.expect("an answer"),
        None,
        "elsewhere"
    );
}

/// Fifty workers with the same job, in two processes: one gets the lease.
pub async fn of_fifty_at_once_one_gets_the_lease(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let mut workers = JoinSet::new();
    for n in 0..50 {
        let store = harness.handles()[n % 2].store.clone();
        let (organization, run) = (scene.organization.clone(), run.clone());
        workers.spawn(async move {
            let mut unit = store
                .begin(&organization)
                .await
                .expect("a unit for writing");
            let claim = unit.claim(&run, LEASE).await.expect("an answer");
            unit.commit().await.expect("a commit");
            u32::from(claim.is_some())
        });
    }
    assert_eq!(workers.join_all().await.into_iter().sum::<u32>(), 1);
}

/// Renewed before its end, it is had for its whole length again.
pub async fn a_lease_that_is_renewed_goes_on(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let token = scene.claim(&run).await.expect("a lease");
    for _ in 0..4 {
        scene.advance(HALF).await;
        let mut unit = scene.begin().await;
        assert!(unit.renew(&run, token, LEASE).await.expect("an answer"));
        unit.commit().await.expect("a commit");
    }

    scene.advance(HALF).await;

    assert_eq!(scene.claim(&run).await, None);
}

/// A renewal may be shorter than what was left.
pub async fn a_lease_is_renewed_from_now_on(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let token = scene.claim(&run).await.expect("a lease");
    let mut unit = scene.begin().await;
    assert!(
        unit.renew(&run, token, Duration::from_mins(1))
            .await
            .expect("an answer")
    );
    unit.commit().await.expect("a commit");

    scene.advance(Duration::from_mins(2)).await;

    assert!(scene.claim(&run).await.is_some());
}

/// Once it has run out it is not renewed, even if nobody has taken it; the next holder is told that
/// it takes over from one that went silent, and the one before is fenced off.
pub async fn a_lease_that_ran_out_is_taken_over(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let first = scene.claim(&run).await.expect("a lease");
    scene.advance(MORE).await;

    let mut unit = scene.begin().await;
    assert!(
        !unit.renew(&run, first, LEASE).await.expect("an answer"),
        "it has run out"
    );
    let second = unit
        .claim(&run, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(second.abandoned);
    assert!(second.token > first);
    assert!(
        !unit.renew(&run, first, LEASE).await.expect("an answer"),
        "it is another's"
    );
    assert!(
        !unit.release(&run, first, None).await.expect("an answer"),
        "it is another's"
    );
    assert!(
        unit.renew(&run, second.token, LEASE)
            .await
            .expect("an answer")
    );
}

/// Given back, it is nobody's, once; the next holder takes over from nobody.
pub async fn a_lease_that_was_given_back_is_free(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let token = scene.claim(&run).await.expect("a lease");

    assert!(scene.release(&run, token, None).await);

    assert!(
        !scene.release(&run, token, None).await,
        "it is no longer ours"
    );
    let mut unit = scene.begin().await;
    assert!(!unit.renew(&run, token, LEASE).await.expect("an answer"));
    let next = unit
        .claim(&run, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!next.abandoned);
    assert!(next.token > token);
}

/// A holder that comes back late, before anybody else, may still give the run back.
pub async fn a_lease_that_ran_out_can_be_given_back_while_nobody_has_it(
    harness: &dyn StoreHarness,
) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let token = scene.claim(&run).await.expect("a lease");
    scene.advance(MORE).await;

    assert!(scene.release(&run, token, None).await);

    let mut unit = scene.begin().await;
    let next = unit
        .claim(&run, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!next.abandoned, "it was given back");
}

/// Every token is higher than all before, however the lease changed hands.
pub async fn tokens_only_grow(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let mut tokens = Vec::new();
    for n in 0..6 {
        let token = scene.claim(&run).await.expect("a lease");
        tokens.push(token);
        if n % 2 == 0 {
            assert!(scene.release(&run, token, None).await);
        } else {
            scene.advance(MORE).await;
        }
    }
    assert!(tokens.is_sorted_by(|a, b| a < b), "{tokens:?}");
    let guessed = FencingToken(tokens[5].0 + 1);
    let mut unit = scene.begin().await;
    assert!(!unit.renew(&run, guessed, LEASE).await.expect("an answer"));
}

/// A claim that was not committed was none.
pub async fn a_claim_that_is_dropped_was_none(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let mut unit = scene.begin().await;
    assert!(unit.claim(&run, LEASE).await.expect("an answer").is_some());
    drop(unit);

    let mut unit = scene.begin().await;
    let claim = unit
        .claim(&run, LEASE)
        .await
        .expect("an answer")
        .expect("a lease");
    assert!(!claim.abandoned);
}

/// A run that waits for its time is nobody's until then.
pub async fn a_paused_run_cannot_be_claimed_before_its_time(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await.id;
    let token = scene.claim(&run).await.expect("a lease");
    let due = harness.now().await.plus(LEASE);
    assert!(scene.release(&run, token, Some(due)).await);

    scene.advance(HALF).await;
    assert_eq!(scene.claim(&run).await, None);

    scene.advance(HALF).await;
    scene.advance(Duration::from_mins(1)).await;
    assert!(scene.claim(&run).await.is_some());
}

/// Ended, by whomever: no lease is had, renewed or given back any more.
pub async fn a_finished_run_is_nobodys(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut run = scene.queue("list1").await;
    let token = scene.claim(&run.id).await.expect("a lease");
    scene.finish(&mut run).await;

    let mut unit = scene.begin().await;
    assert!(!unit.renew(&run.id, token, LEASE).await.expect("an answer"));
    assert!(!unit.release(&run.id, token, None).await.expect("an answer"));
    assert_eq!(unit.claim(&run.id, LEASE).await.expect("an answer"), None);
    drop(unit);
    scene.advance(MORE).await;
    assert_eq!(scene.claim(&run.id).await, None);
    assert_eq!(scene.handle().queue.backlog().await.expect("a backlog"), 0);
}

/// In the very unit that ends it, too.
pub async fn a_run_leaves_the_queue_as_it_is_saved(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut run = scene.queue("list1").await;
    let token = scene.claim(&run.id).await.expect("a lease");
    run.cancel("", at(5)).expect("an active run");
    let mut unit = scene.begin().await;
    unit.save_run(&run).await.expect("a run saved");

    assert!(!unit.renew(&run.id, token, LEASE).await.expect("an answer"));
    assert_eq!(unit.claim(&run.id, LEASE).await.expect("an answer"), None);
}

/// No lease of a run that never was.
pub async fn an_unknown_run_has_no_lease(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let (nobody, token) = (run_id("run_none"), FencingToken(0));
    let mut unit = scene.begin().await;
    assert_eq!(unit.claim(&nobody, LEASE).await.expect("an answer"), None);
    assert!(!unit.renew(&nobody, token, LEASE).await.expect("an answer"));
    assert!(!unit.release(&nobody, token, None).await.expect("an answer"));
}
