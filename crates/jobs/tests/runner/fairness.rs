//! An organization with many lists and another one with a single list.

use fanfare_jobs::RunnerOptions;

use crate::support::{eventually, start, world};

#[tokio::test]
async fn a_single_list_does_not_wait_for_the_forty_lists_of_another_organization() {
    const SLOTS: usize = 2;
    let world = world(&[3; 40]).await;
    let mut runs = Vec::new();
    for n in 0..40 {
        runs.push(world.import(&format!("l{n}")).await);
    }
    let other = world.another_organization().await;
    let single = world.import_for(&other, "l0").await;

    let options = RunnerOptions {
        slots: SLOTS,
        ..RunnerOptions::default()
    };
    let working = start(world.runner_with(options));
    let single_run = async || world.integration.run(&other, &single).await.unwrap();
    eventually("the single list is imported", async || {
        !single_run().await.status.is_active()
    })
    .await;
    for run in &runs {
        world.succeeds(run).await;
    }
    working.stop().await;

    let began = single_run().await.started_at;
    let mut before = 0;
    for run in &runs {
        before += usize::from(world.run(run).await.started_at < began);
    }
    assert!(before <= SLOTS, "{before} runs went before it");
}
