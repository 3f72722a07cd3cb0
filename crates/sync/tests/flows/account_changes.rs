//! Changes of the account's profiles: read once in an interval, and applied to every audience.
//!
//! Three pages in a list at every minute are more than complete passes may read here, so that passes are incremental.

use std::time::Duration;

use fanfare_domain::due_pass::FullPassLimits;
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::pass::Phase;
use fanfare_domain::ports::Store;
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::run::{RunMode, SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};

use crate::test_organization::{
    TestOrganization, Worker, emails, everything, member, members, poll,
};

/// An organization with two continuous audiences, of the numbers 0 to 249 and 200 to 449. A third list is not imported.
struct Account {
    klaviyo: FakeKlaviyo,
    org: TestOrganization,
    audiences: [AudienceId; 2],
}

impl Account {
    async fn new() -> Self {
        let klaviyo = FakeKlaviyo::default()
            .with(list("L1"), "VIP", members(0..250))
            .with(list("L2"), "Press", members(200..450))
            .with(list("L3"), "Others", members(500..510));
        let limits = FullPassLimits {
            steady: 2,
            ..FullPassLimits::default()
        };
        let org = TestOrganization::on(&klaviyo).await;
        let org = org.with_full_pass_limits(limits);
        let runs = org.continuous_every(60, &[list("L1"), list("L2")]).await;
        let first = org.work_to_end(&runs[0]).await.audience;
        let second = org.work_to_end(&runs[1]).await.audience;
        Self {
            klaviyo,
            org,
            audiences: [first, second],
        }
    }

    /// Changes the profile with this number, in every list.
    fn change(&self, number: i64, updated: Timestamp, change: impl Fn(&mut Profile)) {
        let id = member(number).id;
        self.klaviyo.change(|contents| {
            let members = contents.collections.values_mut();
            let members = members.flat_map(|(_, members)| members.iter_mut());
            for one in members.filter(|one| one.id == id) {
                one.updated = Some(updated);
                change(one);
            }
        });
    }

    fn readdress(&self, number: i64, updated: Timestamp, email: &str) {
        self.change(number, updated, |one| one.email = Attribute::text(email));
    }

    /// Lets an interval pass in which each audience has an incremental pass. Returns their runs, and how many pages of
    /// changes were read.
    async fn interval(&self) -> ([SyncRun; 2], usize) {
        let (mut runs, mut read) = (Vec::new(), 0);
        for audience in self.in_order_of_due_times().await {
            let (run, pages) = self.sync_due(audience).await;
            runs.push(run);
            read += pages;
        }
        (runs.try_into().unwrap(), read)
    }

    /// Lets an audience have an incremental pass when it is due. Returns its run, and how many pages of changes it read.
    async fn sync_due(&self, audience: &AudienceId) -> (SyncRun, usize) {
        let before = self.klaviyo.calls().len();
        self.org.wait_until_due(audience).await;
        self.org.integration.start_due_syncs().await.unwrap();
        let run = self.org.runs_of(audience).await.remove(0);
        let run = self.org.work_to_end(&run.id).await;
        assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
        assert_eq!(run.pass.mode(), RunMode::Incremental);
        let calls = self.klaviyo.calls().split_off(before);
        let changes = |call: &&Call| matches!(call, Call::ChangedProfiles(_));
        (run, calls.iter().filter(changes).count())
    }

    async fn in_order_of_due_times(&self) -> Vec<&AudienceId> {
        let mut due: Vec<(Timestamp, &AudienceId)> = Vec::new();
        for audience in &self.audiences {
            let at = self.org.status(audience).await.next_sync_at().unwrap();
            due.push((at, audience));
        }
        due.sort();
        due.into_iter().map(|(_, audience)| audience).collect()
    }

    async fn members_of(&self, audience: usize) -> Vec<String> {
        let mut unit = self.org.store.read(&self.org.organization).await.unwrap();
        let page = everything();
        let members = unit.members(&self.audiences[audience], None, &page);
        let members = members.await.unwrap().items.into_iter();
        let mut emails: Vec<String> = members
            .map(|member| member.consumer.email.unwrap().as_str().to_owned())
            .collect();
        emails.sort();
        emails
    }

