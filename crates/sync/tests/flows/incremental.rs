//! Incremental passes: scheduled runs that read who joined since the pass before.
//!
//! Three pages at every minute are more than the one page a minute that complete passes may read here, so that a complete
//! pass is due by turn after six minutes, and when Klaviyo's count calls for one after three.

use std::time::Duration;

use fanfare_domain::due_pass::FullPassLimits;
use fanfare_domain::ids::AudienceId;
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{RunMode, SyncRun, SyncStatus};
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::{Call, FakeKlaviyo};

use crate::continuous::set_members;
use crate::test_organization::{TestOrganization, member, members};

/// An organization with a continuous audience of 250 people, and what Klaviyo has in its list.
struct Living {
    klaviyo: FakeKlaviyo,
    org: TestOrganization,
    audience: AudienceId,
    people: Vec<Profile>,
}

impl Living {
    async fn new() -> Self {
        let people = members(0..250);
        let klaviyo = FakeKlaviyo::default().with(list("L1"), "VIP", people.clone());
        let limits = FullPassLimits {
            steady: 2,
            ..FullPassLimits::default()
        };
        let org = TestOrganization::on(&klaviyo).await;
        let org = org.with_full_pass_limits(limits);
        let runs = org.continuous_every(60, &[list("L1")]).await;
        let first = org.work_to_end(&runs[0]).await;
        assert_eq!(first.pass.mode(), RunMode::Full);
        Self {
            klaviyo,
            org,
            audience: first.audience,
            people,
        }
    }

    /// The person with this number, who joins in so many seconds.
    fn joining(&self, number: i64, seconds: i64) -> Profile {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let now = self.org.now();
        let at = if seconds < 0 {
            now.minus(by)
        } else {
            now.plus(by)
        };
        Profile {
            joined_at: Some(at),
            ..member(number)
        }
    }

    fn join(&mut self, number: i64, seconds: i64) {
        let joining = self.joining(number, seconds);
        self.people.push(joining);
    }

    fn leave(&mut self, number: i64) {
        let id = member(number).id;
        self.people.retain(|one| one.id != id);
    }

    /// Lets an interval pass, and works the run that comes of it.
    async fn interval(&self) -> SyncRun {
        set_members(&self.klaviyo, self.people.clone());
        let run = self.org.sync_due(&self.audience).await;
        assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
        run
    }

    async fn assert_equal(&self, run: &SyncRun) {
        let mut want: Vec<String> = self
            .people
            .iter()
            .map(|one| one.email.as_text().unwrap().to_owned())
            .collect();
        want.sort();
        assert_eq!(self.org.members(&run.id).await, want);
    }
}

/// Joins are found by their times, leavings by Klaviyo's count, even where somebody else has joined meanwhile.
#[tokio::test(start_paused = true)]
async fn after_every_interval_the_audience_equals_the_list() {
    let mut living = Living::new().await;
    living.join(300, -5);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Incremental);
    assert_eq!((run.progress.members_added, run.progress.total), (1, None));
    living.assert_equal(&run).await;

    // A time in the future neither hides others nor is read as new again.
    living.join(301, 86_400);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Incremental);
    living.assert_equal(&run).await;
    living.join(302, -1);
    let run = living.interval().await;
    assert_eq!(run.progress.members_added, 1);
    living.assert_equal(&run).await;

    living.leave(7);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Full, "Klaviyo counts one less");
    assert_eq!(run.progress.members_removed, 1);
    living.assert_equal(&run).await;

    living.join(7, -10);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Incremental);
    living.assert_equal(&run).await;
    living.interval().await;
    living.interval().await;

    living.leave(8);
    living.join(303, -3);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Incremental, "as many as before");
    let due = living.org.status(&living.audience).await.next_sync_at();
    let soon = run.finished_at.unwrap().plus(Duration::from_secs(1));
    assert_eq!(due, Some(soon), "one must have left");
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Full);
    living.assert_equal(&run).await;
}

