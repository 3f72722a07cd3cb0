//! Units of work.

use std::sync::Arc;

use fanfare_domain::ports::StoreError;
use fanfare_domain::work::WorkKey;
use tokio::task::JoinSet;

use super::fixture::{Write, set_up, snapshot};
use super::harness::StoreHarness;
use super::test_organization::{LEASE, TestOrganization};
use crate::build;

/// A unit of work knows its organization.
pub async fn a_unit_knows_its_organization(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);

    assert_eq!(*org.read().await.organization(), org.organization);
    assert_eq!(*org.begin().await.organization(), org.organization);
}

/// Rows, queue and notifications are as before, whatever the unit did.
pub async fn a_dropped_unit_leaves_no_trace(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let fixture = set_up(&org).await;
    let before = snapshot(&org, &fixture.profiles).await;
    let queue = &org.handle().queue;
    let backlog = queue.backlog().await.expect("a backlog");
    harness.notifications().await;

    let mut unit = org.begin().await;
    for write in Write::ALL {
        let done = write.attempt(unit.as_mut(), &fixture).await;
        assert!(done.expect("a write"), "{write:?} must do something");
    }
    drop(unit);

    assert_eq!(snapshot(&org, &fixture.profiles).await, before);
    assert_eq!(queue.backlog().await.expect("a backlog"), backlog);
    assert!(
        harness
            .notifications()
            .await
            .is_none_or(|notified| notified.is_empty())
    );
    let mut unit = org.begin().await;
    let renewed = unit
        .renew(&WorkKey::pull(&fixture.held.id), fixture.token, LEASE)
        .await;
    assert!(renewed.expect("an answer"));
    drop(unit);
    assert!(
        org.claim(&WorkKey::pull(&fixture.waiting.run().id))
            .await
            .is_some()
    );
}

/// Another process reads what one unit has committed.
pub async fn a_committed_unit_is_seen_elsewhere(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let fixture = set_up(&org).await;
    let before = snapshot(&org, &fixture.profiles).await;

    let mut unit = org.begin().await;
    for write in Write::ALL {
        write
            .attempt(unit.as_mut(), &fixture)
            .await
            .expect("a write");
    }
    unit.commit().await.expect("a commit");

    assert_ne!(snapshot(&org, &fixture.profiles).await, before);
    let elsewhere = org.elsewhere().read(&org.organization).await;
    let mut elsewhere = elsewhere.expect("a unit for reading");
    let run = elsewhere
        .run(&fixture.next.run().id)
        .await
        .expect("an answer");
    assert_eq!(run.as_ref(), Some(fixture.next.run()));
}

/// Each write fails with `ReadOnly`, and nothing is changed.
pub async fn a_unit_for_reading_refuses_every_write(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let fixture = set_up(&org).await;
    let before = snapshot(&org, &fixture.profiles).await;

    for write in Write::ALL {
        let mut unit = org.read().await;
        let refused = write.attempt(unit.as_mut(), &fixture).await;
        let is_read_only = matches!(refused, Err(StoreError::ReadOnly));
        assert!(is_read_only, "{write:?}: {refused:?}");
    }

    assert_eq!(snapshot(&org, &fixture.profiles).await, before);
}

/// A unit for reading may be committed, which does nothing.
pub async fn a_unit_for_reading_can_be_committed(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut unit = org.read().await;
    unit.connection().await.expect("an answer");

    unit.commit().await.expect("a commit of nothing");
}

/// A reader sees the state it began with, whatever is committed meanwhile.
pub async fn a_reader_keeps_to_one_state(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let run = org.queue("list1").await;
    let mut reader = org.read().await;
    assert_eq!(reader.run_count(&run.audience).await.expect("a count"), 1);

    let finished = org.finish(&run).await;

    assert_eq!(reader.run(&run.id).await.expect("a run"), Some(run.clone()));
    let mut later = org.read().await;
    assert_eq!(later.run(&run.id).await.expect("a run"), Some(finished));
}

/// A reader is served while a writer is open, and does not see what the writer has written.
pub async fn a_reader_waits_for_no_writer(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut writer = org.begin().await;
    writer
        .put_connection(&build::connection())
        .await
        .expect("a connection");

    for handle in harness.handles() {
        let reader = handle.store.read(&org.organization).await;
        let mut reader = reader.expect("a unit for reading");
        assert_eq!(reader.connection().await.expect("an answer"), None);
    }

    writer.commit().await.expect("a commit");
    let mut reader = org.read().await;
    assert!(reader.connection().await.expect("an answer").is_some());
}

/// A writer of another process waits for the first one, and then sees what the first one has written.
pub async fn a_writer_sees_what_the_writer_before_it_wrote(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut first = org.begin().await;
    let elsewhere = Arc::clone(&harness.handles()[1].store);
    let organization = org.organization.clone();
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

/// Fifty writers in two processes each add one to the number that they read: in the end it is fifty.
pub async fn no_update_is_lost_among_many_writers(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let source = org.import("list1").await;
    let mut writers = JoinSet::new();
    for n in 0..50 {
        let store = Arc::clone(&harness.handles()[n % 2].store);
        let (organization, id) = (org.organization.clone(), source.id.clone());
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

    let mut unit = org.read().await;
    let source = unit.source(&source.id).await.expect("an answer");
    assert_eq!(source.expect("the source").data.processed, 50);
}

/// A writer that gives up while it waits for another (as when a request is cut off) leaves nothing locked.
pub async fn a_writer_that_gave_up_waiting_blocks_no_other(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut holder = org.begin().await;
    holder
        .put_connection(&build::connection())
        .await
        .expect("a connection");
    for handle in harness.handles() {
        tokio::select! {
            biased;
            _ = handle.store.begin(&org.organization) => panic!("two writers at once"),
            () = tokio::task::yield_now() => {}
        }
    }

    holder.commit().await.expect("a commit");

    for handle in harness.handles().iter().chain(harness.handles()) {
        let unit = handle.store.begin(&org.organization).await;
        let mut unit = unit.expect("a unit for writing");
        unit.put_connection(&build::connection())
            .await
            .expect("a connection");
        unit.commit().await.expect("a commit");
    }
}
