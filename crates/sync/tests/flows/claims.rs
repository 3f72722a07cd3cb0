//! A run has one worker at a time, and a worker that was overtaken writes nothing.

use std::time::Duration;

use fanfare_domain::run::SyncStatus;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::build::list;

use crate::test_organization::{LEASE, TestOrganization, emails, klaviyo_with, poll, poll_until};

#[tokio::test(start_paused = true)]
async fn a_second_worker_does_not_get_the_run() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    let mut first = org.worker(&run);
    poll_until(&mut first, || klaviyo.member_calls().len() == 1);

    assert_eq!(org.work(&run).await, SliceEnd::NotDue);

    assert_eq!(
        first.await.unwrap(),
        SliceEnd::Finished(SyncStatus::Success)
    );
    assert_eq!(org.members(&run).await, emails(0..6));
    assert_eq!(org.work(&run).await, SliceEnd::NotDue);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_was_overtaken_at_any_step_writes_nothing_more() {
    for polls in 1.. {
        let klaviyo = klaviyo_with(&list("L1"), 6);
        let org = TestOrganization::on(&klaviyo).await;
        let run = org.imported(&list("L1")).await;
        let mut slow = org.worker(&run);
        if poll(&mut slow, polls).is_some() {
            assert!(polls > 20, "the worker was overtaken at too few steps");
            return;
        }
        tokio::time::advance(LEASE + Duration::from_secs(1)).await;
        let (slow, overtaking) = tokio::join!(slow, org.worker(&run));
        let ends = [slow.unwrap(), overtaking.unwrap()];
        let finished = ends
            .iter()
            .filter(|end| matches!(end, SliceEnd::Finished(_)))
            .count();
        assert_eq!(finished, 1, "{ends:?} after {polls} polls");
        let run = org.run(&run).await;
        assert_eq!(
            (run.status, run.progress.tally.processed, run.progress.pages),
            (SyncStatus::Success, 6, 3)
        );
        assert_eq!(run.progress.members_added, 6);
        assert_eq!(org.members(&run.id).await, emails(0..6));
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_does_not_lose_the_lease() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    klaviyo.stop_answering(true);
    let mut waiting = tokio::spawn(org.worker(&run));
    for _ in 0..30 {
        tokio::time::sleep(LEASE / 2).await;
        assert_eq!(org.work(&run).await, SliceEnd::NotDue);
    }

    org.integration
        .cancel_run(&org.organization, &run)
        .await
        .unwrap();

    assert_eq!((&mut waiting).await.unwrap().unwrap(), SliceEnd::Overtaken);
    assert_eq!(org.run(&run).await.status, SyncStatus::Failed);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_not_there_is_not_due() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let nowhere = fanfare_testkit::build::run_id("run_nowhere");
    assert_eq!(org.work(&nowhere).await, SliceEnd::NotDue);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_ran_out_and_was_not_taken_over_is_no_crash() {
    let klaviyo = klaviyo_with(&list("L1"), 6);
    let org = TestOrganization::on(&klaviyo).await;
    let run = org.imported(&list("L1")).await;
    for asleep in 1..=4 {
        let mut sleeper = org.worker(&run);
        poll_until(&mut sleeper, || klaviyo.member_calls().len() == asleep);
        tokio::time::advance(LEASE + Duration::from_secs(1)).await;
        assert_eq!(sleeper.await.unwrap(), SliceEnd::Overtaken);
    }

    let run = org.work_to_end(&run).await;

    assert_eq!((run.status, run.error), (SyncStatus::Success, None));
}
