//! A living account, a store, the use cases between them, and a clock that skips the time in which nothing happens.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, Directory, QuotaLedger, RequestLimits, Store, WorkQueue};
use fanfare_domain::run::{RunMode, SyncRun, SyncStatus};
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKind};
use fanfare_klaviyo::{KlaviyoHttp, Origin, Timeouts};
use fanfare_klaviyo_sim::{
    AccountHandle, AccountPlan, EdgeCases, Endpoint, Happened, Life, LivingAccount, Plan,
    RunningSimulator, Simulator,
};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, list, segment};
use fanfare_testkit::clock::{PlainSealer, SeededIds, SkippingClock};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::oracle::{Names, Persons, Presence, Seen};
use crate::tally::Tally;

pub(crate) const INTERVAL: Duration = Duration::from_mins(15);
pub(crate) const SEGMENT: &str = "SeGm01";

const ACCOUNT: &str = "LiViNg";
const KEY: &str = "pk_living_1";

/// How late a pass may begin after the time that it is due at, and end after it has begun.
const SLACK: Duration = Duration::from_mins(1);

/// How long nothing is looked at, at most.
const LOOK: Duration = Duration::from_mins(1);

/// An audience, and who was in its list when.
struct Audience {
    id: AudienceId,
    collection: String,
    presence: Presence,
    /// When its last successful run began and in which mode it was, and when the last complete one began that has
    /// removed whoever had left.
    last_success: Option<(Timestamp, RunMode)>,
    last_full: Option<Timestamp>,
}

pub(crate) struct World {
    pub(crate) clock: SkippingClock,
    simulator: RunningSimulator,
    account: AccountHandle,
    life: LivingAccount,
    integration: Integration,
    work_queue: Arc<dyn WorkQueue>,
    engine: Engine,
    organization: OrganizationId,
    audiences: BTreeMap<AudienceId, Audience>,
    names: Names,
    /// What active runs have seen.
    seen: HashMap<RunId, Seen>,
    paused: HashMap<WorkItem, Timestamp>,
    /// How much has happened.
    pub(crate) happened: u64,
    /// Until when passes may be late, because Klaviyo did not answer or took no key.
    troubled_until: Option<Timestamp>,
    runs: Tally,
}

fn moment(time: Timestamp) -> OffsetDateTime {
    let nanos = i128::from(time.as_micros()) * 1_000;
    OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap()
}

const fn everything() -> PageRequest {
    PageRequest {
        first: 10_000,
        after: None,
    }
}

impl World {
    /// Connects an account of three lists and a segment, imports all of them as continuous audiences, and lets the account's
    /// life begin.
    pub(crate) async fn open<S>(store: S, clock: SkippingClock, life: Life) -> Self
    where
        S: Store + Directory + WorkQueue + QuotaLedger + RequestLimits + 'static,
    {
        let plan = AccountPlan::new(ACCOUNT)
            .key(KEY)
            .edge_cases(EdgeCases::None)
            .list("LiSt01", "Newsletter", 240)
            .list("LiSt02", "Customers", 130)
            .list("LiSt03", "Press", 40)
            .segment(SEGMENT, "Engaged", 150);
        let shown = clock.clone();
        let plan = Plan::new([plan]).clock(move || moment(shown.now()));
        let simulator = Simulator::start(plan).unwrap();
        let origin = Origin::parse(&simulator.url()).unwrap();
        let klaviyo = KlaviyoHttp::new(origin, Timeouts::default()).unwrap();
        let store = Arc::new(store);
        let integration = Integration::new(Ports {
            store: store.clone(),
            directory: store.clone(),
            work_queue: store.clone(),
            ledger: store.clone(),
            request_limits: store.clone(),
            klaviyo: Arc::new(klaviyo),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        });
        let made = integration.create_organization("Living").await.unwrap();
        let begins = moment(clock.now());
        let life = LivingAccount::new(&simulator.handle(), ACCOUNT, life, begins).unwrap();
        let mut world = Self {
            account: simulator.account(),
            engine: Engine::new(integration.clone(), Pace::default()),
            work_queue: store,
            organization: made.organization,
            audiences: BTreeMap::new(),
            names: Names::default(),
            seen: HashMap::new(),
            paused: HashMap::new(),
            happened: 0,
            troubled_until: None,
            runs: Tally::default(),
            clock,
            simulator,
            life,
            integration,
        };
        world.connect(KEY).await;
        world.import().await;
        world
    }

    async fn connect(&self, key: &str) {
        let request = ConnectRequest {
            api_key: api_key(key),
            confirm_account_change: false,
        };
        let connected = self.integration.connect(&self.organization, request);
        connected.await.unwrap();
    }

