//! Slices: workers that are shared between runs, and workers that have to stop.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::RunId;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::work::{SchedulingCandidate, WorkItem};
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{list, organization_id, run_id};
use tokio_util::sync::CancellationToken;

use crate::mocks::MockQueue;
use crate::test_organization::{TestOrganization, emails, klaviyo_with, members, poll, poll_until};

#[tokio::test(start_paused = true)]
async fn a_run_gives_its_worker_to_others_after_its_slice_and_notifies_another_worker() {
    let klaviyo = klaviyo_with(&list("L1"), 6).with(list("L2"), "Other", members(0..2));
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.slice = Duration::ZERO;
    let (first, second) = (
        org.imported(&list("L1")).await,
        org.imported(&list("L2")).await,
    );
    let mut notifications = org.store.notifications();

    assert_eq!(org.work(&first).await, SliceEnd::Yielded);
    assert_eq!(notifications.try_recv().unwrap(), org.due(&first));

    // Each run yields to the other, and both come to their end.
    let mut ends = 0;
    let mut slices = 0;
    while ends < 2 {
        for run in [&second, &first] {
            match org.work(run).await {
                SliceEnd::Yielded => slices += 1,
                SliceEnd::Finished(status) => {
                    assert_eq!(status, SyncStatus::Success);
                    ends += 1;
                }
                end => assert_eq!(end, SliceEnd::NotDue),
            }
        }
        assert!(slices < 100, "the runs make no progress");
    }
}

/// A test organization with `ours` leases, beside another with `theirs` and work that waits.
async fn organization_beside_another(theirs: u64, ours: u64) -> (TestOrganization, RunId) {
    let klaviyo = klaviyo_with(&list("L1"), 40);
    let mut queue = MockQueue::new();
    queue.expect_next().returning(move || {
        let work = WorkItem::pull(&organization_id("org_other"), &run_id("run_other"));
        Ok(Some(SchedulingCandidate {
            work,
            leased: theirs,
        }))
    });
    queue.expect_leased().returning(move |_| Ok(ours));
    let org = TestOrganization::on(&klaviyo)
        .await
        .with_work_queue(Arc::new(queue));
    let run = org.imported(&list("L1")).await;
    (org, run)
}

#[tokio::test(start_paused = true)]
async fn a_run_gives_its_worker_soon_to_an_organization_with_fewer_leases() {
    for (theirs, ours, leaves) in [(0, 2, true), (3, 5, true), (0, 1, false), (4, 5, false)] {
        let (org, run) = organization_beside_another(theirs, ours).await;
        let mut worker = org.worker(&run);
        assert!(
            poll(&mut worker, 40).is_none(),
            "it yielded before it looked for other work"
        );
        tokio::time::advance(Duration::from_secs(1)).await;

        let end = worker.await.unwrap();

        let want = if leaves {
            SliceEnd::Yielded
        } else {
            SliceEnd::Finished(SyncStatus::Success)
        };
        assert_eq!(end, want, "{theirs} beside {ours}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_goes_on_while_no_other_work_waits() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let mut org = TestOrganization::on(&klaviyo).await;
    org.pace.slice = Duration::ZERO;
    let run = org.imported(&list("L1")).await;
    assert_eq!(
        org.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_has_to_stop_ends_its_step_and_releases_the_run_at_once() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let halt = CancellationToken::new();
    let mut worker = org.stoppable_worker(&run, halt.clone());
    poll_until(&mut worker, || klaviyo.member_calls().len() == 2);
    let mut notifications = org.store.notifications();

    halt.cancel();

    assert_eq!(worker.await.unwrap(), SliceEnd::Yielded);
    assert_eq!(notifications.try_recv().unwrap(), org.due(&run));
    let released = org.run(&run).await;
    assert_eq!(
        (released.progress.pages, released.status),
        (2, SyncStatus::Syncing)
    );
    assert_eq!(
        org.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );
    assert_eq!(
        klaviyo.member_calls().len(),
        3,
        "no page was asked for twice"
    );
    assert_eq!(org.members(&run).await, emails(0..6));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_has_to_stop_claims_nothing() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let halt = CancellationToken::new();
    halt.cancel();
    assert_eq!(
        org.stoppable_worker(&run, halt).await.unwrap(),
        SliceEnd::Yielded
    );
    assert!(klaviyo.member_calls().is_empty());
    assert_eq!(org.run(&run).await.crashes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_has_to_stop_waits_for_klaviyo_no_longer_than_a_drain() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.stop_answering(true);
    let halt = CancellationToken::new();
    let mut worker = org.stoppable_worker(&run, halt.clone());
    poll_until(&mut worker, || klaviyo.member_calls().len() == 1);
    let asked_at = org.now();

    halt.cancel();

    assert_eq!(worker.await.unwrap(), SliceEnd::Yielded);
    assert_eq!(org.now().since(asked_at), Duration::from_secs(15));
    klaviyo.stop_answering(false);
    let _ = poll(&mut org.worker(&run), 20);
    assert_eq!(org.run(&run).await.crashes, 0);
}
