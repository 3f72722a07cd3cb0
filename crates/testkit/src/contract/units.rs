//! Units of work.

use std::sync::Arc;

use fanfare_domain::ports::StoreError;
use tokio::task::JoinSet;

use super::furniture::{Write, furnish, snapshot};
use super::harness::StoreHarness;
use super::scene::{LEASE, Scene};
use crate::build;

/// A unit tells whose it is.
pub async fn a_unit_tells_its_organization(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);

    assert_eq!(*scene.read().await.organization(), scene.organization);
    assert_eq!(*scene.begin().await.organization(), scene.organization);
}

/// Rows, queue and bell are as before, whatever the unit did.
pub async fn a_dropped_unit_leaves_no_trace(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let furniture = furnish(&scene).await;
    let before = snapshot(&scene, &furniture.profiles).await;
    let queue = &scene.handle().queue;
    let backlog = queue.backlog().await.expect("a backlog");
    harness.on_job().await;

    let mut unit = scene.begin().await;
    for write in Write::ALL {
        let done = write.attempt(unit.as_mut(), &furniture).await;
        assert!(done.expect("a write"), "{write:?} must do something");
    }
    drop(unit);

    assert_eq!(snapshot(&scene, &furniture.profiles).await, before);
    assert_eq!(queue.backlog().await.expect("a backlog"), backlog);
    assert!(harness.on_job().await.is_none_or(|rings| rings.is_empty()));
    let mut unit = scene.begin().await;
    let renewed = unit.renew(&furniture.held.id, furniture.token, LEASE).await;
    assert!(renewed.expect("an answer"));
    drop(unit);
    assert!(scene.claim(&furniture.waiting.id).await.is_some());
}

/// What one unit commits is what another process reads.
pub async fn a_committed_unit_is_seen_elsewhere(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let furniture = furnish(&scene).await;
    let before = snapshot(&scene, &furniture.profiles).await;

    let mut unit = scene.begin().await;
    for write in Write::ALL {
        write
            .attempt(unit.as_mut(), &furniture)
            .await
            .expect("a write");
    }
    unit.commit().await.expect("a commit");

    assert_ne!(snapshot(&scene, &furniture.profiles).await, before);
    let elsewhere = scene.elsewhere().read(&scene.organization).await;
    let mut elsewhere = elsewhere.expect("a unit for reading");
    let run = elsewhere.run(&furniture.next.id).await.expect("an answer");
    assert_eq!(run, Some(furniture.next));
}

/// Each write is a `ReadOnly`, and nothing is done.
pub async fn a_unit_for_reading_refuses_every_write(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let furniture = furnish(&scene).await;
    let before = snapshot(&scene, &furniture.profiles).await;

    for write in Write::ALL {
        let mut unit = scene.read().await;
        let refused = write.attempt(unit.as_mut(), &furniture).await;
        let is_read_only = matches!(refused, Err(StoreError::ReadOnly));
        assert!(is_read_only, "{write:?}: {refused:?}");
    }

    assert_eq!(snapshot(&scene, &furniture.profiles).await, before);
}

/// A unit for reading may be committed, which does nothing.
pub async fn a_unit_for_reading_can_be_committed(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut unit = scene.read().await;
    unit.connection().await.expect("an answer");

    unit.commit().await.expect("a commit of nothing");
}

/// A reader sees the state it began with, whatever is committed meanwhile.
pub async fn a_reader_keeps_to_one_state(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let run = scene.queue("list1").await;
    let mut reader = scene.read().await;
    assert_eq!(reader.run_count(&run.audience).await.expect("a count"), 1);

    let mut finished = run.clone();
    scene.finish(&mut finished).await;

    assert_eq!(reader.run(&run.id).await.expect("a run"), Some(run.clone()));
    let mut later = scene.read().await;
    assert_eq!(later.run(&run.id).await.expect("a run"), Some(finished));
}

/// A reader is served while a writer is open, and does not see what that has written.
pub async fn a_reader_waits_for_no_writer(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut writer = scene.begin().await;
    writer
        .put_connection(&build::connection())
        .await
        .expect("a connection");

    for handle in harness.handles() {
        let reader = handle.store.read(&scene.organization).await;
        let mut reader = reader.expect("a unit for reading");
        assert_eq!(reader.connection().await.expect("an answer"), None);
    }

    writer.commit().await.expect("a commit");
    let mut reader = scene.read().await;
    assert!(reader.connection().await.expect("an answer").is_some());
}

/// A writer of another process waits for the one there, and then sees what that has written.
pub async fn a_writer_sees_what_the_writer_before_it_wrote(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut first = scene.begin().await;
    let elsewhere = Arc::clone(&harness.handles()[1].store);
    let organization = scene.organization.clone();
    let second = tokio::spawn(async move {
        let mut unit = elsewhere
            .begin(&organization)
            .await
            .expect("a unit for writing");
        unit.connection().await.expect("an answer")
    });
    // The second writer gets every chance to come in between.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }

    first
        .put_connection(&build::connection())
        .await
        .expect("a connection");
    first.commit().await.expect("a commit");

    assert_eq!(second.await.expect("no panic"), Some(build::connection()));
}

/// Fifty add one to what they read, from two processes: fifty is what is there in the end.
pub async fn no_update_is_lost_among_many_writers(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let source = scene.import("list1").await;
    let mut writers = JoinSet::new();
    for n in 0..50 {
        let store = Arc::clone(&harness.handles()[n % 2].store);
        let (organization, id) = (scene.organization.clone(), source.id.clone());
        writers.spawn(async move {
            let mut unit = store
                .begin(&organization)
                .await
                .expect("a unit for writing");
            let source = unit.source(&id).await.expect("an answer");
            let mut source = source.expect("the source");
            tokio::task::yield_now().await;
            source.data.processed += 1;
            unit.put_source(&source).await.expect("a source");
            unit.commit().await.expect("a commit");
        });
    }
    writers.join_all().await;

    let mut unit = scene.read().await;
    let source = unit.source(&source.id).await.expect("an answer");
    assert_eq!(source.expect("the source").data.processed, 50);
}

/// Whoever waits for a writer and gives up (a request that was cut off) leaves nothing locked.
pub async fn a_writer_that_gave_up_waiting_is_in_nobodys_way(harness: &dyn StoreHarness) {
    let scene = Scene::new(harness);
    let mut holder = scene.begin().await;
    holder
        .put_connection(&build::connection())
        .await
        .expect("a connection");
    for handle in harness.handles() {
        tokio::select! {
            biased;
            _ = handle.store.begin(&scene.organization) => panic!("two writers at once"),
            () = tokio::task::yield_now() => {}
        }
    }

    holder.commit().await.expect("a commit");

    for handle in harness.handles().iter().chain(harness.handles()) {
        let unit = handle.store.begin(&scene.organization).await;
        let mut unit = unit.expect("a unit for writing");
        unit.put_connection(&build::connection())
            .await
            .expect("a connection");
        unit.commit().await.expect("a commit");
    }
}
