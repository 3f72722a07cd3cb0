//! Lists that cannot be divided by join times, and what a run does to notice that.

use std::collections::BTreeSet;

use fanfare_domain::klaviyo::MemberOrder;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_testkit::build::{at, list};
use fanfare_testkit::fake_klaviyo::{Call, Contents, FakeKlaviyo, Refused, UnknownJoins};

use crate::test_organization::{TestOrganization, emails, klaviyo_with, member};

/// Members of the list, of whom two are on a page: enough that it is divided.
const MEMBERS: i64 = 80;

fn members_of_l1(contents: &mut Contents) -> &mut Vec<Profile> {
    &mut contents.collections.get_mut(&list("L1")).unwrap().1
}

/// A Klaviyo with a list that is divided, whose members with these numbers have no join time.
fn klaviyo_without_join_times(
    numbers: impl IntoIterator<Item = usize>,
    unknown_joins: UnknownJoins,
) -> FakeKlaviyo {
    let klaviyo = klaviyo_with(&list("L1"), MEMBERS);
    klaviyo.change(|contents| {
        contents.unknown_joins = unknown_joins;
        for number in numbers {
            members_of_l1(contents)[number].joined_at = None;
        }
    });
    klaviyo
}

/// How many of the calls so far asked for a range.
fn ranges(klaviyo: &FakeKlaviyo) -> usize {
    let calls = klaviyo.member_calls().into_iter();
    calls.filter(|from| from.joined_from.is_some()).count()
}

/// How often Klaviyo was asked for its count.
fn counts(klaviyo: &FakeKlaviyo) -> usize {
    let calls = klaviyo.calls().into_iter();
    calls
        .filter(|call| matches!(call, Call::Collection(_, true)))
        .count()
}

/// Imports the list and returns its first run, after a check that it has seen every member.
async fn imported_whole(org: &TestOrganization) -> SyncRun {
    let run = org.imported(&list("L1")).await;
    let run = org.work_to_end(&run).await;
    assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
    assert_eq!(org.members(&run.id).await, emails(0..MEMBERS));
    assert_eq!(run.progress.tally.processed, 80);
    run
}

