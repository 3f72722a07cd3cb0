//! People are erased, and stay so.

use std::sync::Arc;

use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::ports::{Lookup, Store};
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_sync::{Entity, Error, Rekeyed};
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::rekeying::ByteSealer;
use crate::test_organization::{TestOrganization, emails, klaviyo_with, members, poll_until};

async fn consumer_of(org: &TestOrganization, profile: &str) -> ConsumerId {
    let lookup = Lookup::Profile(ProfileId::parse(profile).unwrap());
    let found = org.integration.lookup_consumers(&org.organization, &lookup);
    found.await.unwrap()[0].consumer.id.clone()
}

async fn erase(org: &TestOrganization, profile: &str) {
    let id = consumer_of(org, profile).await;
    let erased = org.integration.erase_consumer(&org.organization, &id);
    assert_eq!(erased.await.unwrap(), org.now());
}

fn set_members(klaviyo: &FakeKlaviyo, members: Vec<Profile>) {
    klaviyo.change(|contents| contents.collections.get_mut(&list("L1")).unwrap().1 = members);
}

fn erased(profile: &str) -> (String, IssueCode) {
    (profile.to_owned(), IssueCode::Erased)
}

#[tokio::test(start_paused = true)]
async fn whoever_was_erased_is_skipped_by_later_syncs() {
    let klaviyo = klaviyo_with(&list("L1"), 4);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;

    erase(&org, "P001").await;

    assert_eq!(org.members(&first.id).await, emails([0, 2, 3]));
    for _ in 0..2 {
        let again = org.resynced(&first, false).await;
        assert_eq!(again.status, SyncStatus::Success);
        assert_eq!(org.members(&again.id).await, emails([0, 2, 3]));
        assert_eq!(org.issues(&again.id).await, [erased("P001")]);
        assert_eq!(again.progress.tally.skipped, 1);
        assert_eq!(again.progress.tally.unchanged, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_is_recognized_by_address_by_number_and_by_profile() {
    let ada = || profile("ada").email("Ada@x.io").phone("+12025550101");
    let klaviyo = klaviyo_with(&list("L1"), 0);
    set_members(&klaviyo, vec![ada().build()]);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    erase(&org, "ada").await;

    set_members(
        &klaviyo,
        vec![
            profile("ada").email("new@x.io").build(),
            profile("p1").email("ADA@x.io").build(),
            profile("p2").phone("+12025550101").build(),
            profile("p3").email("bo@x.io").phone("+12025550101").build(),
            profile("p4").email("cy@x.io").phone("+12025550102").build(),
        ],
    );
    let again = org.resynced(&first, false).await;

    assert_eq!(org.members(&again.id).await, ["cy@x.io"]);
    let want = ["ada", "p1", "p2", "p3"].map(erased);
    assert_eq!(org.issues(&again.id).await, want);
}

#[tokio::test(start_paused = true)]
async fn whoever_shares_the_number_of_an_erased_person_and_was_here_stays() {
    let klaviyo = klaviyo_with(&list("L1"), 0);
    let family = || {
        ["ada", "bo"].map(|name| {
            let email = format!("{name}@x.io");
            profile(name).email(&email).phone("+12025550101").build()
        })
    };
    set_members(&klaviyo, family().into());
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;

    erase(&org, "ada").await;

    let again = org.resynced(&first, false).await;
    assert_eq!(org.members(&again.id).await, ["bo@x.io"]);
    assert_eq!(org.issues(&again.id).await, [erased("ada")]);
}

/// At every point of a run's two pages.
#[tokio::test(start_paused = true)]
async fn an_erasure_while_a_run_has_the_page_in_hand_is_not_undone_by_it() {
    for calls in 0..3 {
        let klaviyo = klaviyo_with(&list("L1"), 4);
        let org = TestOrganization::on(&klaviyo).await;
        let first = org.synced(&list("L1")).await;
        let again = org.queued_again(&first).await;
        let before = klaviyo.member_calls().len();
        let mut worker = org.worker(&again);
        poll_until(&mut worker, || {
            klaviyo.member_calls().len() >= before + calls
        });

        erase(&org, "P001").await;

        worker.await.unwrap();
        let run = org.work_if_active(&again).await;
        assert_eq!(run.status, SyncStatus::Success, "{calls} calls");
        assert_eq!(
            org.members(&again).await,
            emails([0, 2, 3]),
            "{calls} calls"
        );
        assert_eq!(org.consumers().await.len(), 3, "{calls} calls");
    }
}

/// Whom the run has met and who is erased then is one member fewer, and so there are as many as were met: one of them is absent.
#[tokio::test(start_paused = true)]
async fn an_erasure_during_a_pass_keeps_nobody_who_has_left() {
    let klaviyo = klaviyo_with(&list("L1"), 4).page_size(2);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.synced(&list("L1")).await;
    set_members(&klaviyo, members(0..3));
    let again = org.queued_again(&first).await;
    let before = klaviyo.member_calls().len();
    let mut worker = org.worker(&again);
    poll_until(&mut worker, || klaviyo.member_calls().len() >= before + 2);

    erase(&org, "P001").await;

    worker.await.unwrap();
    let run = org.work_if_active(&again).await;
    assert_eq!(run.status, SyncStatus::Success);
    assert_eq!(org.members(&again).await, emails([0, 2]));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_there_is_not_erased() {
    let klaviyo = klaviyo_with(&list("L1"), 2);
    let org = TestOrganization::on(&klaviyo).await;
    org.synced(&list("L1")).await;
    let theirs = org.integration.create_organization("Other").await.unwrap();
    let id = consumer_of(&org, "P001").await;

    let done = org.integration.erase_consumer(&theirs.organization, &id);

    assert!(matches!(done.await, Err(Error::NotFound(Entity::Consumer))));
    assert_eq!(org.consumers().await.len(), 2);
    erase(&org, "P001").await;
    let twice = org.integration.erase_consumer(&org.organization, &id);
    assert!(matches!(
        twice.await,
        Err(Error::NotFound(Entity::Consumer))
    ));
}

#[tokio::test(start_paused = true)]
async fn whoever_was_erased_stays_so_after_the_master_key_was_replaced() {
    let klaviyo = klaviyo_with(&list("L1"), 4);
    let org = TestOrganization::wired(Arc::new(klaviyo.clone()), Arc::new(ByteSealer(b"a"))).await;
    org.connect("pk_key1").await.unwrap();
    let first = org.synced(&list("L1")).await;
    erase(&org, "P001").await;
    let org = org.with_sealer(Arc::new(ByteSealer(b"ba")));

    let rekeyed = org.integration.rekey(&org.organization).await.unwrap();

    assert_eq!(rekeyed, Rekeyed::SealedAnew);
    let org = org.with_sealer(Arc::new(ByteSealer(b"b")));
    assert_eq!(
        org.integration.rekey(&org.organization).await.unwrap(),
        Rekeyed::Unchanged
    );
    let again = org.resynced(&first, false).await;
    assert_eq!(org.issues(&again.id).await, [erased("P001")]);
    assert_eq!(org.members(&again.id).await, emails([0, 2, 3]));
}

/// As no profile could be recognized, none is brought back.
#[tokio::test(start_paused = true)]
async fn without_the_key_of_the_hashes_nothing_is_read() {
    let klaviyo = klaviyo_with(&list("L1"), 4);
    let org = TestOrganization::wired(Arc::new(klaviyo.clone()), Arc::new(ByteSealer(b"a"))).await;
    org.connect("pk_key1").await.unwrap();
    let first = org.synced(&list("L1")).await;
    erase(&org, "P001").await;
    let org = org.with_sealer(Arc::new(ByteSealer(b"b")));
    org.connect("pk_key1").await.unwrap();
    set_members(&klaviyo, members(0..5));

    let again = org.resynced(&first, false).await;

    assert_eq!(again.status, SyncStatus::Failed);
    assert_eq!(org.members(&again.id).await, emails([0, 2, 3]));
    let key = org
        .store
        .read(&org.organization)
        .await
        .unwrap()
        .erasure_key()
        .await;
    assert!(key.unwrap().is_some());
    let id = consumer_of(&org, "P002").await;
    let refused = org.integration.erase_consumer(&org.organization, &id);
    assert!(matches!(refused.await, Err(Error::ErasureKey(_))));
    let forgotten = org.integration.forget_lost_erasures(&org.organization);
    assert!(forgotten.await.unwrap());
    let again = org.resynced(&first, false).await;
    assert_eq!(again.status, SyncStatus::Success);
    assert_eq!(org.members(&again.id).await, emails(0..5));
}
