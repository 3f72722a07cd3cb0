//! Who leaves, and when.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::shop::{Shop, emails, klaviyo_with, members, poll};

fn now_has(klaviyo: &FakeKlaviyo, numbers: impl IntoIterator<Item = i64>) {
    has(klaviyo, "L1", members(numbers));
}

fn has(klaviyo: &FakeKlaviyo, id: &str, people: impl IntoIterator<Item = Profile>) {
    let people = people.into_iter().collect();
    klaviyo.change(|contents| contents.collections.get_mut(&list(id)).unwrap().1 = people);
}

#[tokio::test(start_paused = true)]
async fn a_complete_pass_makes_the_members_exactly_the_lists_and_keeps_the_consumers() {
    let klaviyo = klaviyo_with(&list("L1"), 7);
    let shop = Shop::on(&klaviyo).await;
    let first = shop.synced(&list("L1")).await;
    now_has(&klaviyo, [1, 3, 8, 9]);

    let second = shop.resynced(&first, false).await;

    assert_eq!(shop.members(&first.id).await, emails([1, 3, 8, 9]));
    let progress = second.progress;
    assert_eq!((progress.members_added, progress.members_removed), (2, 5));
    assert_eq!(shop.consumers().await.len(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_partial_pass_adds_and_removes_nobody() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let shop = Shop::on(&klaviyo).await;
    let first = shop.synced(&list("L1")).await;
    now_has(&klaviyo, 10..16);
    klaviyo.fail_members([None, Some(KlaviyoError::NotFound)]);

    let second = shop.resynced(&first, false).await;

    assert_eq!(second.status, SyncStatus::Failed);
    assert_eq!(
        shop.members(&first.id).await,
        emails((0..6).chain([10, 11]))
    );
}

#[tokio::test(start_paused = true)]
async fn more_than_half_of_a_large_audience_leave_only_when_confirmed() {
    let klaviyo = klaviyo_with(&list("L1"), 120).page_size(50);
    let shop = Shop::on(&klaviyo).await;
    let first = shop.synced(&list("L1")).await;
    // 61 leave, and somebody joins.
    now_has(&klaviyo, (61..120).chain([500]));

    let guarded = shop.resynced(&first, false).await;

    let error = guarded.error.clone().unwrap();
    assert_eq!(error.code, FailureCode::RemovalGuard);
    assert!(error.message.contains("61 of 120"), "{}", error.message);
    assert_eq!(
        (
            guarded.progress.members_added,
            guarded.progress.members_removed
        ),
        (1, 0)
    );
    assert_eq!(shop.members(&first.id).await, emails((0..120).chain([500])));
    let source = shop
        .integration
        .audience(&shop.organization, &first.audience)
        .await
        .unwrap()
        .source;
    assert_eq!(source.last_synced_at, first.finished_at);

    let confirmed = shop.resynced(&first, true).await;
    assert_eq!(
        (confirmed.status, confirmed.progress.members_removed),
        (SyncStatus::Success, 61)
    );
    assert_eq!(
        shop.members(&first.id).await,
        emails((61..120).chain([500]))
    );
}

#[tokio::test(start_paused = true)]
async fn just_half_may_leave_and_a_small_audience_may_empty() {
    let klaviyo = klaviyo_with(&list("L1"), 120).page_size(50);
    let shop = Shop::on(&klaviyo).await;
    let first = shop.synced(&list("L1")).await;
    for (left, removed) in [(60..120, 60), (60..60, 60)] {
        now_has(&klaviyo, left);
        let run = shop.resynced(&first, false).await;
        assert_eq!(
            (run.status, run.progress.members_removed),
            (SyncStatus::Success, removed)
        );
    }
}

/// Another list's run meets the new e-mail of a member of ours, between any two steps of our run.
#[tokio::test(start_paused = true)]
async fn who_moves_to_another_consumer_at_any_step_is_a_member_as_the_new_one() {
    let somebody = |id: &str, email: &str| profile(id).email(email).joined(50).build();
    let mut has_moved = false;
    for polls in 1.. {
        let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", members([]));
        let they_are = |own: &str| {
            let ours = members([0]).into_iter().chain([somebody("mover", own)]);
            has(&klaviyo, "L1", ours);
            has(
                &klaviyo,
                "L2",
                [somebody("other", "b@x.io"), somebody("mover", own)],
            );
        };
        they_are("a@x.io");
        let shop = Shop::on(&klaviyo).await;
        has(
            &klaviyo,
            "L1",
            members(0..7)
                .into_iter()
                .chain([somebody("mover", "a@x.io")]),
        );
        let first = shop.synced(&list("L1")).await;
        let other = shop.synced(&list("L2")).await;
        they_are("a@x.io");
        let (run, other) = (
            shop.queued_again(&first).await,
            shop.queued_again(&other).await,
        );
        let (mut worker, mut others_worker) = (shop.worker(&run), shop.worker(&other));
        let _ = poll(&mut worker, polls);
        they_are("b@x.io");
        loop {
            if !shop.run(&run).await.status.is_active() {
                assert!(has_moved && polls > 20, "there were steps to move at");
                return;
            }
            if poll(&mut others_worker, 100).is_some() {
                break;
            }
            // It may be in a unit, which the other waits for.
            let _ = poll(&mut worker, 1);
        }
        worker.await.unwrap();

        let run = shop.run(&run).await;
        assert_eq!(run.status, SyncStatus::Success, "after {polls} polls");
        // A page that was on its way has the old e-mail, and may be the last to say so.
        let mover = shop.email_of("mover").await;
        has_moved |= mover == "b@x.io";
        let want = [mover, "p000@x.io".to_owned()];
        assert_eq!(shop.members(&run.id).await, want, "after {polls} polls");
    }
}