    /// Polls a run's worker until the run is as it has to be. Fails the test if the worker ends first.
    async fn poll_until(&self, worker: &mut Worker, run: &RunId, is: impl Fn(&SyncRun) -> bool) {
        for _ in 0..10_000 {
            if is(&self.org.run(run).await) {
                return;
            }
            assert!(poll(worker, 1).is_none(), "it has ended");
        }
        panic!("it never is");
    }
}

/// The e-mails of these numbers, but that of one of them is another.
fn but(numbers: std::ops::Range<i64>, other: i64, email: &str) -> Vec<String> {
    let mut all = emails(numbers.filter(|number| *number != other));
    all.push(email.to_owned());
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn an_email_that_has_changed_is_read_once_and_is_in_every_audience() {
    let account = Account::new().await;
    account.interval().await;
    let consumers = account.org.consumers().await.len();
    account.readdress(220, account.org.now(), "new@x.io");
    account.change(3, account.org.now(), |one| {
        one.first_name = Attribute::text("Ada");
    });
    // Somebody whom no audience has.
    account.change(505, account.org.now(), |one| {
        one.first_name = Attribute::text("Bo");
    });

    let (runs, read) = account.interval().await;

    assert_eq!(read, 1, "one page for both audiences");
    assert_eq!(account.members_of(0).await, but(0..250, 220, "new@x.io"));
    assert_eq!(account.members_of(1).await, but(200..450, 220, "new@x.io"));
    let after = account.org.consumers().await;
    assert_eq!(after.len(), consumers);
    let named = after.iter().filter(|one| one.full_name.is_some()).count();
    assert_eq!(named, 1);
    assert_eq!(runs.iter().filter(|run| !run.found_nothing()).count(), 1);
    let (runs, read) = account.interval().await;
    assert_eq!((runs.iter().all(SyncRun::found_nothing), read), (true, 1));
    assert_eq!(account.org.consumers().await, after);
}

/// The profile bears another's e-mail from now on: it is that person, in the lists in which it is.
#[tokio::test(start_paused = true)]
async fn where_profiles_were_merged_their_person_is_in_every_list_of_the_one_that_is_left() {
    let account = Account::new().await;
    account.interval().await;
    account.readdress(7, account.org.now(), "p440@x.io");
    account.change(440, account.org.now(), |one| one.email = Attribute::Absent);
    account.interval().await;
    let first = account.members_of(0).await;
    assert!(first.contains(&"p440@x.io".to_owned()));
    // Who was left behind leaves with the next complete pass.
    assert!(first.contains(&"p007@x.io".to_owned()));
    let second = account.members_of(1).await;
    assert_eq!(second, emails(200..450));
}

/// A link that moves because of a join in one list is followed in the others, too.
#[tokio::test(start_paused = true)]
async fn a_link_that_moves_in_one_list_is_followed_in_all() {
    let account = Account::new().await;
    account.interval().await;
    let joined = account.org.now();
    // Without a new time of change: only the join is read.
    account.klaviyo.change(|contents| {
        let as_p440 = |joined_at| Profile {
            joined_at,
            email: Attribute::text("p440@x.io"),
            ..member(7)
        };
        let (_, first) = contents.collections.get_mut(&list("L1")).unwrap();
        first[7] = as_p440(first[7].joined_at);
        let (_, second) = contents.collections.get_mut(&list("L2")).unwrap();
        second.push(as_p440(Some(joined)));
    });
    account.interval().await;
    assert!(
        account
            .members_of(0)
            .await
            .contains(&"p440@x.io".to_owned())
    );
}

/// The pass that is active meanwhile stores its watermarks when it ends, but they hold no more.
#[tokio::test(start_paused = true)]
async fn a_complete_pass_that_is_called_for_during_an_incremental_one_is_the_next() {
    let account = Account::new().await;
    account.interval().await;
    // Two profiles of the first list are one person.
    let joined_at = Some(account.org.now());
    account.klaviyo.change(|contents| {
        let (_, first) = contents.collections.get_mut(&list("L1")).unwrap();
        first.push(Profile {
            joined_at,
            email: member(7).email,
            ..member(600)
        });
    });
    account.interval().await;
    account.readdress(7, account.org.now(), "p440@x.io");

    let [first, second] = &account.audiences;
    account.org.wait_until_due(first).await;
    account.org.wait_until_due(second).await;
    let started = account.org.integration.start_due_syncs().await.unwrap();
    assert_eq!(started, 2);
    let run = account.org.runs_of(first).await.remove(0);
    let mut worker = account.org.worker(&run.id);
    let reads = |run: &SyncRun| matches!(run.pass.phase(), Phase::Reading(_));
    account.poll_until(&mut worker, &run.id, reads).await;
    let other = account.org.runs_of(second).await.remove(0);
    let other = account.org.work_to_end(&other.id).await;
    assert_eq!(other.pass.mode(), RunMode::Incremental);
    worker.await.unwrap();
    let run = account.org.work_if_active(&run.id).await;
    assert_eq!(run.pass.mode(), RunMode::Incremental);
    assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);

    account.org.wait_until_due(first).await;
    account.org.integration.start_due_syncs().await.unwrap();
    let run = account.org.runs_of(first).await.remove(0);
    let run = account.org.work_to_end(&run.id).await;
    assert_eq!(run.pass.mode(), RunMode::Full);
    let mut want = emails(0..250);
    want.push("p440@x.io".to_owned());
    assert_eq!(account.members_of(0).await, want);
}