#[tokio::test(start_paused = true)]
async fn an_interval_in_which_nothing_changed_costs_three_requests_and_one_of_the_account_and_writes_nothing()
 {
    let living = Living::new().await;
    let consumers = living.org.consumers().await;
    let mut before = living.klaviyo.calls().len();
    for _ in 0..3 {
        let run = living.interval().await;
        assert_eq!(run.pass.mode(), RunMode::Incremental);
        assert!(run.found_nothing());
        assert_eq!(run.progress.tally.processed, 0);
        let calls = living.klaviyo.calls().split_off(before);
        before += calls.len();
        let counts = |call: &&Call| matches!(call, Call::Collection(_, true));
        let changes = |call: &&Call| matches!(call, Call::ChangedProfiles(_));
        assert_eq!(calls.iter().filter(counts).count(), 1);
        assert_eq!(calls.iter().filter(changes).count(), 1);
        assert_eq!(calls.len(), 4);
        assert_eq!(living.org.runs_of(&living.audience).await.len(), 2);
    }
    assert_eq!(living.org.consumers().await, consumers);
}

/// By turn, and where Klaviyo does not tell how many there are.
#[tokio::test(start_paused = true)]
async fn without_a_count_who_left_leaves_within_the_time_that_the_status_tells() {
    let mut living = Living::new().await;
    living.klaviyo.change(|contents| contents.counts = false);
    let within = living.org.status(&living.audience).await;
    let within = within.removals_within_seconds().unwrap();
    assert_eq!(within, 390);
    living.interval().await;
    let left_at = living.org.now();
    living.leave(9);
    loop {
        let run = living.interval().await;
        if run.pass.mode() == RunMode::Full {
            living.assert_equal(&run).await;
            break;
        }
    }
    assert!(living.org.now().since(left_at) <= Duration::from_secs(within));
}

#[tokio::test(start_paused = true)]
async fn a_manual_sync_is_complete() {
    let living = Living::new().await;
    let run = living.interval().await;
    let run = living.org.resynced(&run, false).await;
    assert_eq!(run.pass.mode(), RunMode::Full);
}

/// What a failed pass has not read the next one reads.
#[tokio::test(start_paused = true)]
async fn a_pass_that_fails_skips_nobody() {
    let mut living = Living::new().await;
    living.join(300, -5);
    set_members(&living.klaviyo, living.people.clone());
    let unavailable = || Some(KlaviyoError::Unavailable("500".to_owned()));
    living.klaviyo.fail_members((0..5).map(|_| unavailable()));
    let failed = living.org.sync_due(&living.audience).await;
    assert_eq!(failed.status, SyncStatus::Failed);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Incremental);
    living.assert_equal(&run).await;
}

/// Until the next complete pass tells them again.
#[tokio::test(start_paused = true)]
async fn issues_stay_while_incremental_passes_find_nothing() {
    let mut living = Living::new().await;
    living
        .people
        .push(profile("P900").email("no address").joined(900).build());
    let full = loop {
        let run = living.interval().await;
        if run.pass.mode() == RunMode::Full {
            break run;
        }
    };
    assert!(full.found_nothing());
    living.interval().await;
    let last = living.interval().await;
    let ids: Vec<_> = living.org.runs_of(&living.audience).await;
    let ids: Vec<_> = ids.into_iter().map(|run| run.id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!((&ids[0], &ids[1]), (&last.id, &full.id));
    assert_eq!(living.org.issues(&full.id).await.len(), 1);
}

/// Where Klaviyo refuses to filter by join times, the list is read whole, and completely from then on.
#[tokio::test(start_paused = true)]
async fn a_list_without_join_times_has_complete_passes() {
    let mut living = Living::new().await;
    living.klaviyo.change(|contents| {
        contents.refused = fanfare_testkit::fake_klaviyo::Refused::Ranges;
    });
    living.join(300, -5);
    let run = living.interval().await;
    living.assert_equal(&run).await;
    living.leave(3);
    let run = living.interval().await;
    assert_eq!(run.pass.mode(), RunMode::Full);
    living.assert_equal(&run).await;
}
