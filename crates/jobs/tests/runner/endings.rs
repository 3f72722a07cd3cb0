//! Runners that are stopped.

use std::time::Duration;

use fanfare_domain::ports::WorkQueue;
use fanfare_domain::run::SyncStatus;
use fanfare_jobs::RunnerOptions;
use tokio_util::sync::CancellationToken;

use crate::support::{A_WHILE, eventually, start, start_until, world};

#[tokio::test]
async fn a_run_in_the_middle_is_given_back_and_another_runner_finishes_it() {
    let world = world(&[8]).await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    world
        .klaviyo
        .change_after_pages(1, move |_| stopping.cancel());
    let run = world.import("l0").await;

    let working = start_until(world.runner(), stop);
    working.ends().await.unwrap();

    let left = world.run(&run).await;
    assert!(left.status.is_active());
    assert_eq!(left.progress.pages, 2);
    assert_eq!(world.jobs_that_are("Pending").await, 1);

    let working = start(world.runner());
    world.succeeds(&run).await;
    working.stop().await;
    // No page was requested again, and no lease had to run out.
    assert_eq!(world.klaviyo.member_calls().len(), 4);
}

#[tokio::test]
async fn a_job_that_still_waits_for_a_slot_is_put_back() {
    let world = world(&[1, 1]).await;
    world.klaviyo.stop_answering(true);
    let options = RunnerOptions {
        slots: 1,
        grace: Duration::from_millis(200),
        ..RunnerOptions::default()
    };
    let working = start(world.runner_with(options));
    world.import("l0").await;
    eventually("the slot is taken", async || {
        world.klaviyo.member_calls().len() == 1
    })
    .await;
    let other = world.another_organization().await;
    let waiting = world.import_for(&other, "l1").await;
    eventually("the other job was fetched", async || {
        world.jobs_that_are("Queued").await == 1
    })
    .await;

    working.stop().await;

    world.klaviyo.stop_answering(false);
    assert_eq!(world.jobs_that_are("Pending").await, 1);
    let working = start(world.runner());
    eventually("the other list is imported", async || {
        let run = world.integration.run(&other, &waiting).await.unwrap();
        run.status == SyncStatus::Success
    })
    .await;
    working.stop().await;
}

#[tokio::test]
async fn a_slice_that_outlasts_the_grace_is_ended_and_its_run_taken_up_later() {
    let world = world(&[1]).await;
    world.klaviyo.stop_answering(true);
    let options = RunnerOptions {
        grace: Duration::from_millis(50),
        ..RunnerOptions::default()
    };
    let working = start(world.runner_with(options));
    let run = world.import("l0").await;
    eventually("the run waits for a page", async || {
        !world.klaviyo.member_calls().is_empty()
    })
    .await;

    working.stop().await;

    world.klaviyo.stop_answering(false);
    world.clock.skip(A_WHILE);
    assert!(world.run(&run).await.status.is_active());
    let working = start(world.runner());
    world.succeeds(&run).await;
    working.stop().await;
}

#[tokio::test]
async fn a_runner_may_be_stopped_before_it_has_begun() {
    let world = world(&[1]).await;
    world.import("l0").await;
    let stop = CancellationToken::new();
    stop.cancel();

    let working = start_until(world.runner(), stop);
    working.ends().await.unwrap();

    assert_eq!(world.store.backlog().await.unwrap(), 1);
    assert_eq!(world.klaviyo.member_calls(), []);
}

/// Options with one partition: several have pages in common, and the tests count pages.
fn one_partition() -> RunnerOptions {
    let mut options = RunnerOptions::default();
    options.pace.partitions = 1;
    options
}

#[tokio::test]
async fn many_slices_in_the_middle_are_all_given_back() {
    let world = world(&[40; 12]).await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    world
        .klaviyo
        .change_after_pages(13, move |_| stopping.cancel());
    let mut runs = Vec::new();
    for n in 0..12 {
        runs.push(world.import(&format!("l{n}")).await);
    }

    let working = start_until(world.runner_with(one_partition()), stop);
    working.ends().await.unwrap();

    // Some may pause for the quota; no worker holds a lease.
    assert_eq!(world.jobs_that_are("Queued").await, 0);
    let (queued, held): (i64, i64) =
        sqlx::query_as("SELECT COUNT(*), COUNT(lease_until) FROM work_queue")
            .fetch_one(&world.jobs)
            .await
            .unwrap();
    assert_eq!((queued, held), (12, 0));
    let working = start(world.runner_with(one_partition()));
    for run in &runs {
        world.succeeds(run).await;
    }
    working.stop().await;
    assert_eq!(world.klaviyo.member_calls().len(), 240);
}

#[tokio::test]
async fn runners_that_are_stopped_again_and_again_lose_no_job_and_no_page() {
    let world = world(&[40; 12]).await;
    let mut runs = Vec::new();
    for n in 0..12 {
        runs.push(world.import(&format!("l{n}")).await);
    }

    for _ in 0..8 {
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        world
            .klaviyo
            .change_after_pages(1, move |_| stopping.cancel());
        let working = start_until(world.runner_with(one_partition()), stop);
        working.ends().await.unwrap();
        assert_eq!(world.jobs_that_are("Queued").await, 0);
    }

    let working = start(world.runner_with(one_partition()));
    for run in &runs {
        world.succeeds(run).await;
    }
    working.stop().await;
    assert_eq!(world.klaviyo.member_calls().len(), 240);
}
