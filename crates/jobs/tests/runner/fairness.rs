//! An organization with many lists and another one with a single list.

use std::time::Duration;

use fanfare_domain::ports::WorkQueue;
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

#[tokio::test]
async fn an_organization_whose_klaviyo_does_not_answer_has_half_of_the_slots_and_keeps_no_other_waiting()
 {
    const SLOTS: usize = 4;
    let world = world(&[3; 40]).await;
    for n in 0..40 {
        world.import(&format!("l{n}")).await;
    }
    world.klaviyo.stop_answering(true);
    let options = RunnerOptions {
        slots: SLOTS,
        // The calls never end.
        grace: Duration::from_millis(100),
        ..RunnerOptions::default()
    };
    let working = start(world.runner_with(options));
    eventually("its share is full", async || {
        world.klaviyo.member_calls().len() == SLOTS / 2
    })
    .await;
    // From now on calls are answered; those that were made are not.
    world.klaviyo.stop_answering(false);

    let other = world.another_organization().await;
    for list in ["l0", "l1", "l2"] {
        let single = world.import_for(&other, list).await;
        let single_run = async || world.integration.run(&other, &single).await.unwrap();
        eventually("the other's list is imported", async || {
            !single_run().await.status.is_active()
        })
        .await;
    }

    let leased = world.store.leased(&world.organization).await.unwrap();
    assert_eq!(leased, SLOTS as u64 / 2);
    working.stop().await;
}