    async fn import(&mut self) {
        let collections: Vec<CollectionRef> = ["LiSt01", "LiSt02", "LiSt03"]
            .into_iter()
            .map(list)
            .chain([segment(SEGMENT)])
            .collect();
        let request = ImportRequest {
            collections,
            refresh_interval_seconds: Some(u32::try_from(INTERVAL.as_secs()).unwrap()),
            actor: "key_1".to_owned(),
        };
        let imported = self.integration.import(&self.organization, request).await;
        for imported in imported.unwrap().imported {
            let audience = Audience {
                id: imported.audience.clone(),
                collection: imported.collection.id.to_string(),
                presence: Presence::default(),
                last_success: None,
                last_full: None,
            };
            self.audiences.insert(imported.audience, audience);
        }
        self.work_due().await;
        self.check_that_all_are_equal().await;
    }

    /// Lets everything happen that happens until then, and skips the time between.
    pub(crate) async fn live_until(&mut self, end: Timestamp) {
        loop {
            let now = self.clock.now();
            for happened in self.life.live_until(moment(now)).unwrap() {
                self.follow(happened, now).await;
            }
            self.note();
            while self.integration.start_due_syncs().await.unwrap() > 0 {}
            self.work_due().await;
            if self.clock.now() >= end {
                return;
            }
            let next = self.next_time().await;
            self.clock.skip_to(next.min(end));
        }
    }

    async fn follow(&mut self, happened: Happened, now: Timestamp) {
        self.happened += 1;
        match happened {
            Happened::OutageBegan | Happened::KeysRevoked => {
                self.troubled_until = Some(now.plus(INTERVAL * 2));
            }
            Happened::OutageEnded => self.troubled_until = Some(now.plus(INTERVAL + SLACK)),
            Happened::KeyAdded(key) => {
                self.connect(&key).await;
                self.troubled_until = Some(now.plus(INTERVAL + SLACK));
            }
            _ => {}
        }
    }

    /// When something happens next: in Klaviyo, by a schedule, or because a pause is over.
    async fn next_time(&mut self) -> Timestamp {
        let now = self.clock.now();
        let mut next = now.plus(LOOK);
        if let Some(at) = self.life.next_at() {
            let micros = i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap() + 1;
            next = next.min(Timestamp::from_micros(micros).unwrap());
        }
        for audience in self.audiences.keys() {
            let status = self
                .integration
                .audience_status(&self.organization, audience);
            next = status
                .await
                .unwrap()
                .next_sync_at()
                .map_or(next, |at| next.min(at));
        }
        self.paused.retain(|_, until| *until > now);
        self.paused
            .values()
            .fold(next, |next, until| next.min(*until))
    }

    /// Works what is due until nothing is.
    async fn work_due(&mut self) {
        while let Some(next) = self.work_queue.next().await.unwrap() {
            let work = next.work;
            let run = (work.key.kind == WorkKind::Pull).then(|| work.key.id.as_run());
            if let Some(run) = &run {
                self.look(run).await;
            }
            let end = self.engine.work(&work, &CancellationToken::new()).await;
            if let Some(run) = &run {
                self.look(run).await;
            }
            match (end.unwrap(), run) {
                (SliceEnd::Finished(status), Some(run)) => self.finished(&run, status).await,
                (SliceEnd::Paused(until), _) => {
                    self.paused.insert(work, until);
                }
                (SliceEnd::Finished(_) | SliceEnd::Yielded, _) => {}
                (end, _) => panic!("{end:?}"),
            }
        }
    }

    /// Notes who is in the list of a run.
    async fn look(&mut self, run: &RunId) {
        let audience = self.run(run).await.audience;
        let collection = &self.audiences[&audience].collection;
        let persons = self.names.in_collection(&self.account, collection);
        match self.seen.get_mut(run) {
            Some(seen) => seen.then(persons),
            None => {
                self.seen.insert(run.clone(), Seen::at_first(persons));
            }
        }
    }

    async fn run(&self, id: &RunId) -> SyncRun {
        let run = self.integration.run(&self.organization, id);
        run.await.unwrap()
    }

    /// Counts a run that has ended. After a complete pass its audience is its list.
    async fn finished(&mut self, id: &RunId, status: SyncStatus) {
        let (seen, run) = (self.seen.remove(id).unwrap(), self.run(id).await);
        let (progress, tally) = (run.progress, run.progress.tally);
        let mode = run.pass.mode();
        self.runs.runs += 1;
        self.runs.full += u64::from(mode == RunMode::Full);
        self.runs.profiles += tally.processed;
        self.runs.rows +=
            tally.created + tally.updated + progress.members_added + progress.members_removed;
        if status != SyncStatus::Success {
            self.runs.failed += 1;
            assert!(
                self.troubled_until.is_some(),
                "a run failed: {:?}",
                run.error
            );
            return;
        }
        let begun = run.started_at.unwrap();
        let audience = self.audiences.get_mut(&run.audience).unwrap();
        audience.last_success = Some((begun, mode));
        if mode != RunMode::Full || run.removals_deferred {
            return;
        }
        audience.last_full = Some(begun);
        let members = self.members(&run.audience).await;
        assert_contains("the pass", &members, &seen.always);
        assert_contains("the list", &seen.ever, &members);
    }

