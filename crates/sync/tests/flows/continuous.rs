//! Continuous sync: audiences that sync by themselves, when they are due.

use std::time::Duration;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::{AudienceId, RunId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::ports::Store;
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{SyncRun, SyncStatus, Trigger};
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use fanfare_sync::{AudienceStatus, AudienceUpdate, Error, ImportRequest, Patch};
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use crate::test_organization::{TestOrganization, emails, everything, klaviyo_with, members};

const INTERVAL: u32 = 900;

pub(crate) fn set_members(klaviyo: &FakeKlaviyo, members: Vec<Profile>) {
    klaviyo.change(|contents| {
        let (_, of_list) = contents.collections.get_mut(&list("L1")).unwrap();
        *of_list = members;
    });
}

impl TestOrganization {
    /// Imports lists whose audiences sync by themselves every fifteen minutes. Returns their first runs.
    async fn continuous(&self, collections: &[CollectionRef]) -> Vec<RunId> {
        self.continuous_every(INTERVAL, collections).await
    }

    /// The same with an interval of so many seconds.
    pub(crate) async fn continuous_every(
        &self,
        interval: u32,
        collections: &[CollectionRef],
    ) -> Vec<RunId> {
        let request = ImportRequest {
            collections: collections.to_vec(),
            refresh_interval_seconds: Some(interval),
            actor: "key_1".to_owned(),
        };
        let imported = self.integration.import(&self.organization, request).await;
        let imported = imported.unwrap().imported;
        imported.into_iter().map(|imported| imported.run).collect()
    }

    /// Imports a list whose audience syncs by itself, and works its first run to the end.
    pub(crate) async fn continuously_synced(&self, collection: &CollectionRef) -> SyncRun {
        let runs = self.continuous(std::slice::from_ref(collection)).await;
        self.work_to_end(&runs[0]).await
    }

    pub(crate) async fn status(&self, audience: &AudienceId) -> AudienceStatus {
        let status = self
            .integration
            .audience_status(&self.organization, audience);
        status.await.unwrap()
    }

    /// Lets time pass to the audience's next due time.
    pub(crate) async fn wait_until_due(&self, audience: &AudienceId) -> Timestamp {
        let due = self.status(audience).await.next_sync_at().unwrap();
        tokio::time::sleep(due.since(self.now())).await;
        due
    }

    pub(crate) async fn runs_of(&self, audience: &AudienceId) -> Vec<SyncRun> {
        let page = everything();
        let runs = self
            .integration
            .runs(&self.organization, audience, &page)
            .await;
        runs.unwrap().items
    }

    /// Starts what is due, and works the audience's latest run to the end.
    pub(crate) async fn sync_due(&self, audience: &AudienceId) -> SyncRun {
        self.wait_until_due(audience).await;
        assert_eq!(self.integration.start_due_syncs().await.unwrap(), 1);
        let run = self.runs_of(audience).await.remove(0);
        self.work_to_end(&run.id).await
    }

    async fn set_interval(
        &self,
        audience: &AudienceId,
        interval: Option<u32>,
    ) -> Result<(), Error> {
        let update = AudienceUpdate {
            refresh_interval_seconds: Patch::Set(interval),
            ..AudienceUpdate::default()
        };
        let updated = self
            .integration
            .update_audience(&self.organization, audience, update);
        updated.await.map(drop)
    }
}

#[tokio::test(start_paused = true)]
async fn a_continuous_audience_follows_its_list_within_its_interval() {
    let klaviyo = klaviyo_with(&list("L1"), 4);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.continuously_synced(&list("L1")).await;
    let status = org.status(&first.audience).await;
    let due = status.next_sync_at().unwrap().since(org.now());
    assert!(due <= Duration::from_secs(INTERVAL.into()), "{due:?}");
    assert_eq!(status.last_full_pass_at(), first.finished_at);
    assert_eq!(status.removals_within_seconds(), Some(INTERVAL.into()));
    assert_eq!((status.paused(), status.is_stale()), (None, false));
    assert_eq!(org.integration.start_due_syncs().await.unwrap(), 0);

    set_members(&klaviyo, members(2..7));
    let run = org.sync_due(&first.audience).await;

    assert_eq!(
        (run.trigger, run.status),
        (Trigger::Schedule, SyncStatus::Success)
    );
    assert_eq!(org.members(&run.id).await, emails(2..7));
    let next = org.status(&first.audience).await.next_sync_at().unwrap();
    assert!(next > org.now() && next.since(org.now()) <= Duration::from_secs(INTERVAL.into()));
}

#[tokio::test(start_paused = true)]
async fn one_run_comes_of_a_due_time_however_many_processes_look() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let first = org.continuously_synced(&list("L1")).await;
    org.wait_until_due(&first.audience).await;

    let looks = (0..50).map(|_| org.integration.start_due_syncs());
    let started = futures_util::future::try_join_all(looks).await.unwrap();

    assert_eq!(started.iter().sum::<u64>(), 1);
    assert_eq!(org.runs_of(&first.audience).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_audience_with_an_active_run_is_not_started_and_shows_no_next_time() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let run = org.continuous(&[list("L1")]).await.remove(0);
    let audience = org.run(&run).await.audience;
    assert_eq!(org.status(&audience).await.next_sync_at(), None);
    tokio::time::sleep(Duration::from_secs(INTERVAL.into())).await;

    assert_eq!(org.integration.start_due_syncs().await.unwrap(), 1);

    assert_eq!(org.runs_of(&audience).await.len(), 1);
    org.work_to_end(&run).await;
    assert!(org.status(&audience).await.next_sync_at().is_some());
}

/// The rhythm is kept: the next due time is as if nothing had been missed.
#[tokio::test(start_paused = true)]
async fn after_an_outage_an_audience_runs_once_and_not_for_each_interval() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let first = org.continuously_synced(&list("L1")).await;
    let due = org.wait_until_due(&first.audience).await;
    tokio::time::sleep(Duration::from_secs(10 * u64::from(INTERVAL))).await;
    assert!(org.status(&first.audience).await.is_stale());

    assert_eq!(org.integration.start_due_syncs().await.unwrap(), 1);
    assert_eq!(org.integration.start_due_syncs().await.unwrap(), 0);

    let runs = org.runs_of(&first.audience).await;
    assert_eq!(runs.len(), 2);
    org.work_to_end(&runs[0].id).await;
    let status = org.status(&first.audience).await;
    assert!(!status.is_stale());
    let next = status.next_sync_at().unwrap().since(due);
    assert_eq!(next, Duration::from_secs(11 * u64::from(INTERVAL)));
}

