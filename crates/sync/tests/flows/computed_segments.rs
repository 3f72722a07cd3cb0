//! Segments that Klaviyo is computing: a run adds whom it sees and removes nobody.

use std::time::Duration;

use fanfare_domain::explain::ReasonCode;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_sync::Whom;
use fanfare_testkit::build::{list, segment};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{TestOrganization, emails, members};

const FIVE_MINUTES: Duration = Duration::from_mins(5);

/// A Klaviyo with a segment of 200 members, and an organization that has synced it.
async fn synced() -> (FakeKlaviyo, TestOrganization, SyncRun) {
    let klaviyo = FakeKlaviyo::default().with(segment("S1"), "Engaged", members(0..200));
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.continuously_synced(&segment("S1")).await;
    assert!(!first.removals_deferred);
    (klaviyo, org, first)
}

fn fill(klaviyo: &FakeKlaviyo, people: std::ops::Range<i64>) {
    klaviyo.change(|contents| {
        let (_, of_segment) = contents.collections.get_mut(&segment("S1")).unwrap();
        *of_segment = members(people);
    });
}

/// Empty first, then with a few, then whole: in none of these states anybody leaves, and no guard is asked. Once it is
/// computed, who is not in it leaves.
#[tokio::test(start_paused = true)]
async fn a_segment_that_is_emptied_and_computed_anew_loses_nobody_meanwhile() {
    let (klaviyo, org, first) = synced().await;
    let full_pass = org.status(&first.audience).await.last_full_pass_at();
    klaviyo.change(|contents| contents.processing.push(segment("S1")));
    for people in [200..200, 190..210, 150..220] {
        let most = people.end;
        fill(&klaviyo, people);
        let run = org.sync_due(&first.audience).await;
        assert_eq!(
            (run.status, run.removals_deferred),
            (SyncStatus::Success, true)
        );
        assert_eq!(run.progress.members_removed, 0);
        assert_eq!(org.members(&run.id).await, emails(0..most));
        let status = org.status(&first.audience).await;
        assert_eq!(status.last_full_pass_at(), full_pass);
        assert_eq!(
            status.next_sync_at(),
            Some(run.finished_at.unwrap().plus(FIVE_MINUTES))
        );
    }

    fill(&klaviyo, 10..220);
    klaviyo.change(|contents| contents.processing.clear());
    let run = org.sync_due(&first.audience).await;
    assert_eq!(
        (run.status, run.removals_deferred),
        (SyncStatus::Success, false)
    );
    assert_eq!(run.progress.members_removed, 10);
    assert_eq!(org.members(&run.id).await, emails(10..220));
    assert_eq!(
        org.status(&first.audience).await.last_full_pass_at(),
        run.finished_at
    );
}

/// Klaviyo does not always say that it is computing: what was changed a short time ago counts, too. A change that lies far
/// ahead says nothing, or nobody would ever leave.
#[tokio::test(start_paused = true)]
async fn a_segment_whose_definition_was_changed_lately_counts_as_being_computed() {
    let far = Timestamp::parse("2099-01-01T00:00:00Z").unwrap();
    for (minutes_ago, want) in [(Some(14), true), (Some(16), false), (None, false)] {
        let (klaviyo, org, first) = synced().await;
        fill(&klaviyo, 0..199);
        org.wait_until_due(&first.audience).await;
        let changed = match minutes_ago {
            Some(minutes) => {
                let now = org.now();
                tokio::time::sleep(Duration::from_mins(minutes)).await;
                now
            }
            None => far,
        };
        klaviyo.change(|contents| {
            contents.updated.insert(segment("S1"), changed);
        });

        let run = org.resynced(&first, true).await;

        assert_eq!(run.removals_deferred, want, "{minutes_ago:?}");
        assert_eq!(run.progress.members_removed, u64::from(!want));
    }
}

/// What was seen before it began says nothing, either.
#[tokio::test(start_paused = true)]
async fn a_segment_that_is_being_computed_at_the_end_of_a_pass_loses_nobody() {
    let (klaviyo, org, first) = synced().await;
    // Two pages: it begins with the second.
    fill(&klaviyo, 50..200);
    klaviyo.change_after_pages(1, |contents| contents.processing.push(segment("S1")));

    let run = org.resynced(&first, true).await;

    assert_eq!(
        (run.status, run.removals_deferred),
        (SyncStatus::Success, true)
    );
    assert_eq!(org.members(&run.id).await, emails(0..200));
}

#[tokio::test(start_paused = true)]
async fn a_member_who_stays_because_the_segment_is_being_computed_is_told_so() {
    let (klaviyo, org, first) = synced().await;
    fill(&klaviyo, 0..150);
    klaviyo.change(|contents| contents.processing.push(segment("S1")));
    org.resynced(&first, true).await;
    let leaving = Whom::Profile(members([180])[0].id.clone());

    let explained = org
        .integration
        .explain(&org.organization, &first.audience, &leaving, false)
        .await
        .unwrap();

    let codes: Vec<ReasonCode> = explained.reasons.iter().map(|one| one.code).collect();
    assert_eq!(codes, [ReasonCode::Member, ReasonCode::RemovalHeld]);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_never_being_computed() {
    let klaviyo = FakeKlaviyo::default().with(list("L1"), "VIP", members(0..4));
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    klaviyo.change(|contents| {
        contents.processing.push(list("L1"));
        contents.updated.insert(list("L1"), org.now());
        contents.collections.get_mut(&list("L1")).unwrap().1.pop();
    });
    let run = org.resynced(&first, false).await;
    assert!(!run.removals_deferred);
    assert_eq!(run.progress.members_removed, 1);
}

/// A guard that holds removals is not opened by a run that has not asked it.
#[tokio::test(start_paused = true)]
async fn a_deferred_run_opens_no_guard() {
    let (klaviyo, org, first) = synced().await;
    fill(&klaviyo, 0..50);
    klaviyo.change(|contents| contents.counts = false);
    assert_eq!(org.resynced(&first, false).await.status, SyncStatus::Failed);
    klaviyo.change(|contents| contents.processing.push(segment("S1")));
    assert!(org.resynced(&first, false).await.removals_deferred);
    klaviyo.change(|contents| contents.processing.clear());

    let held = org.resynced(&first, false).await;

    assert_eq!(held.status, SyncStatus::Failed);
    assert_eq!(org.members(&held.id).await.len(), 200);
}
