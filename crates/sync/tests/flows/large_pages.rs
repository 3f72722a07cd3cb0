//! Pages that are larger than the memory that a worker has for them.

use fanfare_domain::failure::FailureCode;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{TestOrganization, emails, members, poll_until};

const KIB: usize = 1 << 10;

/// Members with names of so many bytes, which are too long to be stored.
fn large(numbers: std::ops::Range<i64>, bytes: usize) -> Vec<Profile> {
    let mut members = members(numbers);
    for member in &mut members {
        member.first_name = Attribute::text("x".repeat(bytes));
    }
    members
}

#[tokio::test(start_paused = true)]
async fn large_pages_of_several_partitions_wait_for_each_other_and_all_are_read() {
    let klaviyo = FakeKlaviyo::default().page_size(2);
    let klaviyo = klaviyo.with(list("L1"), "VIP", large(0..100, 300 * KIB));
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.page_memory = 1_000 * KIB;
    let run = org.imported(&list("L1")).await;

    let ended = org.work_to_end(&run).await;

    assert_eq!(ended.status, SyncStatus::Success, "{:?}", ended.error);
    assert_eq!(org.members(&run).await, emails(0..100));
    let in_vain = klaviyo.member_calls().len() as u64 - ended.progress.pages;
    assert!((1..10).contains(&in_vain), "{in_vain} requests in vain");
}

#[tokio::test(start_paused = true)]
async fn pages_larger_than_all_memory_are_read_one_at_a_time() {
    let klaviyo = FakeKlaviyo::default().page_size(2);
    let klaviyo = klaviyo.with(list("L1"), "VIP", large(0..40, 300 * KIB));
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.page_memory = 200 * KIB;
    let run = org.imported(&list("L1")).await;

    let ended = org.work_to_end(&run).await;

    assert_eq!(ended.status, SyncStatus::Success, "{:?}", ended.error);
    assert_eq!(org.members(&run).await, emails(0..40));
}

#[tokio::test(start_paused = true)]
async fn a_page_larger_than_a_page_may_be_cannot_be_used() {
    let klaviyo = FakeKlaviyo::default().page_size(2);
    let klaviyo = klaviyo.with(list("L1"), "VIP", large(0..2, 300 * KIB));
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.page_memory = 200 * KIB;
    org.pace.largest_page = 500 * KIB;
    let run = org.imported(&list("L1")).await;

    let ended = org.work_to_end(&run).await;

    assert_eq!(ended.error.unwrap().code, FailureCode::UpstreamInvalid);
}

#[tokio::test(start_paused = true)]
async fn large_pages_of_one_run_keep_no_ordinary_page_of_another_waiting() {
    let klaviyo = FakeKlaviyo::default().page_size(2);
    let klaviyo = klaviyo
        .with(list("L1"), "Large", large(0..40, 300 * KIB))
        .with(list("L2"), "Small", members(0..20));
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.page_memory = 700 * KIB;
    let engine = org.engine();
    let runs = [
        org.imported(&list("L1")).await,
        org.imported(&list("L2")).await,
    ];
    // A large page has come and is not written yet.
    let mut first = org.worker_of(&engine, &runs[0]);
    poll_until(&mut first, || klaviyo.member_calls().len() == 1);

    let end = org.worker_of(&engine, &runs[1]).await.unwrap();

    assert_eq!(end, SliceEnd::Finished(SyncStatus::Success));
}

/// A large page is written in several sets, in one unit.
#[tokio::test(start_paused = true)]
async fn a_page_of_which_the_last_set_is_refused_is_planned_anew_as_a_whole() {
    let of = |id: &str, bytes| Profile {
        first_name: Attribute::text("x".repeat(bytes)),
        ..profile(id).email(&format!("{id}@x.io")).build()
    };
    let klaviyo = FakeKlaviyo::default().page_size(3);
    let strangers = ["s0", "s1", "s2"].map(|id| of(id, 1));
    let last = [of("s3", 700 * KIB), of("s4", 700 * KIB), of("t9", 1)];
    let klaviyo = klaviyo.with(list("L1"), "Known", [of("t9", 1)]).with(
        list("L2"),
        "Both",
        strangers.into_iter().chain(last),
    );
    let org = TestOrganization::on(&klaviyo).await;
    org.synced(&list("L1")).await;

    let run = org.synced(&list("L2")).await;

    assert_eq!(
        (run.progress.tally.processed, run.progress.tally.created),
        (6, 5)
    );
    assert_eq!(org.members(&run.id).await.len(), 6);
    let again = org.resynced(&run, false).await;
    let progress = again.progress;
    assert_eq!((progress.tally.unchanged, progress.members_removed), (6, 0));
}