#[tokio::test(start_paused = true)]
async fn audiences_imported_together_are_not_due_together() {
    let lists: Vec<CollectionRef> = (0..100).map(|n| list(&format!("L{n}"))).collect();
    let klaviyo = lists.iter().fold(FakeKlaviyo::default(), |klaviyo, list| {
        klaviyo.with(list.clone(), "VIP", members(0..1))
    });
    let org = TestOrganization::on(&klaviyo).await;
    let mut due = Vec::new();
    for run in org.continuous(&lists).await {
        let run = org.run(&run).await;
        let mut unit = org.store.read(&org.organization).await.unwrap();
        due.push(unit.due_at(&run.audience).await.unwrap().unwrap());
    }
    due.sort_unstable();

    let spread = due[99].since(due[0]);
    assert!(
        spread > Duration::from_secs(u64::from(INTERVAL) / 4),
        "{spread:?}"
    );
    due.dedup();
    assert!(due.len() > 90, "{} different times", due.len());
}

/// A thousand runs that found nothing would say nothing.
#[tokio::test(start_paused = true)]
async fn of_scheduled_runs_that_found_nothing_only_the_latest_is_kept() {
    let mut people = members(0..2);
    people.push(profile("P9").email("no address").joined(9).build());
    let klaviyo = FakeKlaviyo::default().with(list("L1"), "VIP", people);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.continuously_synced(&list("L1")).await;
    let audience = &first.audience;
    let consumers = org.consumers().await;
    let mut latest = org.sync_due(audience).await;
    for _ in 0..3 {
        latest = org.sync_due(audience).await;
        let runs = org.runs_of(audience).await;
        let ids: Vec<&RunId> = runs.iter().map(|run| &run.id).collect();
        assert_eq!(ids, [&latest.id, &first.id]);
    }
    assert_eq!(org.consumers().await, consumers);
    assert_eq!(org.issues(&latest.id).await.len(), 1);

    set_members(&klaviyo, members(0..3));
    let found = org.sync_due(audience).await;
    assert_eq!(found.progress.members_added, 1);
    let quiet = org.sync_due(audience).await;
    let runs = org.runs_of(audience).await;
    let ids: Vec<&RunId> = runs.iter().map(|run| &run.id).collect();
    assert_eq!(
        ids,
        [&quiet.id, &found.id, &first.id],
        "those that found something stay"
    );
    assert_eq!(org.status(audience).await.version, 7, "all are counted");
}

