//! Profiles that move to another consumer while a run is under way.
//!
//! A profile is in two lists, and its e-mail changes while the first list is read. The second list's run meets
//! the new e-mail and moves the profile to another consumer. Whenever that is, and at whichever step the
//! first list's worker crashes, its members end as the consumers that its profiles are linked to.

use fanfare_domain::ids::RunId;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::SyncStatus;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{LEASE, TestOrganization, klaviyo_with, members, poll};

const OLD: &str = "a@x.io";
const NEW: &str = "b@x.io";

/// Two lists with one profile in common, the mover. Another profile of the second list has the e-mail that the
/// mover takes.
struct TwoLists {
    klaviyo: FakeKlaviyo,
    org: TestOrganization,
    /// The run of the first list.
    first: RunId,
    /// The run of the second list.
    second: RunId,
}

fn with_email(id: &str, email: &str) -> Profile {
    profile(id).email(email).joined(50).build()
}

fn set_members(klaviyo: &FakeKlaviyo, id: &str, members: Vec<Profile>) {
    klaviyo.change(|contents| contents.collections.get_mut(&list(id)).unwrap().1 = members);
}

/// Gives the mover this e-mail, in both lists.
fn set_movers_email(klaviyo: &FakeKlaviyo, email: &str) {
    let mover = with_email("mover", email);
    let first = members([0]).into_iter().chain([mover.clone()]);
    set_members(klaviyo, "L1", first.collect());
    set_members(klaviyo, "L2", vec![with_email("other", NEW), mover]);
}

impl TwoLists {
    /// The second list has been synced before; the first is imported now.
    async fn of_an_import() -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", members([]));
        let org = TestOrganization::on(&klaviyo).await;
        set_members(&klaviyo, "L2", vec![with_email("other", NEW)]);
        let synced = org.synced(&list("L2")).await;
        set_movers_email(&klaviyo, OLD);
        Self {
            first: org.imported(&list("L1")).await,
            second: org.queued_again(&synced).await,
            klaviyo,
            org,
        }
    }

    /// Both lists have been synced before; most of the first list's members have left since.
    async fn of_a_second_pass() -> Self {
        let klaviyo = klaviyo_with(&list("L1"), 0).with(list("L2"), "Other", members([]));
        set_movers_email(&klaviyo, OLD);
        let before = members(0..7).into_iter().chain([with_email("mover", OLD)]);
        set_members(&klaviyo, "L1", before.collect());
        let org = TestOrganization::on(&klaviyo).await;
        let first = org.synced(&list("L1")).await;
        let second = org.synced(&list("L2")).await;
        set_movers_email(&klaviyo, OLD);
        Self {
            first: org.queued_again(&first).await,
            second: org.queued_again(&second).await,
            klaviyo,
            org,
        }
    }

    /// Polls the first list's worker this often, changes the mover's e-mail and syncs the second list, polls the
    /// worker as often as `more` says and drops it, perhaps with its checkpoint. Returns whether the first
    /// list's run was still active when the mover moved; if so, checks how it ends.
    async fn moves_during_the_run(self, polls: usize, more: usize, loses_checkpoint: bool) -> bool {
        let Self {
            klaviyo,
            org,
            first,
            second,
        } = self;
        let (mut worker, mut other) = (org.worker(&first), org.worker(&second));
        let mut is_over = poll(&mut worker, polls).is_some();
        set_movers_email(&klaviyo, NEW);
        loop {
            if !org.run(&first).await.status.is_active() {
                return false;
            }
            if poll(&mut other, 100).is_some() {
                break;
            }
            // The worker may be in a unit of work, which the other worker waits for.
            is_over = poll(&mut worker, 1).is_some();
        }
        is_over = is_over || poll(&mut worker, more).is_some();
        drop(worker);
        if !is_over {
            tokio::time::advance(LEASE).await;
            if org.run(&first).await.status.is_active() {
                if loses_checkpoint {
                    org.lose_checkpoint(&first).await;
                }
                org.work_to_end(&first).await;
            }
        }

        let when = format!(
            "moved after {polls} polls, crashed after {more} more, lost its checkpoint: {loses_checkpoint}"
        );
        let run = org.run(&first).await;
        assert_eq!(run.status, SyncStatus::Success, "{when}");
        // A page that was read before the move has the old e-mail, and may be written last.
        let mover = org.email_of("mover").await;
        let want = [mover, "p000@x.io".to_owned()];
        assert_eq!(org.members(&run.id).await, want, "{when}");
        true
    }
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_moves_during_a_second_pass_is_a_member_as_its_new_consumer() {
    let mut polls = 1;
    while TwoLists::of_a_second_pass()
        .await
        .moves_during_the_run(polls, 0, false)
        .await
    {
        for more in [1, 2, 3, 5, 8, 13, 21, 34, 55] {
            TwoLists::of_a_second_pass()
                .await
                .moves_during_the_run(polls, more, false)
                .await;
        }
        polls += 1;
    }
    assert!(polls > 20, "the profile moved at too few steps");
}

#[tokio::test(start_paused = true)]
async fn a_profile_that_moves_during_an_import_is_a_member_as_its_new_consumer() {
    let mut polls = 1;
    while TwoLists::of_an_import()
        .await
        .moves_during_the_run(polls, 0, false)
        .await
    {
        for more in 1..50 {
            for loses_checkpoint in [false, true] {
                TwoLists::of_an_import()
                    .await
                    .moves_during_the_run(polls, more, loses_checkpoint)
                    .await;
            }
        }
        polls += 1;
    }
    assert!(polls > 15, "the profile moved at too few steps");
}
