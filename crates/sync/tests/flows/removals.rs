//! Members that leave, and the threshold for removals.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::Operation;

use crate::test_organization::{TestOrganization, emails, klaviyo_with, members};

/// After this time Klaviyo counts again.
const QUOTA_OF_COUNTING: Duration = Duration::from_secs(2);

fn set_members(klaviyo: &FakeKlaviyo, numbers: impl IntoIterator<Item = i64>) {
    let members = members(numbers);
    klaviyo.change(|contents| contents.collections.get_mut(&list("L1")).unwrap().1 = members);
}

#[tokio::test(start_paused = true)]
async fn a_complete_pass_leaves_exactly_the_lists_members_and_keeps_the_consumers() {
    let klaviyo = klaviyo_with(&list("L1"), 7);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    set_members(&klaviyo, [1, 3, 8, 9]);

    let second = org.resynced(&first, false).await;

    assert_eq!(org.members(&first.id).await, emails([1, 3, 8, 9]));
    let progress = second.progress;
    assert_eq!((progress.members_added, progress.members_removed), (2, 5));
    assert_eq!(org.consumers().await.len(), 9);
}

/// As many members as it has met, and no link has moved: nobody can be absent.
#[tokio::test(start_paused = true)]
async fn a_pass_that_has_met_every_member_looks_at_none_of_them() {
    let klaviyo = klaviyo_with(&list("L1"), 7);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    let looks = || org.store.count_of(Operation::CountAbsent);

    set_members(&klaviyo, 0..9);
    let grown = org.resynced(&first, false).await;
    assert_eq!(grown.progress.members_added, 2);
    assert_eq!(looks(), 0);

    set_members(&klaviyo, 1..10);
    let changed = org.resynced(&first, false).await;
    let progress = changed.progress;
    assert_eq!((progress.members_added, progress.members_removed), (1, 1));
    assert!(looks() > 0);
}

#[tokio::test(start_paused = true)]
async fn a_partial_pass_adds_members_and_removes_none() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    set_members(&klaviyo, 10..16);
    klaviyo.fail_members([None, Some(KlaviyoError::NotFound)]);

    let second = org.resynced(&first, false).await;

    assert_eq!(second.status, SyncStatus::Failed);
    assert_eq!(org.members(&first.id).await, emails((0..6).chain([10, 11])));
}

#[tokio::test(start_paused = true)]
async fn more_than_half_of_a_large_audience_leave_only_when_confirmed() {
    let klaviyo = klaviyo_with(&list("L1"), 120).page_size(50);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    // 61 leave, and one joins.
    set_members(&klaviyo, (61..120).chain([500]));

    let refused = org.resynced(&first, false).await;

    let error = refused.error.clone().unwrap();
    assert_eq!(error.code, FailureCode::RemovalGuard);
    assert!(error.message.contains("61 of 120"), "{}", error.message);
    assert_eq!(
        (
            refused.progress.members_added,
            refused.progress.members_removed
        ),
        (1, 0)
    );
    assert_eq!(org.members(&first.id).await, emails((0..120).chain([500])));
    let source = org
        .integration
        .audience(&org.organization, &first.audience)
        .await
        .unwrap()
        .source
        .unwrap();
    assert_eq!(source.last_synced_at, first.finished_at);

    let confirmed = org.resynced(&first, true).await;
    assert_eq!(
        (confirmed.status, confirmed.progress.members_removed),
        (SyncStatus::Success, 61)
    );
    assert_eq!(org.members(&first.id).await, emails((61..120).chain([500])));
}

/// Syncs again without confirmation, and fails unless that was held and removed no member.
async fn assert_held(org: &TestOrganization, first: &SyncRun, want: &[String]) {
    tokio::time::sleep(QUOTA_OF_COUNTING).await;
    let held = org.resynced(first, false).await;
    let error = held.error.expect("it was held");
    assert_eq!(error.code, FailureCode::RemovalGuard, "{}", error.message);
    assert_eq!(held.progress.members_removed, 0);
    assert_eq!(org.members(&first.id).await, want);
}

#[tokio::test(start_paused = true)]
async fn the_guard_stays_shut_until_somebody_confirms_whatever_the_held_passes_have_added() {
    let klaviyo = klaviyo_with(&list("L1"), 195).page_size(100);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    let all = emails((0..195).chain(500..800));

    set_members(&klaviyo, 500..800);
    for _ in 0..3 {
        assert_held(&org, &first, &all).await;
    }
    set_members(&klaviyo, 0..195);
    assert_held(&org, &first, &all).await;
    set_members(&klaviyo, 510..800);
    klaviyo.fail_members([Some(KlaviyoError::NotFound)]);
    let failed = org.resynced(&first, false).await;
    assert_eq!(failed.error.unwrap().code, FailureCode::SourceGone);
    assert_held(&org, &first, &all).await;

    tokio::time::sleep(QUOTA_OF_COUNTING).await;
    let confirmed = org.resynced(&first, true).await;
    assert_eq!(
        (confirmed.status, confirmed.progress.members_removed),
        (SyncStatus::Success, 205)
    );
    assert_eq!(org.members(&first.id).await, emails(510..800));

    // Half of these may leave unconfirmed again.
    set_members(&klaviyo, 655..800);
    tokio::time::sleep(QUOTA_OF_COUNTING).await;
    let next = org.resynced(&first, false).await;
    assert_eq!(
        (next.status, next.progress.members_removed),
        (SyncStatus::Success, 145)
    );
}