#[tokio::test(start_paused = true)]
async fn a_refused_key_pauses_the_schedule_until_it_is_replaced() {
    for (error, code) in [
        (KlaviyoError::KeyRejected, FailureCode::KeyInvalid),
        (KlaviyoError::NotPermitted, FailureCode::ScopeMissing),
    ] {
        let klaviyo = klaviyo_with(&list("L1"), 1);
        let org = TestOrganization::on(&klaviyo).await;
        let first = org.continuously_synced(&list("L1")).await;
        klaviyo.fail_others([Some(error)]);
        let failed = org.sync_due(&first.audience).await;
        assert_eq!(failed.error.unwrap().code, code);
        let status = org.status(&first.audience).await;
        assert_eq!((status.paused(), status.next_sync_at()), (Some(code), None));
        let paused = org.integration.paused_schedules(&org.organization).await;
        assert_eq!(paused.unwrap(), [(first.audience.clone(), code)]);
        assert_eq!(
            org.integration
                .mend_schedules(&org.organization)
                .await
                .unwrap(),
            0
        );
        tokio::time::sleep(Duration::from_secs(3 * u64::from(INTERVAL))).await;
        assert_eq!(org.integration.start_due_syncs().await.unwrap(), 0);
        assert!(org.status(&first.audience).await.is_stale());

        org.connect("pk_key2").await.unwrap();

        assert_eq!(org.status(&first.audience).await.paused(), None);
        let run = org.sync_due(&first.audience).await;
        assert_eq!(run.status, SyncStatus::Success);
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_is_gone_pauses_the_schedule_until_a_manual_sync_succeeds() {
    let klaviyo = klaviyo_with(&list("L1"), 1);
    let org = TestOrganization::on(&klaviyo).await;
    let first = org.continuously_synced(&list("L1")).await;
    klaviyo.fail_others([Some(KlaviyoError::NotFound)]);
    org.sync_due(&first.audience).await;
    let gone = Some(FailureCode::SourceGone);
    assert_eq!(org.status(&first.audience).await.paused(), gone);
    org.connect("pk_key2").await.unwrap();
    assert_eq!(org.status(&first.audience).await.paused(), gone);

    klaviyo.fail_others([Some(KlaviyoError::NotFound)]);
    org.resynced(&first, false).await;
    assert_eq!(org.status(&first.audience).await.paused(), gone);
    org.resynced(&first, false).await;

    let status = org.status(&first.audience).await;
    assert_eq!(status.paused(), None);
    assert!(status.next_sync_at().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_interval_begins_changes_and_ends_a_schedule() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let run = org.synced(&list("L1")).await;
    let audience = &run.audience;
    let status = org.status(audience).await;
    assert_eq!(
        (status.next_sync_at(), status.removals_within_seconds()),
        (None, None)
    );
    assert!(!status.is_stale() && status.paused().is_none());

    for (interval, fits) in [
        (59, false),
        (60, true),
        (604_800, true),
        (604_801, false),
        (900, true),
    ] {
        let set = org.set_interval(audience, Some(interval)).await;
        assert_eq!(set.is_ok(), fits, "{interval}");
        if let Err(error) = set {
            assert!(
                matches!(error, Error::Invalid(faults) if faults[0].field == "refreshIntervalSeconds")
            );
            continue;
        }
        let due = org.status(audience).await.next_sync_at().unwrap();
        let interval = Duration::from_secs(interval.into());
        assert!(due.since(org.now()) >= interval / 2 && due <= org.now().plus(interval));
    }
    let due = org.status(audience).await.next_sync_at();
    org.set_interval(audience, Some(900)).await.unwrap();
    assert_eq!(
        org.status(audience).await.next_sync_at(),
        due,
        "nothing has changed"
    );
    let described = AudienceUpdate {
        description: Patch::Set(Some("Friends".to_owned())),
        ..AudienceUpdate::default()
    };
    let update = org
        .integration
        .update_audience(&org.organization, audience, described);
    update.await.unwrap();
    assert_eq!(org.status(audience).await.next_sync_at(), due);

    org.set_interval(audience, None).await.unwrap();
    assert_eq!(org.status(audience).await.next_sync_at(), None);
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(org.integration.start_due_syncs().await.unwrap(), 0);
}

#[tokio::test(start_paused = true)]
async fn archiving_and_disconnecting_end_schedules() {
    let klaviyo = klaviyo_with(&list("L1"), 1).with(list("L2"), "New", members(0..1));
    let org = TestOrganization::on(&klaviyo).await;
    let archived = org.continuously_synced(&list("L1")).await;
    let kept = org.continuously_synced(&list("L2")).await;

    let archive = org
        .integration
        .archive_audience(&org.organization, &archived.audience, "key_1");
    let record = archive.await.unwrap().unwrap();
    assert_eq!(record.audience.refresh_interval_seconds, None);
    let refused = org.set_interval(&archived.audience, Some(900)).await;
    assert!(matches!(refused, Err(Error::NoSyncSource)));
    assert!(org.status(&kept.audience).await.next_sync_at().is_some());

    org.integration.disconnect(&org.organization).await.unwrap();
    let status = org.status(&kept.audience).await;
    assert_eq!(status.record.audience.refresh_interval_seconds, None);
    let refused = org.set_interval(&kept.audience, Some(900)).await;
    assert!(matches!(refused, Err(Error::KeyNotFound)));
    tokio::time::sleep(Duration::from_hours(1)).await;
    assert_eq!(org.integration.start_due_syncs().await.unwrap(), 0);
    org.connect("pk_key1").await.unwrap();
    assert_eq!(
        org.integration
            .mend_schedules(&org.organization)
            .await
            .unwrap(),
        0
    );
}

/// As after a backup that was restored in parts, and after the clock was set back by hours.
#[tokio::test(start_paused = true)]
async fn schedules_that_have_come_apart_from_their_audiences_are_mended() {
    let org = TestOrganization::on(&klaviyo_with(&list("L1"), 1)).await;
    let run = org.continuously_synced(&list("L1")).await;
    let manual = AudienceId::parse("aud_gone").unwrap();
    let mend = || org.integration.mend_schedules(&org.organization);
    assert_eq!(mend().await.unwrap(), 0);

    let mut unit = org.store.begin(&org.organization).await.unwrap();
    unit.end_schedule(&run.audience).await.unwrap();
    unit.put_due(&manual, org.now()).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(mend().await.unwrap(), 2);
    assert_eq!(mend().await.unwrap(), 0);

    let mut unit = org.store.begin(&org.organization).await.unwrap();
    let late = org.now().plus(Duration::from_hours(3));
    unit.put_due(&run.audience, late).await.unwrap();
    unit.commit().await.unwrap();
    assert_eq!(mend().await.unwrap(), 1);
    let due = org.status(&run.audience).await.next_sync_at().unwrap();
    assert!(due.since(org.now()) <= Duration::from_secs(INTERVAL.into()));
}

/// A look takes a few of each organization, so that one with many keeps no other waiting.
#[tokio::test(start_paused = true)]
async fn a_look_starts_a_few_audiences_of_each_organization() {
    let lists: Vec<CollectionRef> = (0..60).map(|n| list(&format!("L{n}"))).collect();
    let klaviyo = lists.iter().fold(FakeKlaviyo::default(), |klaviyo, list| {
        klaviyo.with(list.clone(), "VIP", members(0..1))
    });
    let org = TestOrganization::on(&klaviyo).await;
    for run in org.continuous(&lists).await {
        org.work_to_end(&run).await;
    }
    tokio::time::sleep(Duration::from_secs(INTERVAL.into())).await;
    let before = org.store_backlog().await;

    let mut started = Vec::new();
    loop {
        match org.integration.start_due_syncs().await.unwrap() {
            0 => break,
            due => started.push(due),
        }
    }

    assert_eq!(started, [20, 20, 20], "a few in each unit");
    assert_eq!(org.store_backlog().await - before, 60);
}
