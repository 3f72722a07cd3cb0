//! Workers that are shared, and workers that are to stop.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::RunId;
use fanfare_domain::ports::{DueRun, SchedulingCandidate};
use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::{list, organization_id, run_id};
use tokio_util::sync::CancellationToken;

use crate::mocks::MockQueue;
use crate::shop::{Shop, emails, klaviyo_with, members, poll, poll_until};

#[tokio::test(start_paused = true)]
async fn a_run_gives_its_worker_to_others_after_its_slice_and_rings_for_itself() {
    let klaviyo = klaviyo_with(&list("L1"), 6).with(list("L2"), "Other", members(0..2));
    let mut shop = Shop::on(&klaviyo).await;
    shop.pace.slice = Duration::ZERO;
    let (first, second) = (
        shop.imported(&list("L1")).await,
        shop.imported(&list("L2")).await,
    );
    let mut rings = shop.store.rings();

    assert_eq!(shop.work(&first).await, SliceEnd::Yielded);
    assert_eq!(rings.try_recv().unwrap(), shop.due(&first));

    // Each yields to the other, and both come to their end.
    let mut ends = 0;
    let mut turns = 0;
    while ends < 2 {
        for run in [&second, &first] {
            match shop.work(run).await {
                SliceEnd::Yielded => turns += 1,
                SliceEnd::Finished(status) => {
                    assert_eq!(status, SyncStatus::Success);
                    ends += 1;
                }
                end => assert_eq!(end, SliceEnd::NotDue),
            }
        }
        assert!(turns < 100, "they get on");
    }
}

/// A queue in which an organization waits that holds `theirs`, while the worker's own holds `ours`.
async fn shop_beside_others(theirs: u64, ours: u64) -> (Shop, RunId) {
    let klaviyo = klaviyo_with(&list("L1"), 40);
    let mut queue = MockQueue::new();
    queue.expect_next().returning(move || {
        let due = DueRun {
            organization: organization_id("org_other"),
            run: run_id("run_other"),
        };
        Ok(Some(SchedulingCandidate { due, held: theirs }))
    });
    queue.expect_held().returning(move |_| Ok(ours));
    let shop = Shop::on(&klaviyo).await.with_due_runs(Arc::new(queue));
    let run = shop.imported(&list("L1")).await;
    (shop, run)
}

#[tokio::test(start_paused = true)]
async fn a_run_gives_its_worker_soon_to_an_organization_that_holds_fewer() {
    for (theirs, ours, leaves) in [(0, 2, true), (3, 5, true), (0, 1, false), (4, 5, false)] {
        let (shop, run) = shop_beside_others(theirs, ours).await;
        let mut worker = shop.worker(&run);
        assert!(poll(&mut worker, 40).is_none(), "not before it has looked");
        tokio::time::advance(Duration::from_secs(1)).await;

        let end = poll(&mut worker, 10_000);

        let end = end.expect("an end").unwrap();
        let want = if leaves {
            SliceEnd::Yielded
        } else {
            SliceEnd::Finished(SyncStatus::Success)
        };
        assert_eq!(end, want, "{theirs} beside {ours}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_nobody_waits_behind_goes_on() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let mut shop = Shop::on(&klaviyo).await;
    shop.pace.slice = Duration::ZERO;
    let run = shop.imported(&list("L1")).await;
    assert_eq!(
        shop.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_to_stop_ends_its_step_and_gives_the_run_back_at_once() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let shop = Shop::on(&klaviyo).await;
    let run = shop.imported(&list("L1")).await;
    let halt = CancellationToken::new();
    let mut worker = shop.stoppable_worker(&run, halt.clone());
    poll_until(&mut worker, || klaviyo.member_calls().len() == 2);
    let mut rings = shop.store.rings();

    halt.cancel();

    assert_eq!(worker.await.unwrap(), SliceEnd::Yielded);
    assert_eq!(rings.try_recv().unwrap(), shop.due(&run));
    let given_back = shop.run(&run).await;
    assert_eq!(
        (given_back.progress.pages, given_back.status),
        (2, SyncStatus::Syncing)
    );
    assert_eq!(
        shop.work(&run).await,
        SliceEnd::Finished(SyncStatus::Success)
    );
    assert_eq!(
        klaviyo.member_calls().len(),
        3,
        "no page was asked for twice"
    );
    assert_eq!(shop.members(&run).await, emails(0..6));
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_to_stop_takes_nothing_up() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let shop = Shop::on(&klaviyo).await;
    let run = shop.imported(&list("L1")).await;
    let halt = CancellationToken::new();
    halt.cancel();
    assert_eq!(
        shop.stoppable_worker(&run, halt).await.unwrap(),
        SliceEnd::Yielded
    );
    assert!(klaviyo.member_calls().is_empty());
    assert_eq!(shop.run(&run).await.crashes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_to_stop_waits_for_a_silent_klaviyo_no_longer_than_a_drain() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let shop = Shop::on(&klaviyo).await;
    let run = shop.imported(&list("L1")).await;
    klaviyo.stop_answering(true);
    let halt = CancellationToken::new();
    let mut worker = shop.stoppable_worker(&run, halt.clone());
    poll_until(&mut worker, || klaviyo.member_calls().len() == 1);
    let asked_at = shop.now();

    halt.cancel();

    assert_eq!(worker.await.unwrap(), SliceEnd::Yielded);
    assert_eq!(shop.now().since(asked_at), Duration::from_secs(15));
    klaviyo.stop_answering(false);
    let _ = poll(&mut shop.worker(&run), 20);
    assert_eq!(shop.run(&run).await.crashes, 0);
}