    async fn members(&self, audience: &AudienceId) -> Persons {
        let page = everything();
        let members = self
            .integration
            .members(&self.organization, audience, None, &page);
        let members = members.await.unwrap().items.into_iter();
        members
            .map(|member| {
                let (email, phone) = (member.consumer.email, member.consumer.phone);
                let email = email.map(|email| email.as_str().to_owned());
                let phone = phone.map(|phone| phone.value.as_str().to_owned());
                email.or(phone).unwrap()
            })
            .collect()
    }

    /// Notes who is in the lists now.
    fn note(&mut self) {
        let now = self.clock.now();
        for audience in self.audiences.values_mut() {
            let persons = self
                .names
                .in_collection(&self.account, &audience.collection);
            audience.presence.note(now, &persons);
        }
    }

    /// After an interval: who has been in a list since its audience's last pass is in the audience, and who is in the
    /// audience was in the list since the last complete pass. Unless there was trouble, both passes are as young as the
    /// audience promises.
    pub(crate) async fn check(&mut self) {
        self.note();
        let now = self.clock.now();
        let is_troubled = self.troubled_until.is_some_and(|until| now < until);
        for audience in self.audiences.values() {
            let status = self
                .integration
                .audience_status(&self.organization, &audience.id);
            let status = status.await.unwrap();
            let (success, mode) = audience.last_success.unwrap();
            let full = audience.last_full.unwrap();
            if !is_troubled {
                assert!(!status.is_stale() && status.paused().is_none());
                assert!(now.since(success) <= INTERVAL + SLACK, "{success}");
                let promised = Duration::from_secs(status.removals_within_seconds().unwrap());
                let is_segment = audience.collection == SEGMENT;
                assert!(
                    is_segment || now.since(full) <= promised + SLACK,
                    "{full}: leavings are seen within {promised:?}"
                );
            }
            // Changes of profiles may have been read for all audiences at once, before this one's own pass.
            let read = match mode {
                RunMode::Full => success,
                RunMode::Incremental => success.minus(INTERVAL),
            };
            let members = self.members(&audience.id).await;
            let since = &audience.presence;
            assert_contains(&audience.collection, &members, &since.all_since(read));
            let allowed = since.any_since(full.minus(SLACK));
            assert_contains(&audience.collection, &allowed, &members);
        }
    }

    /// Syncs every audience by hand: complete passes.
    pub(crate) async fn sync_everything(&mut self) {
        let audiences: Vec<AudienceId> = self.audiences.keys().cloned().collect();
        for audience in audiences {
            let started = self
                .integration
                .sync_audience(&self.organization, &audience, false);
            started.await.unwrap();
        }
        loop {
            self.work_due().await;
            let now = self.clock.now();
            self.paused.retain(|_, until| *until > now);
            match self.paused.values().min() {
                Some(until) => self.clock.skip_to(*until),
                None => return,
            }
        }
    }

    /// Fails unless every audience is its list.
    pub(crate) async fn check_that_all_are_equal(&mut self) {
        self.note();
        for audience in self.audiences.values() {
            let persons = self
                .names
                .in_collection(&self.account, &audience.collection);
            let members = self.members(&audience.id).await;
            assert_contains(&audience.collection, &members, &persons);
            assert_contains(&audience.collection, &persons, &members);
        }
    }

    /// What all runs so far have cost.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            requests: self.simulator.requests().len() as u64,
            ..self.runs
        }
    }

    /// Fails if Klaviyo was asked too often, or for more than the passes needed.
    pub(crate) fn check_requests(&self) {
        let requests = self.simulator.requests();
        let throttled = requests.iter().filter(|one| one.status == Some(429));
        assert_eq!(throttled.count(), 0, "the quota is kept");
        let mut by_endpoint: BTreeMap<String, u64> = BTreeMap::new();
        for request in &requests {
            let endpoint = request.endpoint.as_ref().map(Endpoint::to_string);
            *by_endpoint.entry(endpoint.unwrap_or_default()).or_default() += 1;
        }
        println!("requests: {by_endpoint:?}");
        // A page of a hundred, those of ranges that hold fewer, and what a pass asks beside them.
        let most = self.runs.profiles / 100 * 2 + self.runs.runs * 12;
        assert!(requests.len() as u64 <= most, "{by_endpoint:?}");
    }
}

/// Fails unless all of `some` are in `all`.
#[track_caller]
fn assert_contains(what: &str, all: &Persons, some: &Persons) {
    let missing: Vec<&String> = some.difference(all).collect();
    assert!(missing.is_empty(), "{what}: {missing:?}");
}