#[tokio::test(start_paused = true)]
async fn members_without_a_join_time_are_members_wherever_klaviyo_puts_them() {
    for (unknown_joins, most_pages) in [
        (UnknownJoins::Earliest, 40),
        // The ranges that were under way when the list's end showed it.
        (UnknownJoins::Latest, 50),
        // Only the count shows it: the list is read a second time.
        (UnknownJoins::AlwaysLast, 90),
    ] {
        for unknown in [vec![0], vec![7, 40, 79], (0..80).collect()] {
            let klaviyo = klaviyo_without_join_times(unknown.clone(), unknown_joins);
            let org = TestOrganization::on(&klaviyo).await;

            let run = imported_whole(&org).await;

            let pages = run.progress.pages;
            assert!(
                pages <= most_pages,
                "{unknown_joins:?} {unknown:?}: {pages} pages"
            );
            if unknown_joins == UnknownJoins::Earliest {
                assert_eq!(
                    ranges(&klaviyo),
                    0,
                    "it is read by one reader without a filter"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_member_who_loses_the_join_time_is_not_removed_by_the_next_pass() {
    for unknown_joins in [
        UnknownJoins::Earliest,
        UnknownJoins::Latest,
        UnknownJoins::AlwaysLast,
    ] {
        let klaviyo = klaviyo_without_join_times([], unknown_joins);
        let org = TestOrganization::on(&klaviyo).await;
        let first = imported_whole(&org).await;
        assert!(ranges(&klaviyo) > 0, "it was divided");
        klaviyo.change(|contents| members_of_l1(contents)[33].joined_at = None);

        let next = org.resynced(&first, false).await;

        assert_eq!(
            (next.status, next.progress.members_removed),
            (SyncStatus::Success, 0)
        );
        assert_eq!(org.members(&first.id).await, emails(0..MEMBERS));
    }
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_known_only_at_the_end_shows_who_is_missing() {
    let klaviyo = klaviyo_without_join_times([5], UnknownJoins::AlwaysLast);
    klaviyo.change(|contents| contents.counts = false);
    klaviyo.change_after_pages(20, |contents| contents.counts = true);
    let org = TestOrganization::on(&klaviyo).await;

    let run = imported_whole(&org).await;

    assert_eq!(
        run.progress.total, None,
        "it is what Klaviyo counted at the start"
    );
}

#[tokio::test(start_paused = true)]
async fn a_member_who_leaves_during_the_pass_costs_a_count_and_no_second_reading() {
    let klaviyo = klaviyo_without_join_times([], UnknownJoins::Latest);
    klaviyo.change_after_pages(4, |contents| drop(members_of_l1(contents).remove(60)));
    let org = TestOrganization::on(&klaviyo).await;

    let run = org.synced(&list("L1")).await;

    assert_eq!(run.progress.tally.processed, 79);
    assert!(run.progress.pages <= 48, "{} pages", run.progress.pages);
    assert_eq!(counts(&klaviyo), 2);
}

#[tokio::test(start_paused = true)]
async fn a_count_that_is_not_to_be_had_at_the_end_costs_a_second_reading_and_not_the_run() {
    let klaviyo = klaviyo_without_join_times([], UnknownJoins::Latest);
    klaviyo.change_after_pages(4, |contents| {
        drop(members_of_l1(contents).remove(60));
        contents.counts = false;
    });
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let refusals = [KlaviyoError::NotPermitted, KlaviyoError::KeyRejected];
    // The list itself and its first count are answered.
    let [first, second] = refusals.map(Some);
    klaviyo.fail_others([None, None, first, second]);

    let run = org.work_to_end(&run).await;

    assert_eq!(
        (run.status, run.progress.tally.processed),
        (SyncStatus::Success, 79)
    );
    assert!(run.progress.pages > 70, "{} pages", run.progress.pages);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_was_seen_whole_asks_for_no_second_count() {
    let klaviyo = klaviyo_without_join_times([], UnknownJoins::Latest);
    let org = TestOrganization::on(&klaviyo).await;
    imported_whole(&org).await;
    assert_eq!(counts(&klaviyo), 1);
    let orders = klaviyo.member_calls().into_iter().map(|from| from.order);
    let looks = orders.filter(|order| *order == MemberOrder::LatestFirst);
    assert_eq!(looks.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_filter_or_order_leaves_one_reader() {
    for refused in [Refused::Ranges, Refused::RangesAndOrder] {
        let klaviyo = klaviyo_without_join_times([], UnknownJoins::Latest);
        klaviyo.change(|contents| contents.refused = refused);
        let org = TestOrganization::on(&klaviyo).await;

        let run = imported_whole(&org).await;

        assert!(run.progress.pages <= 42, "{} pages", run.progress.pages);
        let numbers: BTreeSet<_> = klaviyo
            .member_calls()
            .into_iter()
            .rev()
            .take(30)
            .map(|from| {
                assert_eq!(from.joined_from, None);
                from.cursor.unwrap().to_string()
            })
            .collect();
        assert_eq!(numbers.len(), 30, "one reader goes on from page to page");
    }
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_is_refused_after_a_rejected_cursor_begins_the_list_anew() {
    let klaviyo = klaviyo_with(&list("L1"), 9);
    klaviyo.change(|contents| contents.refused = Refused::Ranges);
    let org = TestOrganization::on(&klaviyo).await;
    klaviyo.fail_members([None, None, Some(KlaviyoError::CursorRejected)]);

    let run = org.synced(&list("L1")).await;

    assert_eq!(org.members(&run.id).await, emails(0..9));
}

#[tokio::test(start_paused = true)]
async fn members_who_joined_before_all_ranges_or_in_the_future_are_members() {
    let klaviyo = klaviyo_with(&list("L1"), MEMBERS);
    klaviyo.change(|contents| {
        members_of_l1(contents)[0].joined_at = Some(at(-5_000_000_000));
        for number in 70..80 {
            let future = at(10_000_000_000 + i64::from(number));
            members_of_l1(contents)[usize::try_from(number).unwrap()].joined_at = Some(future);
        }
        members_of_l1(contents)[40] = Profile {
            joined_at: Some(at(1_700_000_000)),
            ..member(40)
        };
    });
    let org = TestOrganization::on(&klaviyo).await;
    let first = imported_whole(&org).await;
    let next = org.resynced(&first, false).await;
    assert_eq!(
        (next.status, next.progress.members_removed),
        (SyncStatus::Success, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_of_one_second_is_read_from_both_ends_until_they_meet() {
    for ids_always_ascend in [false, true] {
        let klaviyo = klaviyo_without_join_times([], UnknownJoins::Latest);
        klaviyo.change(|contents| {
            contents.ids_always_ascend = ids_always_ascend;
            for member in members_of_l1(contents) {
                member.joined_at = Some(at(7));
            }
        });
        let org = TestOrganization::on(&klaviyo).await;

        let run = imported_whole(&org).await;

        let calls = klaviyo.member_calls();
        let backwards = calls.iter().filter(|from| from.joined_before.is_some());
        let backwards = backwards.count();
        if ids_always_ascend {
            assert_eq!(backwards, 1, "its page shows that the ends cannot meet");
        } else {
            assert!((15..=25).contains(&backwards), "{backwards} of 40");
        }
        assert!(run.progress.pages <= 50, "{} pages", run.progress.pages);
    }
}
