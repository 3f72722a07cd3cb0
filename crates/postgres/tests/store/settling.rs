//! After the last page: windows over sightings and members.

use fanfare_domain::ids::{ConsumerId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::Clock;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncRun;

use crate::support::{Fixture, org, profile, store};

fn people(numbers: impl Iterator<Item = u32>) -> Vec<Profile> {
    numbers
        .map(|n| profile(&format!("p{n:03}"), &format!("e{n}@example.com"), "A"))
        .collect()
}

/// The ends of all windows of members that are not seen by the run, and how many there are.
async fn count_absent(fixture: &Fixture, run: &SyncRun, size: u32) -> (Vec<ConsumerId>, u64) {
    let mut unit = fixture.read(&run.organization).await;
    let (mut ends, mut absent) = (Vec::new(), 0);
    loop {
        let window = unit
            .count_absent_members(&run.id, &run.audience, ends.last(), size)
            .await
            .unwrap();
        absent += window.affected;
        match window.next {
            Some(next) => ends.push(next),
            None => return (ends, absent),
        }
    }
}

async fn remove_absent(fixture: &Fixture, run: &SyncRun, size: u32) -> u64 {
    let (mut after, mut removed) = (None, 0);
    loop {
        let mut unit = fixture.begin(&run.organization).await;
        let window = unit
            .remove_absent_members(&run.id, &run.audience, after.as_ref(), size)
            .await
            .unwrap();
        unit.commit().await.unwrap();
        removed += window.affected;
        after = window.next;
        if after.is_none() {
            return removed;
        }
    }
}

async fn member_ids(fixture: &Fixture, run: &SyncRun) -> Vec<ConsumerId> {
    let all = PageRequest {
        first: 1_000,
        after: None,
    };
    let mut unit = fixture.read(&run.organization).await;
    let members = unit.members(&run.audience, None, &all).await.unwrap().items;
    members.into_iter().map(|one| one.consumer.id).collect()
}

#[tokio::test]
async fn those_not_seen_leave_whatever_the_size_of_the_windows() {
    for (size, windows) in [(1, 30), (7, 5), (10, 3), (30, 1), (1_000, 1)] {
        let fixture = store().await;
        let mut first = fixture.queue(&org("org_a"), "list1").await;
        fixture.take(&first, &people(0..30)).await;
        fixture.finish(&mut first).await;
        let second = fixture.queue(&org("org_a"), "list1").await;
        // Two new ones, who leave again before the end, are absent but were not there before.
        fixture
            .take(&second, &people((0..30).filter(|n| n % 3 == 0)))
            .await;

        let (ends, absent) = count_absent(&fixture, &second, size).await;
        assert_eq!((ends.len() + 1, absent), (windows, 20), "windows of {size}");
        assert_eq!(remove_absent(&fixture, &second, size).await, 20);

        assert_eq!(member_ids(&fixture, &second).await.len(), 10);
        assert_eq!(count_absent(&fixture, &second, size).await.1, 0);
    }
}

#[tokio::test]
async fn a_member_of_this_run_that_lost_its_profile_is_removed_but_not_counted() {
    let fixture = store().await;
    let run = fixture.queue(&org("org_a"), "list1").await;
    fixture
        .take(&run, &[profile("p1", "a@example.com", "A")])
        .await;
    // The profile moves to another consumer within the run.
    fixture
        .take(&run, &[profile("p2", "b@example.com", "B")])
        .await;
    fixture
        .take(&run, &[profile("p1", "b@example.com", "A")])
        .await;

    assert_eq!(count_absent(&fixture, &run, 10).await.1, 0);
    assert_eq!(remove_absent(&fixture, &run, 10).await, 1);

    assert_eq!(member_ids(&fixture, &run).await.len(), 1);
}

#[tokio::test]
async fn consumers_that_profiles_moved_to_are_added_window_by_window() {
    let fixture = store().await;
    let (list, other) = (org("org_a"), "list2");
    let run = fixture.queue(&list, "list1").await;
    fixture.take(&run, &people(0..9)).await;
    // Another list's run gives the profiles new e-mails that others have: they move.
    let rival = fixture.queue(&list, other).await;
    let owners = (0..9).map(|n| profile(&format!("o{n}"), &format!("new{n}@example.com"), "O"));
    fixture.take(&rival, &owners.collect::<Vec<_>>()).await;
    let moved = (0..9).map(|n| profile(&format!("p{n:03}"), &format!("new{n}@example.com"), "A"));
    fixture.take(&rival, &moved.collect::<Vec<_>>()).await;

    let (mut after, mut windows) = (None, Vec::new());
    loop {
        let now = fixture.clock.now();
        let mut unit = fixture.begin(&list).await;
        let window = unit
            .add_missing_members(&run.id, &run.audience, after.as_ref(), 3, now)
            .await
            .unwrap();
        unit.commit().await.unwrap();
        windows.push(window.affected);
        after = window.next;
        if after.is_none() {
            break;
        }
    }

    assert_eq!(windows, [3, 3, 3]);
    assert_eq!(member_ids(&fixture, &run).await.len(), 18);
    assert_eq!(remove_absent(&fixture, &run, 4).await, 9);
}

#[tokio::test]
async fn sightings_of_ended_runs_are_forgotten_and_of_active_ones_kept() {
    let fixture = store().await;
    let organization = org("org_a");
    let mut ended = Vec::new();
    for list in ["list1", "list2", "list3"] {
        let mut run = fixture.queue(&organization, list).await;
        fixture.take(&run, &people(0..10)).await;
        fixture.finish(&mut run).await;
        ended.push(run.id);
    }
    let active = fixture.queue(&organization, "list4").await;
    fixture.take(&active, &people(0..10)).await;
    let foreign = fixture.queue(&org("org_b"), "list1").await;
    fixture.take(&foreign, &people(0..10)).await;

    let mut forgotten = Vec::new();
    for _ in 0..5 {
        let mut unit = fixture.begin(&organization).await;
        forgotten.push(unit.forget_sightings(12).await.unwrap());
        unit.commit().await.unwrap();
    }

    assert_eq!(forgotten, [12, 12, 6, 0, 0]);
    let seen = async |run: &RunId, of: &SyncRun| {
        let ids: Vec<_> = people(0..10).into_iter().map(|one| one.id).collect();
        let mut unit = fixture.read(&of.organization).await;
        unit.known(run, &[], &ids).await.unwrap().sightings.len()
    };
    assert_eq!(seen(&ended[0], &active).await, 0);
    assert_eq!(seen(&active.id, &active).await, 10);
    assert_eq!(seen(&foreign.id, &foreign).await, 10);
}
