//! From a job notification to a finished run.

use std::time::Duration;

use async_trait::async_trait;
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::{KlaviyoError, StoreError, WorkQueue};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::SchedulingCandidate;
use fanfare_jobs::{Runner, RunnerOptions};
use std::sync::Arc;

use crate::support::{A_WHILE, eventually, start, world};

#[tokio::test]
async fn a_run_that_the_store_notifies_of_is_finished_and_its_job_is_done() {
    let world = world(&[5]).await;
    let working = start(world.runner());
    assert!(!working.heartbeat.is_alive());

    let run = world.import("l0").await;
    let run = world.succeeds(&run).await;

    assert_eq!(world.members(&run).await, 5);
    eventually("the job is done", async || {
        world.jobs_that_are("Done").await == 1
    })
    .await;
    assert!(working.heartbeat.is_alive());
    working.stop().await;
}

#[tokio::test]
async fn a_notification_that_was_lost_is_sent_again() {
    let world = world(&[1]).await;
    let run = world.import("l0").await;
    sqlx::query("DELETE FROM Jobs")
        .execute(&world.jobs)
        .await
        .unwrap();
    world.clock.skip(A_WHILE);

    let working = start(world.runner());

    world.succeeds(&run).await;
    working.stop().await;
}

/// As a crash between two servers' commits leaves it, or a backup restored in parts.
#[tokio::test]
async fn a_run_that_lost_its_place_in_the_queue_is_finished_nevertheless() {
    let world = world(&[1]).await;
    let run = world.import("l0").await;
    for table in ["Jobs", "work_queue"] {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}")))
            .execute(&world.jobs)
            .await
            .unwrap();
    }

    let working = start(world.runner());

    world.succeeds(&run).await;
    working.stop().await;
}

#[tokio::test]
async fn a_run_with_five_notifications_is_read_once() {
    let world = world(&[5]).await;
    let run = world.import("l0").await;
    for _ in 0..4 {
        world.push_job(&world.payload(&run)).await;
    }

    let working = start(world.runner());
    let ended = world.succeeds(&run).await;
    eventually("all jobs are done", async || {
        world.jobs_that_are("Done").await == 5
    })
    .await;
    working.stop().await;

    assert_eq!(ended.progress.pages, 3);
    assert_eq!(world.klaviyo.member_calls().len(), 3);
    assert_eq!(world.run(&run).await, ended);
}

#[tokio::test]
async fn two_runners_on_one_file_request_each_page_once() {
    let world = world(&[3, 3, 3, 3, 3, 3]).await;
    let mut runs = Vec::new();
    for n in 0..6 {
        runs.push(world.import(&format!("l{n}")).await);
    }

    let both = [start(world.runner()), start(world.runner())];
    for run in &runs {
        world.succeeds(run).await;
    }
    for working in both {
        working.stop().await;
    }

    assert_eq!(world.klaviyo.member_calls().len(), 12);
}

/// A work queue that never notifies again.
struct NoReaper;

#[async_trait]
impl WorkQueue for NoReaper {
    async fn notify(&self, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn next(&self) -> Result<Option<SchedulingCandidate>, StoreError> {
        Ok(None)
    }

    async fn leased(&self, _: &OrganizationId) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn backlog(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn organizations_with_due_schedules(
        &self,
        _: Timestamp,
        _: u32,
    ) -> Result<Vec<OrganizationId>, StoreError> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_pause_ends_in_this_process_without_a_notification() {
    let world = world(&[1]).await;
    let throttled = KlaviyoError::Throttled(RetryAfter::Seconds(1));
    world.klaviyo.fail_members([Some(throttled)]);
    let run = world.import("l0").await;
    let runner = Runner::new(
        Arc::new(world.queue.clone()),
        Arc::new(NoReaper),
        world.integration.clone(),
        RunnerOptions::default(),
    );

    let working = start(runner);

    world.succeeds(&run).await;
    assert_eq!(world.klaviyo.member_calls().len(), 2);
    working.stop().await;
}

#[tokio::test]
async fn after_a_pause_that_outlasts_its_process_a_worker_is_notified() {
    let world = world(&[1]).await;
    let throttled = KlaviyoError::Throttled(RetryAfter::Seconds(300));
    world.klaviyo.fail_members([Some(throttled)]);
    let run = world.import("l0").await;
    let working = start(world.runner());
    eventually("the run pauses", async || {
        !world.klaviyo.member_calls().is_empty() && world.store.backlog().await.unwrap() == 0
    })
    .await;
    working.stop().await;

    let working = start(world.runner());
    world.clock.skip(Duration::from_secs(301));

    world.succeeds(&run).await;
    working.stop().await;
}
