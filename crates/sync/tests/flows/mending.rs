//! Runs and their places in the queue of due work, after a crash has torn them apart.

use fanfare_domain::ports::{Store, WorkQueue};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::work::{WorkKey, WorkKind};
use fanfare_sync::QueueMended;
use fanfare_testkit::build::list;

use crate::test_organization::{TestOrganization, klaviyo_with};

async fn mend(org: &TestOrganization) -> QueueMended {
    org.integration.mend_queue(&org.organization).await.unwrap()
}

async fn queued(org: &TestOrganization) -> Vec<WorkKey> {
    let mut unit = org.store.read(&org.organization).await.unwrap();
    unit.queued(WorkKind::Pull).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_active_run_without_a_place_in_the_queue_gets_one_and_is_finished() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 5)).await;
    let run = org.imported(&list("L1")).await;
    let mut unit = org.store.begin(&org.organization).await.unwrap();
    unit.dequeue(&WorkKey::pull(&run)).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(
        org.store.next().await.unwrap(),
        None,
        "it would wait for ever"
    );
    let mut notifications = org.store.notifications();

    let mended = mend(&org).await;

    assert_eq!((mended.queued, mended.dequeued), (1, 0));
    assert_eq!(notifications.recv().await, Some(org.due(&run)));
    assert_eq!(org.work_to_end(&run).await.status, SyncStatus::Success);
}

#[tokio::test(start_paused = true)]
async fn a_place_in_the_queue_without_an_active_run_is_taken_away() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 5)).await;
    let ended = org.synced(&list("L1")).await;
    let mut unit = org.store.begin(&org.organization).await.unwrap();
    for run in [&ended.id, &fanfare_testkit::build::run_id("run_never_made")] {
        unit.enqueue(&WorkKey::pull(run)).await.unwrap();
    }
    unit.commit().await.unwrap();

    let mended = mend(&org).await;

    assert_eq!((mended.queued, mended.dequeued), (0, 2));
    assert_eq!(queued(&org).await, []);
    assert_eq!(org.run(&ended.id).await, ended);
}

#[tokio::test(start_paused = true)]
async fn work_that_is_as_it_should_be_keeps_its_lease_when_the_queue_is_mended() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 5)).await;
    let run = org.imported(&list("L1")).await;
    let work = WorkKey::pull(&run);
    let mut unit = org.store.begin(&org.organization).await.unwrap();
    let claim = unit.claim(&work, crate::test_organization::LEASE).await;
    let token = claim.unwrap().unwrap().token;
    unit.commit().await.unwrap();

    assert_eq!(mend(&org).await, QueueMended::default());

    let mut unit = org.store.begin(&org.organization).await.unwrap();
    let renewed = unit
        .renew(&work, token, crate::test_organization::LEASE)
        .await;
    assert!(renewed.unwrap());
}
