//! A living account, a store, the use cases between them, and a clock that skips the time in which nothing happens.

mod checks;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::due_pass::FullPassLimits;
use fanfare_domain::ids::{AudienceId, OrganizationId, RunId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, Directory, QuotaLedger, RequestLimits, Store, WorkQueue};
use fanfare_domain::run::{RunMode, SyncRun, SyncStatus};
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::{WorkItem, WorkKind};
use fanfare_klaviyo::{KlaviyoHttp, Origin, Timeouts};
use fanfare_klaviyo_sim::{
    AccountHandle, AccountPlan, EdgeCases, Happened, Life, LivingAccount, Plan, RunningSimulator,
    Simulator,
};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, list, segment};
use fanfare_testkit::clock::{PlainSealer, SeededIds, SkippingClock};
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use self::checks::assert_contains;
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
            .list("LiSt01", "Newsletter", 1_040)
            .list("LiSt02", "Customers", 930)
            .list("LiSt03", "Press", 40)
            .segment(SEGMENT, "Engaged", 150);
        let shown = clock.clone();
        let plan = Plan::new([plan]).clock(move || moment(shown.now()));
        let simulator = Simulator::start(plan).unwrap();
        let origin = Origin::parse(&simulator.url()).unwrap();
        let klaviyo = KlaviyoHttp::new(origin, Timeouts::default()).unwrap();
        let store = Arc::new(store);
        // So few complete passes that most passes of the larger lists are incremental.
        let limits = FullPassLimits {
            steady: 2,
            ..FullPassLimits::default()
        };
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
        let integration = integration.with_full_pass_limits(limits);
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

    /// Two people change in a way that no list tells: one of the first list gets another e-mail, and one of the second takes
    /// that of a profile that is in no list any more and has become theirs. Returns these e-mails.
    pub(crate) fn change_members(&self) -> (String, String) {
        let account = &self.account;
        let only_in = |list: &str, other: &str| {
            let members = account.members(list).unwrap().into_iter();
            let mut profiles = members.map(|member| member.profile);
            let found = profiles.find(|one| {
                let is_email = one.email.as_ref().is_some_and(|it| it.contains('@'));
                is_email && !account.is_member(other, &one.id).unwrap()
            });
            found.unwrap()
        };
        let gone = only_in("LiSt01", "LiSt02");
        account.leave("LiSt01", &gone.id).unwrap();
        let left = only_in("LiSt02", "LiSt01");
        account
            .merge_at_once(&gone.id, &left.id, Duration::ZERO)
            .unwrap();
        let merged = gone.email.unwrap();
        account
            .update(&left.id, |one| one.email = Some(merged.clone()))
            .unwrap();
        let readdressed = "readdressed@example.com".to_owned();
        let one = only_in("LiSt01", "LiSt02");
        account
            .update(&one.id, |one| one.email = Some(readdressed.clone()))
            .unwrap();
        (readdressed, merged.trim().to_lowercase())
    }

    /// What all runs so far have cost.
    pub(crate) fn tally(&self) -> Tally {
        Tally {
            requests: self.simulator.requests().len() as u64,
            ..self.runs
        }
    }
}