#[tokio::test(start_paused = true)]
async fn the_guard_goes_by_the_members_of_the_last_success_and_not_by_what_a_failed_pass_has_added()
{
    let klaviyo = klaviyo_with(&list("L1"), 195).page_size(100);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    // A pass reads 200 strangers, and then its list is gone.
    set_members(&klaviyo, (0..195).chain(500..800));
    klaviyo.fail_members([None, None, None, None, Some(KlaviyoError::NotFound)]);
    let failed = org.resynced(&first, false).await;
    assert_eq!(failed.error.unwrap().code, FailureCode::SourceGone);
    let members = org.members(&first.id).await;
    assert!(members.len() > 300, "{}", members.len());

    // 98 of 195 leave, which are less than half of those that there are now.
    set_members(&klaviyo, (98..195).chain(500..800));
    let all = emails((0..195).chain(500..800));
    assert_held(&org, &first, &all).await;
}

#[tokio::test(start_paused = true)]
async fn a_list_that_has_everybody_again_opens_the_guard() {
    let klaviyo = klaviyo_with(&list("L1"), 120).page_size(100);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    set_members(&klaviyo, [500]);
    assert_held(&org, &first, &emails((0..120).chain([500]))).await;

    // No member is to be removed, so there is nothing to confirm.
    set_members(&klaviyo, (0..120).chain([500]));
    tokio::time::sleep(QUOTA_OF_COUNTING).await;
    assert_eq!(
        org.resynced(&first, false).await.status,
        SyncStatus::Success
    );
    set_members(&klaviyo, 1..120);
    tokio::time::sleep(QUOTA_OF_COUNTING).await;
    let next = org.resynced(&first, false).await;
    assert_eq!(next.progress.members_removed, 2);
}

#[tokio::test(start_paused = true)]
async fn exactly_half_may_leave_and_a_small_audience_may_become_empty() {
    let klaviyo = klaviyo_with(&list("L1"), 120).page_size(50);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    for (left, removed) in [(60..120, 60), (60..60, 60)] {
        set_members(&klaviyo, left);
        let run = org.resynced(&first, false).await;
        assert_eq!(
            (run.status, run.progress.members_removed),
            (SyncStatus::Success, removed)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_saw_fewer_than_nine_tenths_of_klaviyos_count_removes_no_member_until_confirmed()
 {
    let klaviyo = klaviyo_with(&list("L1"), 20).page_size(50);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    // Klaviyo counts 20, and shows 17 of whom one has joined since.
    set_members(&klaviyo, (0..16).chain([500]));
    klaviyo.change(|contents| contents.counts_too_many = 3);
    tokio::time::sleep(QUOTA_OF_COUNTING).await;

    let refused = org.resynced(&first, false).await;

    let error = refused.error.clone().unwrap();
    assert_eq!(error.code, FailureCode::IncompleteRead);
    assert!(error.message.contains("17 of the 20"), "{}", error.message);
    let progress = refused.progress;
    assert_eq!((progress.members_added, progress.members_removed), (1, 0));
    assert_eq!(org.members(&first.id).await, emails((0..20).chain([500])));

    tokio::time::sleep(QUOTA_OF_COUNTING).await;
    let confirmed = org.resynced(&first, true).await;
    assert_eq!(
        (confirmed.status, confirmed.progress.members_removed),
        (SyncStatus::Success, 4)
    );
    assert_eq!(org.members(&first.id).await, emails((0..16).chain([500])));
}

#[tokio::test(start_paused = true)]
async fn a_first_import_that_saw_too_few_keeps_what_it_read_and_says_so() {
    let klaviyo = klaviyo_with(&list("L1"), 8);
    klaviyo.change(|contents| contents.counts_too_many = 1);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;

    let run = org.work_to_end(&run).await;

    assert_eq!(run.error.unwrap().code, FailureCode::IncompleteRead);
    assert_eq!(org.members(&run.id).await, emails(0..8));
}

#[tokio::test(start_paused = true)]
async fn nine_tenths_are_enough_and_so_is_any_number_where_klaviyo_does_not_count() {
    let klaviyo = klaviyo_with(&list("L1"), 9);
    klaviyo.change(|contents| contents.counts_too_many = 1);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    set_members(&klaviyo, 0..2);
    klaviyo.change(|contents| contents.counts = false);
    let next = org.resynced(&first, false).await;
    assert_eq!(
        (next.status, next.progress.members_removed),
        (SyncStatus::Success, 7)
    );
}
