//! What is kept of history: snapshots, what they need, and nothing of an erased person.

use fanfare_domain::history::{Snapshot, moment, moment_before};
use fanfare_domain::ids::{AudienceId, ProfileId, SnapshotId};
use fanfare_domain::time::Timestamp;

use super::harness::StoreHarness;
use super::history::{all_changes, consumer_of, members_at, pass};
use super::test_organization::{TestOrganization, assert_paged};
use crate::build::{at, audience_id};

fn snapshot(id: &str, name: &str, at: Timestamp, members: u64) -> Snapshot {
    Snapshot {
        id: SnapshotId::parse(id).expect("an id"),
        name: name.to_owned(),
        at,
        members,
    }
}

async fn insert(org: &TestOrganization<'_>, audience: &AudienceId, one: &Snapshot) {
    let mut unit = org.begin().await;
    let inserted = unit.insert_snapshot(audience, one).await;
    inserted.expect("a snapshot");
    unit.commit().await.expect("a commit");
}

/// Each belongs to one audience of one organization.
pub async fn snapshots_are_listed_and_deleted(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let (one, other) = (audience_id("aud_1"), audience_id("aud_2"));
    let all = [
        snapshot("snap_1", "Draw ☆", at(100), 3),
        snapshot("snap_2", "Draw ☆", at(50), 0),
        snapshot("snap_3", "Third", at(50), u64::from(u32::MAX)),
    ];
    for snapshot in &all {
        insert(&org, &one, snapshot).await;
    }
    insert(&org, &other, &all[0]).await;

    assert_paged(&all, async |page| {
        let mut unit = org.read().await;
        unit.snapshots(&one, page).await.expect("snapshots")
    })
    .await;
    let theirs = TestOrganization::of(harness, "org_b");
    let mut unit = theirs.begin().await;
    assert_eq!(unit.snapshot_count(&one).await.expect("a count"), 0);
    let deleted = unit.delete_snapshot(&one, &all[0].id).await;
    assert!(!deleted.expect("an answer"));
    drop(unit);
    let mut unit = org.begin().await;
    for (time, has) in [(at(50), true), (at(51), false)] {
        let found = unit.has_snapshot_at(&one, time).await;
        assert_eq!(found.expect("an answer"), has);
    }
    assert_eq!(unit.snapshot_count(&one).await.expect("a count"), 3);
    for was_there in [true, false] {
        let deleted = unit.delete_snapshot(&one, &all[0].id).await;
        assert_eq!(deleted.expect("an answer"), was_there);
    }
    unit.commit().await.expect("a commit");
    let mut unit = org.read().await;
    assert_eq!(unit.snapshot_count(&one).await.expect("a count"), 2);
    assert_eq!(unit.snapshot_count(&other).await.expect("a count"), 1);
}

/// In every audience, and of nobody else.
pub async fn an_erased_persons_history_is_deleted(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let mut runs = Vec::new();
    for list in ["list1", "list2"] {
        let run = pass(&org, list, &["p1", "p2", "p3"]).await;
        runs.push((run, harness.now().await));
        pass(&org, list, &["p3"]).await;
    }
    let one = consumer_of(&org, &runs[0].0, "p1").await;
    let mut unit = org.begin().await;
    let links = unit.links_of(&one).await.expect("links");
    let profiles: Vec<ProfileId> = links.into_iter().map(|link| link.profile).collect();
    unit.erase(&one, &profiles, &[], at(1)).await.expect("done");
    unit.commit().await.expect("a commit");

    for (run, then) in &runs {
        let changes = all_changes(&org, &run.audience).await;
        assert_eq!(changes.len(), 3);
        assert!(changes.iter().all(|change| change.consumer != one));
        assert_eq!(members_at(&org, &run.audience, *then).await.len(), 2);
    }
}

async fn delete_history(
    org: &TestOrganization<'_>,
    audience: &AudienceId,
    before: Timestamp,
) -> u64 {
    let (mut deleted, mut after) = (0, None);
    loop {
        let mut unit = org.begin().await;
        let batch = unit
            .delete_history(audience, before, after.as_ref(), 2)
            .await;
        unit.commit().await.expect("a commit");
        let batch = batch.expect("a batch");
        assert!(batch.affected <= 2);
        deleted += batch.affected;
        after = batch.next;
        if after.is_none() {
            return deleted;
        }
    }
}

/// What ended before a time is deleted, and what a snapshot needs when the snapshot is gone.
pub async fn history_expires_but_for_what_a_snapshot_needs(harness: &dyn StoreHarness) {
    let org = TestOrganization::new(harness);
    let begin = moment(harness.now().await);
    let run = pass(&org, "list1", &["p1", "p2", "p3", "p4", "p5", "p6"]).await;
    pass(&org, "list1", &["p4", "p5", "p6"]).await;
    let taken = moment_before(harness.now().await);
    pass(&org, "list1", &["p6"]).await;
    let end = harness.now().await;
    pass(&org, "list1", &[]).await;
    let audience = &run.audience;
    let one = snapshot("snap_1", "Draw", taken, 3);
    insert(&org, audience, &one).await;
    let other = pass(&org, "list2", &["p1"]).await;
    let then = members_at(&org, audience, taken).await;
    assert_eq!(then.len(), 3);

    let mut unit = org.read().await;
    let from = unit.history_from(audience).await;
    assert_eq!(from.expect("an answer"), None);
    let with_history = unit.audiences_with_history(begin).await;
    assert_eq!(with_history.expect("audiences"), []);
    let with_history = unit.audiences_with_history(end).await;
    assert_eq!(
        with_history.expect("audiences"),
        std::slice::from_ref(audience)
    );
    drop(unit);
    assert_eq!(delete_history(&org, audience, begin).await, 0);
    assert_eq!(delete_history(&org, audience, end).await, 3);
    assert_eq!(members_at(&org, audience, taken).await, then);
    let mut unit = org.read().await;
    let from = unit.history_from(audience).await;
    assert_eq!(from.expect("an answer"), Some(end));
    let from = unit.history_from(&other.audience).await;
    assert_eq!(from.expect("an answer"), None);
    drop(unit);
    // Its beginning, and whoever was a member since then and left later, are still told.
    let last = members_at(&org, audience, end).await;
    assert_eq!(last.len(), 1);

    let mut unit = org.begin().await;
    let deleted = unit.delete_snapshot(audience, &one.id).await;
    assert!(deleted.expect("an answer"));
    unit.commit().await.expect("a commit");
    assert_eq!(delete_history(&org, audience, end).await, 2);
    assert_eq!(members_at(&org, audience, end).await, last);
    let mut unit = org.read().await;
    let with_history = unit.audiences_with_history(end).await;
    assert_eq!(with_history.expect("audiences"), []);
}
