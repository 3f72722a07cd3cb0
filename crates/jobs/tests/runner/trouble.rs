//! Failures around a run that do not stop it.

use fanfare_jobs::Runner;
use fanfare_sqlite::QUEUE;

use crate::support::{A_WHILE, World, eventually, start, world};

/// The names under which workers have listened.
async fn workers(world: &World) -> Vec<String> {
    sqlx::query_scalar("SELECT id FROM Workers WHERE worker_type = ?1")
        .bind(QUEUE)
        .fetch_all(&world.jobs)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_slice_that_panics_takes_nothing_along_and_its_run_goes_on_from_its_page() {
    let world = world(&[6, 1]).await;
    let clock = world.clock.clone();
    world.klaviyo.change_after_pages(1, move |_| {
        // When the next worker looks, the lease has run out.
        clock.skip(A_WHILE);
        panic!("a fault in an adapter");
    });
    let run = world.import("l0").await;

    let working = start(world.runner());
    let run = world.succeeds(&run).await;
    assert_eq!(run.progress.tally.processed, 6);
    // The page whose call panicked was asked for twice, no other.
    assert_eq!(world.klaviyo.member_calls().len(), 4);

    let other = world.import("l1").await;
    world.succeeds(&other).await;
    working.stop().await;
}

#[tokio::test]
async fn foreign_payloads_are_dropped_and_stop_no_worker() {
    let world = world(&[1]).await;
    let foreign: [&[u8]; 6] = [
        b"",
        b"\xff\x00{",
        b"{\"organizationId\":",
        br#"{"kind":"PULL","id":"run_1","email":"someone@example.com"}"#,
        br#"{"organizationId":"org_nobody","kind":"PULL","id":"run_nobody"}"#,
        br#"{"organizationId":"../../etc","kind":"PULL","id":"' OR 1 = 1 --"}"#,
    ];
    for payload in foreign {
        world.push_job(payload).await;
    }
    let run = world.import("l0").await;

    let working = start(world.runner());

    world.succeeds(&run).await;
    eventually("all jobs are done", async || {
        world.jobs_that_are("Done").await == 7
    })
    .await;
    assert_eq!(workers(&world).await.len(), 1);
    working.stop().await;
}

#[tokio::test]
async fn a_job_with_another_organizations_id_finds_nothing() {
    let world = world(&[1]).await;
    let other = world
        .integration
        .create_organization("Rival")
        .await
        .unwrap();
    let run = world.import("l0").await;
    // The run must not be due: any job makes a slot look for due work, so it would work on the run for the
    // organization that owns it.
    for statement in [
        "DELETE FROM Jobs",
        "UPDATE work_queue SET due_at = due_at + 3600000000, notify_at = notify_at + 3600000000",
    ] {
        sqlx::query(statement).execute(&world.jobs).await.unwrap();
    }
    let forged = format!(
        r#"{{"organizationId":"{}","kind":"PULL","id":"{run}"}}"#,
        other.organization
    );
    world.push_job(forged.as_bytes()).await;

    let working = start(world.runner());
    eventually("the job is done", async || {
        world.jobs_that_are("Done").await == 1
    })
    .await;
    working.stop().await;

    assert_eq!(world.run(&run).await.started_at, None);
    assert_eq!(world.klaviyo.member_calls(), []);
}

#[tokio::test]
async fn a_queue_whose_back_end_dies_listens_again_under_another_name() {
    let world = world(&[1]).await;
    let working = start(world.runner());
    eventually("a worker listens", async || {
        !workers(&world).await.is_empty()
    })
    .await;
    let first = workers(&world).await;
    // apalis ends a worker that finds its row gone.
    sqlx::query("DELETE FROM Workers")
        .execute(&world.jobs)
        .await
        .unwrap();

    let run = world.import("l0").await;
    eventually("another worker listens", async || {
        !workers(&world).await.is_empty()
    })
    .await;

    world.succeeds(&run).await;
    assert_ne!(workers(&world).await, first);
    working.stop().await;
}

/// What `kill -9` leaves: a claimed run with a lease, and a job that a dead worker holds.
async fn kill(world: &World, runner: Runner) {
    let process = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    drop(process.spawn(runner.run(tokio_util::sync::CancellationToken::new())));
    eventually("the run waits for a page", async || {
        !world.klaviyo.member_calls().is_empty()
    })
    .await;
    process.shutdown_background();
}

#[tokio::test]
async fn the_run_of_a_killed_process_is_taken_up_again_when_its_lease_has_run_out() {
    let world = world(&[5]).await;
    world.klaviyo.stop_answering(true);
    let run = world.import("l0").await;
    kill(&world, world.runner()).await;
    world.klaviyo.stop_answering(false);
    assert!(world.run(&run).await.status.is_active());
    world.clock.skip(A_WHILE);

    let working = start(world.runner());

    let ended = world.succeeds(&run).await;
    assert_eq!(ended.progress.tally.processed, 5);
    assert_eq!(world.klaviyo.member_calls().len(), 4);
    working.stop().await;
}
