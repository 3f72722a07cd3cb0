//! Workers that are shared, and workers that are to stop.

use std::time::Duration;

use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;
use tokio_util::sync::CancellationToken;

use crate::shop::{Shop, emails, klaviyo_with, members, poll_until};

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
