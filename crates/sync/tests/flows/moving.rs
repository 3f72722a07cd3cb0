//! Profiles that move to another consumer while a run is under way.
//!
//! Another list's run meets the new e-mail of somebody in ours. Whenever that is, and whatever happens to our
//! worker, our members end as the consumers that the list's profiles are linked to.

use fanfare_domain::ids::RunId;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{LEASE, TestOrganization, klaviyo_with, members, poll};

const OLD: &str = "a@x.io";
const NEW: &str = "b@x.io";

/// Two lists with a member in common. Somebody else in the second has the e-mail that the common one takes.
struct Scene {
    klaviyo: FakeKlaviyo,
    org: TestOrganization,
    /// Of the first list.
    ours: RunId,
    /// Of the second.
    others: RunId,
}

fn somebody(id: &str, email: &str) -> Profile {
    profile(id).email(email).joined(50).build()
}

fn has(klaviyo: &FakeKlaviyo, id: &str, people: Vec<Profile>) {
    klaviyo.change(|contents| contents.collections.get_mut(&list(id)).unwrap().1 = people);
}

/// Gives the common member this e-mail, in both lists.
fn mover_has(klaviyo: &FakeKlaviyo, email: &str) {
    let mover = somebody("mover", email);
    let ours = members([0]).into_iter().chain([mover.clone()]);
    has(klaviyo, "L1", ours.collect());
    has(klaviyo, "L2", vec![somebody("other", NEW), mover]);
}

impl Scene {
    /// Both lists are imported, for the first time.
    async fn of_an_import() -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", members([]));
        let org = TestOrganization::on(&klaviyo).await;
        has(&klaviyo, "L2", vec![somebody("other", NEW)]);
        let first = org.synced(&list("L2")).await;
        mover_has(&klaviyo, OLD);
        Self {
            ours: org.imported(&list("L1")).await,
            others: org.queued_again(&first).await,
            klaviyo,
            org,
        }
    }

    /// Both have been imported; most of the first list's members have left since.
    async fn of_a_second_pass() -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", members([]));
        mover_has(&klaviyo, OLD);
        let before = members(0..7).into_iter().chain([somebody("mover", OLD)]);
        has(&klaviyo, "L1", before.collect());
        let org = TestOrganization::on(&klaviyo).await;
        let ours = org.synced(&list("L1")).await;
        let others = org.synced(&list("L2")).await;
        mover_has(&klaviyo, OLD);
        Self {
            ours: org.queued_again(&ours).await,
            others: org.queued_again(&others).await,
            klaviyo,
            org,
        }
    }

    /// Our worker gets on by so many polls, then the mover moves and the other list is read, then our worker
    /// gets on by so many more and dies, and its checkpoint may be lost with it. Tells whether our run was
    /// still under way when the mover moved; if so, checks how it ends.
    async fn plays(self, polls: usize, more: usize, loses_checkpoint: bool) -> bool {
        let Self {
            klaviyo,
            org,
            ours,
            others,
        } = self;
        let (mut worker, mut others) = (org.worker(&ours), org.worker(&others));
        let mut is_over = poll(&mut worker, polls).is_some();
        mover_has(&klaviyo, NEW);
        loop {
            if !org.run(&ours).await.status.is_active() {
                return false;
            }
            if poll(&mut others, 100).is_some() {
                break;
            }
            // It may be in a unit, which the other waits for.
            is_over = poll(&mut worker, 1).is_some();
        }
        is_over = is_over || poll(&mut worker, more).is_some();
        drop(worker);
        if !is_over {
            tokio::time::advance(LEASE).await;
            if org.run(&ours).await.status.is_active() {
                if loses_checkpoint {
                    org.lose_checkpoint(&ours).await;
                }
                org.work_to_end(&ours).await;
            }
        }

        let when = format!(
            "moved after {polls} polls, died after {more} more, lost its checkpoint: {loses_checkpoint}"
        );
        let run = org.run(&ours).await;
        assert_eq!(run.status, SyncStatus::Success, "{when}");
        // A page that was on its way has the old e-mail, and may be the last to say so.
        let mover = org.email_of("mover").await;
        let want = [mover, "p000@x.io".to_owned()];
        assert_eq!(org.members(&run.id).await, want, "{when}");
        true
    }
}

#[tokio::test(start_paused = true)]
async fn who_moves_during_a_second_pass_is_a_member_as_the_new_one() {
    let mut polls = 1;
    while Scene::of_a_second_pass().await.plays(polls, 0, false).await {
        for more in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
            Scene::of_a_second_pass()
                .await
                .plays(polls, more, false)
                .await;
        }
        polls += 1;
    }
    assert!(polls > 20, "there were steps to move at");
}

#[tokio::test(start_paused = true)]
async fn who_moves_during_an_import_is_a_member_as_the_new_one() {
    let mut polls = 1;
    while Scene::of_an_import().await.plays(polls, 0, false).await {
        for more in 1..50 {
            for loses_checkpoint in [false, true] {
                Scene::of_an_import()
                    .await
                    .plays(polls, more, loses_checkpoint)
                    .await;
            }
        }
        polls += 1;
    }
    assert!(polls > 15, "there were steps to move at");
}