/// It is applied at once, is written no second time, and hides no later change.
#[tokio::test(start_paused = true)]
async fn a_change_in_the_future_is_applied_and_hides_no_other() {
    let account = Account::new().await;
    account.interval().await;
    let ahead = account.org.now().plus(Duration::from_hours(24));
    account.readdress(220, ahead, "new@x.io");
    account.change(4, ahead, |one| one.phone = Attribute::text("no number"));
    let (runs, _) = account.interval().await;
    assert_eq!(account.members_of(0).await, but(0..250, 220, "new@x.io"));
    let mut told = 0;
    for run in &runs {
        told += account.org.issues(&run.id).await.len();
    }
    assert_eq!(told, 0, "as long as nothing that can be seen has changed");

    let before = account.org.consumers().await;
    let (runs, _) = account.interval().await;
    assert!(runs.iter().all(SyncRun::found_nothing));
    assert_eq!(
        account.org.consumers().await,
        before,
        "with the same stamps"
    );

    account.readdress(221, account.org.now(), "later@x.io");
    account.interval().await;
    assert!(
        account
            .members_of(1)
            .await
            .contains(&"later@x.io".to_owned())
    );
}

/// What it has not read another run reads, from the beginning.
#[tokio::test(start_paused = true)]
async fn a_reader_that_was_cancelled_is_taken_over_from() {
    let account = Account::new().await;
    account.interval().await;
    let now = account.org.now();
    for number in 0..150 {
        let name = format!("Name {number}");
        account.change(number, now, |one| one.first_name = Attribute::text(&*name));
    }
    let audience = account.in_order_of_due_times().await.remove(0);
    account.org.wait_until_due(audience).await;
    account.org.integration.start_due_syncs().await.unwrap();
    let run = account.org.runs_of(audience).await.remove(0);
    // It is stopped when it has read a part.
    let reads = |run: &SyncRun| matches!(run.pass.phase(), Phase::ReadingChanges(Some(scan)) if scan.from().cursor.is_some());
    let mut worker = account.org.worker(&run.id);
    account.poll_until(&mut worker, &run.id, reads).await;
    let cancelled = account
        .org
        .integration
        .cancel_run(&account.org.organization, &run.id);
    cancelled.await.unwrap();
    drop(worker);

    let other = account.in_order_of_due_times().await.remove(0);
    assert_ne!(other, audience);
    let (_, read) = account.sync_due(other).await;
    assert_eq!(read, 2, "both pages");
    let named = account.org.consumers().await;
    assert_eq!(
        named.iter().filter(|one| one.full_name.is_some()).count(),
        150
    );
}

/// Where it was in no list any more when its profile changed, the person is left alone.
#[tokio::test(start_paused = true)]
async fn somebody_who_is_no_member_is_written_nowhere() {
    let account = Account::new().await;
    let other = account.org.synced(&list("L3")).await;
    let archived = account.org.integration.archive_audience(
        &account.org.organization,
        &other.audience,
        "key_1",
    );
    archived.await.unwrap();
    account.interval().await;
    let before = account.org.consumers().await;
    account.change(505, account.org.now(), |one| {
        one.first_name = Attribute::text("Bo");
    });
    let (runs, _) = account.interval().await;
    assert!(runs.iter().all(SyncRun::found_nothing));
    assert_eq!(account.org.consumers().await, before);
}
