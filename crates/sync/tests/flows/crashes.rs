//! Workers that crash, and a store that fails, at every step of a run.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::RunId;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::Error;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::Operation;

use crate::stored_rows::StoredRows;
use crate::test_organization::{LEASE, TestOrganization, klaviyo_with, members, poll, poll_until};

/// A second pass with every kind of change: profiles that joined, left, changed, share an e-mail or have an
/// unusable one.
struct SecondPass {
    org: TestOrganization,
    klaviyo: FakeKlaviyo,
    run: RunId,
    pages_before: usize,
}

impl SecondPass {
    async fn new() -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 5);
        let org = TestOrganization::on(&klaviyo).await;
        let first = org.synced(&list("L1")).await;
        let profiles: Vec<Profile> = members(1..4)
            .into_iter()
            .chain([
                profile("P004")
                    .email("moved@x.io")
                    .first_name("Mo")
                    .updated(9)
                    .joined(10)
                    .build(),
                profile("P005")
                    .email("p001@x.io")
                    .phone("+15550001")
                    .joined(11)
                    .build(),
                profile("P006").email("broken").joined(12).build(),
                profile("P007")
                    .phone("+15550002")
                    .last_name("\0")
                    .joined(13)
                    .build(),
            ])
            .collect();
        klaviyo.change(|contents| contents.collections.get_mut(&list("L1")).unwrap().1 = profiles);
        let started = org
            .integration
            .sync_audience(&org.organization, &first.audience, false)
            .await;
        let pages_before = klaviyo.member_calls().len();
        // So that the quota allows to count the list again, at once: its next minute begins a moment after the last one.
        tokio::time::advance(Duration::from_secs(61)).await;
        Self {
            org,
            klaviyo,
            run: started.unwrap().run,
            pages_before,
        }
    }

    fn pages(&self) -> usize {
        self.klaviyo.member_calls().len() - self.pages_before
    }

    async fn stored_rows(&self) -> StoredRows {
        self.org.stored_rows(std::slice::from_ref(&self.run)).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_may_crash_at_any_step_and_the_rows_end_the_same() {
    let undisturbed = SecondPass::new().await;
    undisturbed.org.work_to_end(&undisturbed.run).await;
    let (want, pages) = (undisturbed.stored_rows().await, undisturbed.pages());
    assert_eq!(pages, 4);

    for polls in 1.. {
        let disturbed = SecondPass::new().await;
        let mut worker = disturbed.org.worker(&disturbed.run);
        if poll(&mut worker, polls).is_some() {
            assert!(polls > 40, "the worker crashed at too few steps");
            return;
        }
        drop(worker);
        tokio::time::advance(LEASE).await;

        if disturbed.org.run(&disturbed.run).await.status.is_active() {
            disturbed.org.work_to_end(&disturbed.run).await;
        }

        assert_eq!(
            disturbed.stored_rows().await,
            want,
            "crashed after {polls} polls"
        );
        assert!(
            disturbed.pages() <= pages + 1,
            "after {polls} polls {} pages were asked for",
            disturbed.pages()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_workers_in_a_row_may_crash_at_any_step() {
    let undisturbed = SecondPass::new().await;
    undisturbed.org.work_to_end(&undisturbed.run).await;
    let want = undisturbed.stored_rows().await;

    for polls in (1..60).step_by(7) {
        for more in (1..60).step_by(11) {
            let disturbed = SecondPass::new().await;
            for polls in [polls, more] {
                let _ = poll(&mut disturbed.org.worker(&disturbed.run), polls);
                tokio::time::advance(LEASE).await;
            }
            if disturbed.org.run(&disturbed.run).await.status.is_active() {
                disturbed.org.work_to_end(&disturbed.run).await;
            }
            assert_eq!(
                disturbed.stored_rows().await,
                want,
                "crashed after {polls} and {more} polls"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_store_may_fail_at_any_step_and_that_is_no_crash() {
    let undisturbed = SecondPass::new().await;
    undisturbed.org.work_to_end(&undisturbed.run).await;
    let (want, pages) = (undisturbed.stored_rows().await, undisturbed.pages());

    let operations = [
        Operation::Read,
        Operation::Begin,
        Operation::Commit,
        Operation::CommitAnswer,
        Operation::Control,
    ];
    for operation in operations {
        for polls in 0.. {
            let disturbed = SecondPass::new().await;
            let mut worker = disturbed.org.worker(&disturbed.run);
            if poll(&mut worker, polls).is_some() {
                assert!(polls > 40, "the store failed at too few steps");
                break;
            }
            disturbed.org.store.fail_next(operation, 1);
            let end = worker.await;
            // A fault that the worker did not meet must not fail the test's own calls.
            disturbed.org.store.fail_next(operation, 0);
            match end {
                Ok(end) => assert!(matches!(end, SliceEnd::Finished(_)), "{end:?}"),
                Err(Error::Store(error)) => assert!(error.is_transient(), "{error:?}"),
                Err(error) => panic!("{error:?}"),
            }

            let run = disturbed.org.run(&disturbed.run).await;
            if run.status.is_active() {
                // The worker released the lease, so that the next worker need not wait for its end.
                let run = disturbed.org.work_to_end(&disturbed.run).await;
                assert_eq!(run.crashes, 0);
            }

            assert_eq!(
                disturbed.stored_rows().await,
                want,
                "{operation:?} failed after {polls} polls"
            );
            assert!(disturbed.pages() <= pages + 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_long_unavailable_ends_no_run() {
    let disturbed = SecondPass::new().await;
    for _ in 0..5 {
        let mut worker = disturbed.org.worker(&disturbed.run);
        let before = disturbed.klaviyo.member_calls().len();
        poll_until(&mut worker, || {
            disturbed.klaviyo.member_calls().len() > before
        });
        // For two minutes every attempt to release the lease fails, once a second.
        disturbed.org.store.fail_next(Operation::Begin, 120);
        let Err(Error::Store(_)) = worker.await else {
            panic!("the worker did not report the store's fault");
        };
    }

    let run = disturbed.org.work_to_end(&disturbed.run).await;

    assert_eq!(run.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_third_crash_at_one_page_ends_the_run_and_keeps_the_pages_read() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let mut worker = org.worker(&run);
    poll_until(&mut worker, || klaviyo.member_calls().len() == 2);
    drop(worker);
    for crash in 2..=3 {
        tokio::time::advance(LEASE).await;
        let before = klaviyo.member_calls().len();
        let mut worker = org.worker(&run);
        poll_until(&mut worker, || klaviyo.member_calls().len() > before);
        drop(worker);
        assert_eq!(org.run(&run).await.attempt, crash);
    }
    tokio::time::advance(LEASE).await;

    assert_eq!(org.work(&run).await, SliceEnd::Finished(SyncStatus::Failed));

    let ended = org.run(&run).await;
    assert_eq!(ended.error.unwrap().code, FailureCode::WorkerCrashed);
    assert_eq!(org.members(&run).await.len(), 2);
}

/// The worker of a run dies so many times, each time after it has stored a page.
async fn crash_after_pages(org: &TestOrganization, klaviyo: &FakeKlaviyo, run: &RunId, times: u32) {
    for _ in 0..times {
        let before = klaviyo.member_calls().len();
        let mut worker = org.worker(run);
        // When the worker asks for its second page, the first is stored.
        poll_until(&mut worker, || klaviyo.member_calls().len() == before + 2);
        drop(worker);
        tokio::time::advance(LEASE + Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn eight_crashes_with_a_page_in_between_end_no_run_and_the_ninth_does() {
    for (crashes, want) in [(8, SyncStatus::Success), (9, SyncStatus::Failed)] {
        let klaviyo = klaviyo_with(&list("L1"), 24);
        let mut org = TestOrganization::on(&klaviyo).await;
        org.pace.partitions = 1;
        let run = org.imported(&list("L1")).await;
        crash_after_pages(&org, &klaviyo, &run, crashes).await;
        let ended = org.work_to_end(&run).await;
        assert_eq!(ended.status, want, "{crashes} crashes");
        let code = ended.error.map(|error| error.code);
        let is_failed = want == SyncStatus::Failed;
        assert_eq!(code, is_failed.then_some(FailureCode::WorkerCrashed));
    }
}

/// Two runs with whom their process died twice, before either had stored a page.
async fn two_on_their_last_try() -> (FakeKlaviyo, TestOrganization, [RunId; 2]) {
    let klaviyo = klaviyo_with(&list("L1"), 6).with(list("L2"), "Other", members(0..6));
    let org = TestOrganization::on(&klaviyo).await;
    let runs = [
        org.imported(&list("L1")).await,
        org.imported(&list("L2")).await,
    ];
    for _ in 0..2 {
        for run in &runs {
            let before = klaviyo.member_calls().len();
            let mut worker = org.worker(run);
            poll_until(&mut worker, || klaviyo.member_calls().len() > before);
        }
        tokio::time::advance(LEASE + Duration::from_secs(1)).await;
    }
    (klaviyo, org, runs)
}

#[tokio::test(start_paused = true)]
async fn runs_on_their_last_try_are_not_worked_beside_each_other_so_that_one_cannot_take_the_other_along()
 {
    for polls in 1.. {
        let (klaviyo, org, [guilty, innocent]) = two_on_their_last_try().await;
        let engine = org.engine();
        let before = klaviyo.member_calls().len();
        let mut killed = org.worker_of(&engine, &guilty);
        poll_until(&mut killed, || klaviyo.member_calls().len() > before);
        // The process dies with the one while the other finds out that it has to wait, or waits.
        let mut waiting = org.worker_of(&engine, &innocent);
        let end = poll(&mut waiting, polls);
        drop((killed, waiting));
        tokio::time::advance(LEASE + Duration::from_secs(1)).await;

        let ended = org.work_to_end(&guilty).await;
        assert_eq!(ended.error.unwrap().code, FailureCode::WorkerCrashed);
        let ended = org.work_to_end(&innocent).await;
        assert_eq!(ended.status, SyncStatus::Success, "after {polls} polls");
        if let Some(end) = end {
            assert!(matches!(end, Ok(SliceEnd::Paused(_))), "{end:?}");
            assert!(polls > 3, "the process died at too few steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_on_its_last_try_is_worked_on_beside_no_run_that_may_kill_the_worker() {
    let klaviyo = klaviyo_with(&list("L1"), 6).with(list("L2"), "Other", members(0..6));
    let org = TestOrganization::on(&klaviyo).await;
    let innocent = org.imported(&list("L1")).await;
    let guilty = org.imported(&list("L2")).await;
    let engine = org.engine();
    // The process dies once with the one, and once with both, before a page is stored.
    for runs in [&[&innocent][..], &[&innocent, &guilty]] {
        for run in runs {
            let before = klaviyo.member_calls().len();
            let mut worker = org.worker(run);
            poll_until(&mut worker, || klaviyo.member_calls().len() > before);
        }
        tokio::time::advance(LEASE + Duration::from_secs(1)).await;
    }

    let before = klaviyo.member_calls().len();
    let mut killed = org.worker_of(&engine, &guilty);
    poll_until(&mut killed, || klaviyo.member_calls().len() > before);
    let waiting = org.worker_of(&engine, &innocent).await.unwrap();
    assert!(matches!(waiting, SliceEnd::Paused(_)), "{waiting:?}");
    drop(killed);
    tokio::time::advance(LEASE + Duration::from_secs(1)).await;

    let ended = org.work_to_end(&innocent).await;
    assert_eq!(ended.status, SyncStatus::Success);
}
