//! A list that changes while it is read, and cursors that Klaviyo rejects.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::RunId;
use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{at, list, profile};
use fanfare_testkit::fake_klaviyo::{Contents, FakeKlaviyo};

use crate::test_organization::{
    TestOrganization, emails, klaviyo_with, member, members, poll_until,
};

fn members_of_l1(contents: &mut Contents) -> &mut Vec<Profile> {
    &mut contents.collections.get_mut(&list("L1")).unwrap().1
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_joins_during_the_scan_is_read_at_its_end() {
    let klaviyo = klaviyo_with(&list("L1"), 5);
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.change_after_pages(1, |contents| members_of_l1(contents).push(member(50)));
    klaviyo.change_after_pages(2, |contents| members_of_l1(contents).push(member(51)));

    let run = org.synced(&list("L1")).await;

    assert_eq!(org.members(&run.id).await, emails((0..5).chain([50, 51])));
    assert_eq!(
        (run.progress.tally.processed, run.progress.total),
        (7, Some(5))
    );
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_leaves_before_its_page_is_no_member_and_one_that_leaves_after_it_goes_next_time()
 {
    let klaviyo = klaviyo_with(&list("L1"), 12);
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.change_after_pages(1, |contents| drop(members_of_l1(contents).remove(11)));
    let run = org.synced(&list("L1")).await;
    assert_eq!(org.members(&run.id).await, emails(0..11));

    klaviyo.change(|contents| drop(members_of_l1(contents).remove(0)));
    let next = org.resynced(&run, false).await;
    assert_eq!(org.members(&run.id).await, emails(1..11));
    assert_eq!(next.progress.members_removed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_joins_again_is_read_twice_and_counted_once() {
    let klaviyo = klaviyo_with(&list("L1"), 5);
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.change_after_pages(2, |contents| {
        let again = Profile {
            joined_at: Some(at(60)),
            ..member(0)
        };
        members_of_l1(contents).push(again);
    });

    let run = org.synced(&list("L1")).await;

    let tally = run.progress.tally;
    assert_eq!((tally.processed, tally.created), (5, 5));
    assert!(org.issues(&run.id).await.is_empty());
    assert_eq!(org.members(&run.id).await, emails(0..5));
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_moves_after_its_page_is_a_member_as_its_new_consumer() {
    // Two profiles share one consumer; then another list has a new e-mail for one of them.
    let shared = |id: &str, joined| profile(id).email("shared@x.io").joined(joined);
    let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", Vec::<Profile>::new());
    klaviyo.change(|contents| {
        members_of_l1(contents).extend([shared("a", 1).build(), shared("b", 2).build()]);
        members_of_l1(contents).extend(members(3..7));
    });
    let org = TestOrganization::on(&klaviyo).await;
    org.synced(&list("L1")).await;
    let moved = profile("a")
        .email("alone@x.io")
        .updated(9)
        .joined(1)
        .build();
    klaviyo.change(|contents| {
        contents
            .collections
            .get_mut(&list("L2"))
            .unwrap()
            .1
            .push(moved);
    });
    let first = org
        .integration
        .audiences(&org.organization, &crate::test_organization::everything())
        .await
        .unwrap();
    let audience = &first.items[0].audience.id;
    let started = org
        .integration
        .sync_audience(&org.organization, audience, false)
        .await
        .unwrap();

    let before = klaviyo.member_calls().len();
    let mut worker = org.worker(&started.run);
    poll_until(&mut worker, || klaviyo.member_calls().len() == before + 2);
    org.synced(&list("L2")).await;
    worker.await.unwrap();

    let run = org.run(&started.run).await;
    assert_eq!(run.status, SyncStatus::Success);
    let mut want = emails(3..7);
    want.extend(["alone@x.io".to_owned(), "shared@x.io".to_owned()]);
    want.sort();
    assert_eq!(org.members(&run.id).await, want);
    assert_eq!(run.progress.members_added, 1);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_cursor_costs_the_last_second_and_not_the_scan() {
    let klaviyo = klaviyo_with(&list("L1"), 9);
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.fail_members([None, None, Some(KlaviyoError::CursorRejected)]);

    let run = org.synced(&list("L1")).await;

    let calls = klaviyo.member_calls();
    // The members of the second page joined at 2 and 3; the range begins with the latter.
    assert_eq!(
        (calls[3].joined_from, &calls[3].cursor),
        (Some(at(3)), &None)
    );
    assert_eq!(
        calls[4].joined_from,
        Some(at(3)),
        "a cursor belongs to the range that it was given for"
    );
    let looks = calls
        .iter()
        .filter(|from| from.order == MemberOrder::LatestFirst);
    assert_eq!(
        looks.count(),
        1,
        "where there is a range, the list's end is looked at"
    );
    assert_eq!(run.progress.tally.processed, 9);
    assert_eq!(org.members(&run.id).await, emails(0..9));
}

#[tokio::test(start_paused = true)]
async fn a_scan_whose_cursors_are_rejected_four_times_goes_on_by_ranges() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    for _ in 0..8 {
        klaviyo.fail_members([None, Some(KlaviyoError::CursorRejected)]);
    }
    let run = org.synced(&list("L1")).await;
    assert_eq!(org.members(&run.id).await, emails(0..6));
    assert_eq!(run.progress.tally.processed, 6);
}

/// Works a run whose every cursor is rejected. Returns the waits after the rejections.
async fn work_without_cursors(
    org: &TestOrganization,
    klaviyo: &FakeKlaviyo,
    run: &RunId,
) -> Vec<Duration> {
    let mut waits = Vec::new();
    loop {
        klaviyo.fail_members([None, Some(KlaviyoError::CursorRejected)]);
        match org.work(run).await {
            SliceEnd::Paused(until) => {
                let wait = until.since(org.now());
                waits.push(wait);
                tokio::time::advance(wait).await;
            }
            end => {
                assert_eq!(end, SliceEnd::Finished(SyncStatus::Failed));
                return waits;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_fifth_rejected_cursor_ends_the_run_and_says_so() {
    // Of a list in one second, each range begins with the same page.
    let in_one_second = (0..30).map(|number| Profile {
        joined_at: Some(at(7)),
        ..member(number)
    });
    let lists = [members(0..30), in_one_second.collect()];
    for members in lists {
        let klaviyo = FakeKlaviyo::default()
            .page_size(2)
            .with(list("L1"), "VIP", members);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.imported(&list("L1")).await;

        let waits = work_without_cursors(&org, &klaviyo, &run).await;

        let calls = klaviyo.member_calls();
        let cursors = calls.iter().filter(|call| call.cursor.is_some());
        assert_eq!((cursors.count(), calls.len()), (5, 10));
        let allowed = Duration::from_secs(1)..=Duration::from_mins(1);
        assert_eq!(waits.len(), 4);
        assert!(waits.is_sorted(), "{waits:?}");
        assert!(waits.iter().all(|wait| allowed.contains(wait)), "{waits:?}");
        let error = org.run(&run).await.error.unwrap();
        assert_eq!(error.code, FailureCode::UpstreamInvalid);
        assert!(
            error.message.contains("refused the cursor"),
            "{}",
            error.message
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_beyond_the_rejected_cursor_sets_the_count_back() {
    let klaviyo = klaviyo_with(&list("L1"), 60);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    for _ in 0..8 {
        // A cursor is rejected; the range from there is read, and one page by cursor beyond it.
        klaviyo.fail_members([None, Some(KlaviyoError::CursorRejected), None]);
    }
    let run = org.work_to_end(&run).await;
    assert_eq!(run.status, SyncStatus::Success);
    assert_eq!(org.members(&run.id).await, emails(0..60));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_is_rejected_deep_in_a_disordered_list_ends_the_run_too() {
    let klaviyo = FakeKlaviyo::default().page_size(2);
    let disordered = (0..12).map(|number| Profile {
        joined_at: None,
        ..member(number)
    });
    let klaviyo = klaviyo.with(list("L1"), "VIP", disordered);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    for _ in 0..5 {
        // The list begins anew, and its fourth page is rejected each time.
        klaviyo.fail_members([None, None, None, Some(KlaviyoError::CursorRejected)]);
    }

    let run = org.work_to_end(&run).await;

    assert_eq!(run.error.unwrap().code, FailureCode::UpstreamInvalid);
    assert_eq!(klaviyo.member_calls().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_join_dated_in_the_future_makes_no_range_that_skips_the_present() {
    let klaviyo = klaviyo_with(&list("L1"), 0);
    let far = 10_000_000_000;
    klaviyo.change(|contents| {
        members_of_l1(contents).extend((0..4).map(|number| Profile {
            joined_at: Some(at(far + number)),
            ..member(number)
        }));
    });
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.fail_members([None, Some(KlaviyoError::CursorRejected)]);

    let began = org.now();
    org.synced(&list("L1")).await;

    assert_eq!(klaviyo.member_calls()[2].joined_from, Some(began));
}

#[tokio::test(start_paused = true)]
async fn pages_that_lead_in_a_circle_end_the_run_and_remove_no_member() {
    let klaviyo = klaviyo_with(&list("L1"), 5)
        .page_size(1)
        .with_circular_pages();
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;

    let run = org.work_to_end(&run).await;

    assert_eq!(run.error.unwrap().code, FailureCode::CursorLoop);
    assert_eq!(org.members(&run.id).await, emails(0..5));
    assert!(run.progress.pages < 40, "{} pages", run.progress.pages);
}
