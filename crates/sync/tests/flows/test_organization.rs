//! A test organization: a store, a Klaviyo, and the use cases between them, on the async runtime's clock.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use fanfare_domain::consumer::Consumer;
use fanfare_domain::due_pass::FullPassLimits;
use fanfare_domain::ids::{OrganizationId, ProfileId, RunId};
use fanfare_domain::issue::IssueCode;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{
    Clock, ConsumerFilter, KeySealer, Klaviyo, Lookup, QuotaLedger, Store, WorkQueue,
};
use fanfare_domain::run::{SourceRun, SyncRun, SyncStatus};
use fanfare_domain::source::CollectionRef;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{
    ConnectRequest, Error, ImportOutcome, ImportRequest, Integration, Ports, Settings,
};
use fanfare_testkit::build::api_key;
use fanfare_testkit::clock::{PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::InMemoryStore;
use tokio_util::sync::CancellationToken;

pub(crate) use crate::people::{emails, klaviyo_with, member, members};
use crate::runtime_clock::RuntimeClock;

/// How long a lease lasts.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

pub(crate) struct TestOrganization {
    pub(crate) store: InMemoryStore,
    ports: Ports,
    pub(crate) integration: Integration,
    pub(crate) organization: OrganizationId,
    pub(crate) pace: Pace,
    clock: Arc<RuntimeClock>,
}

impl TestOrganization {
    /// An organization that has connected this Klaviyo with the key `pk_key1`.
    pub(crate) async fn on(klaviyo: &FakeKlaviyo) -> Self {
        let org = Self::unconnected(klaviyo).await;
        org.connect("pk_key1").await.unwrap();
        org
    }

    /// An organization that has not connected this Klaviyo yet.
    pub(crate) async fn unconnected(klaviyo: &FakeKlaviyo) -> Self {
        Self::wired(Arc::new(klaviyo.clone()), Arc::new(PlainSealer)).await
    }

    /// An organization that has connected nothing yet, on these adapters.
    pub(crate) async fn wired(klaviyo: Arc<dyn Klaviyo>, sealer: Arc<dyn KeySealer>) -> Self {
        Self::wired_on_clock(klaviyo, sealer, Arc::new(RuntimeClock::default())).await
    }

    /// An organization that has not connected this Klaviyo yet, on this clock.
    pub(crate) async fn on_clock(klaviyo: &FakeKlaviyo, clock: Arc<RuntimeClock>) -> Self {
        let klaviyo = Arc::new(klaviyo.clone());
        Self::wired_on_clock(klaviyo, Arc::new(PlainSealer), clock).await
    }

    async fn wired_on_clock(
        klaviyo: Arc<dyn Klaviyo>,
        sealer: Arc<dyn KeySealer>,
        clock: Arc<RuntimeClock>,
    ) -> Self {
        let store = InMemoryStore::new(clock.clone());
        let ports = Ports {
            store: Arc::new(store.clone()),
            directory: Arc::new(store.clone()),
            work_queue: Arc::new(store.clone()),
            ledger: Arc::new(store.clone()),
            request_limits: Arc::new(store.clone()),
            klaviyo,
            sealer,
            clock: clock.clone(),
            ids: Arc::new(SeededIds::default()),
        };
        let integration = Integration::new(ports.clone());
        let organization = integration
            .create_organization("Test organization")
            .await
            .unwrap()
            .organization;
        let pace = Pace {
            lease: LEASE,
            slice: Duration::from_secs(10),
            partitions: 8,
            batch: 2,
            ..Pace::default()
        };
        Self {
            store,
            ports,
            integration,
            organization,
            pace,
            clock,
        }
    }

    /// The same organization with another queue of due work.
    pub(crate) fn with_work_queue(self, work_queue: Arc<dyn WorkQueue>) -> Self {
        let ports = Ports {
            work_queue,
            ..self.ports
        };
        Self {
            integration: Integration::new(ports.clone()),
            ports,
            ..self
        }
    }

    /// The same organization with other master keys.
    pub(crate) fn with_sealer(self, sealer: Arc<dyn KeySealer>) -> Self {
        let ports = Ports {
            sealer,
            ..self.ports
        };
        Self {
            integration: Integration::new(ports.clone()),
            ports,
            ..self
        }
    }

    /// The use cases of another program, with other master keys.
    pub(crate) fn beside(&self, sealer: Arc<dyn KeySealer>) -> Integration {
        let ports = self.ports.clone();
        Integration::new(Ports { sealer, ..ports })
    }

    /// The same organization, making complete passes of continuous audiences within these limits.
    pub(crate) fn with_full_pass_limits(self, limits: FullPassLimits) -> Self {
        let integration = self.integration.clone().with_full_pass_limits(limits);
        Self {
            integration,
            ..self
        }
    }

    /// The same organization with another quota ledger.
    pub(crate) fn with_ledger(self, ledger: Arc<dyn QuotaLedger>) -> Self {
        let ports = Ports {
            ledger,
            ..self.ports
        };
        Self {
            integration: Integration::new(ports.clone()),
            ports,
            ..self
        }
    }

    pub(crate) fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) async fn connect(&self, key: &str) -> Result<Settings, Error> {
        let request = ConnectRequest {
            api_key: api_key(key),
            confirm_account_change: false,
        };
        self.integration.connect(&self.organization, request).await
    }

    pub(crate) async fn import(
        &self,
        collections: &[CollectionRef],
    ) -> Result<ImportOutcome, Error> {
        let request = ImportRequest {
            collections: collections.to_vec(),
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        self.integration.import(&self.organization, request).await
    }

    /// Imports a list. Returns its first run, which is queued.
    pub(crate) async fn imported(&self, collection: &CollectionRef) -> RunId {
        let outcome = self.import(std::slice::from_ref(collection)).await.unwrap();
        outcome.imported[0].run.clone()
    }

    /// Imports a list and works its first run to the end.
    pub(crate) async fn synced(&self, collection: &CollectionRef) -> SyncRun {
        let run = self.imported(collection).await;
        let run = self.work_to_end(&run).await;
        assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
        run
    }

    /// The latest run of the list's audience.
    pub(crate) async fn queued_first(&self, collection: &CollectionRef) -> SyncRun {
        let mut unit = self.store.read(&self.organization).await.unwrap();
        let source = unit.source_of(collection).await.unwrap().unwrap();
        let runs = unit.runs(&source.audience, &everything()).await.unwrap();
        runs.items[0].clone()
    }

    /// Queues another run of the run's audience.
    pub(crate) async fn queued_again(&self, run: &SyncRun) -> RunId {
        let (organization, audience) = (&self.organization, &run.audience);
        let started = self
            .integration
            .sync_audience(organization, audience, false);
        started.await.unwrap().run
    }

    /// Queues another run of the run's audience and works it to the end.
    pub(crate) async fn resynced(&self, run: &SyncRun, confirm_removals: bool) -> SyncRun {
        let (organization, audience) = (&self.organization, &run.audience);
        let started = self
            .integration
            .sync_audience(organization, audience, confirm_removals)
            .await;
        self.work_to_end(&started.unwrap().run).await
    }

    /// How much work is due or leased.
    pub(crate) async fn store_backlog(&self) -> u64 {
        self.store.backlog().await.unwrap()
    }

    pub(crate) fn engine(&self) -> Engine {
        Engine::new(self.integration.clone(), self.pace)
    }

    pub(crate) fn due(&self, run: &RunId) -> WorkItem {
        WorkItem::pull(&self.organization, run)
    }

    /// A worker that works one slice of the run, to be polled by the test.
    pub(crate) fn worker(&self, run: &RunId) -> Worker {
        self.stoppable_worker(run, CancellationToken::new())
    }

    /// The same with a token that asks the worker to stop.
    pub(crate) fn stoppable_worker(&self, run: &RunId, stop: CancellationToken) -> Worker {
        let (engine, due) = (self.engine(), self.due(run));
        Box::pin(async move { engine.work(&due, &stop).await })
    }

    /// A worker of this engine, whose other workers share a process with it.
    pub(crate) fn worker_of(&self, engine: &Engine, run: &RunId) -> Worker {
        let (engine, due) = (engine.clone(), self.due(run));
        Box::pin(async move { engine.work(&due, &CancellationToken::new()).await })
    }

    /// Works one slice of the run.
    pub(crate) async fn work(&self, run: &RunId) -> SliceEnd {
        self.worker(run).await.unwrap()
    }

    /// Works the run slice after slice, each when it is due, until the run has ended.
    pub(crate) async fn work_to_end(&self, run: &RunId) -> SyncRun {
        loop {
            match self.work(run).await {
                SliceEnd::Finished(_) => return self.run(run).await,
                SliceEnd::Yielded => {}
                SliceEnd::Paused(until) => tokio::time::sleep(until.since(self.now())).await,
                end => panic!("the run cannot be worked: {end:?}"),
            }
        }
    }

    /// Works the run to its end if it has not ended.
    pub(crate) async fn work_if_active(&self, run: &RunId) -> SyncRun {
        let found = self.run(run).await;
        if found.status.is_active() {
            return self.work_to_end(run).await;
        }
        found
    }

    /// The run, after a check that its counts add up and that its source shows the status of its latest run.
    pub(crate) async fn run(&self, id: &RunId) -> SyncRun {
        let run = self.integration.run(&self.organization, id).await.unwrap();
        let record = self
            .integration
            .audience(&self.organization, &run.audience)
            .await
            .unwrap();
        let source = record.source.unwrap();
        if source.data.last_run_id.as_deref() == Some(id.as_str()) {
            assert_eq!(source.status, run.status);
        }
        let tally = run.progress.tally;
        let sum = tally.created + tally.updated + tally.unchanged + tally.skipped;
        assert_eq!(tally.processed, sum);
        run
    }

    /// The e-mails of the members of the run's audience, in order; `-` for a member without one.
    pub(crate) async fn members(&self, run: &RunId) -> Vec<String> {
        let run = self.run(run).await;
        let page = everything();
        let members = self
            .integration
            .members(&self.organization, &run.audience, None, &page);
        let mut emails: Vec<String> = members
            .await
            .unwrap()
            .items
            .iter()
            .map(|m| {
                m.consumer
                    .email
                    .as_ref()
                    .map_or("-", |email| email.as_str())
                    .to_owned()
            })
            .collect();
        emails.sort();
        emails
    }

    /// All of the organization's consumers.
    pub(crate) async fn consumers(&self) -> Vec<Consumer> {
        let (filter, page) = (ConsumerFilter::default(), everything());
        let consumers = self
            .integration
            .consumers(&self.organization, &filter, &page);
        consumers
            .await
            .unwrap()
            .items
            .into_iter()
            .map(|record| record.consumer)
            .collect()
    }

    /// Loses a run's checkpoint, as the store does with one that another version wrote.
    pub(crate) async fn lose_checkpoint(&self, run: &RunId) {
        let mut unit = self.store.begin(&self.organization).await.unwrap();
        let mut run = unit.run(run).await.unwrap().unwrap();
        let source = unit.source(&run.source).await.unwrap().unwrap();
        run.pass = Pass::default();
        let run = SourceRun::from_stored(run, source);
        unit.save_run(&run).await.unwrap();
        unit.commit().await.unwrap();
    }

    /// The e-mail of the consumer that a profile is linked to.
    pub(crate) async fn email_of(&self, profile: &str) -> String {
        let profile = Lookup::Profile(ProfileId::parse(profile).unwrap());
        let linked = self
            .integration
            .lookup_consumers(&self.organization, &profile)
            .await
            .unwrap();
        let email = linked[0].consumer.email.as_ref();
        email.map_or("-", |email| email.as_str()).to_owned()
    }

    /// The name of the audience that a run fills.
    pub(crate) async fn name(&self, run: &RunId) -> String {
        let run = self.run(run).await;
        let record = self
            .integration
            .audience(&self.organization, &run.audience)
            .await;
        record.unwrap().audience.name
    }

    pub(crate) async fn issues(&self, run: &RunId) -> Vec<(String, IssueCode)> {
        let issues = self
            .integration
            .issues(&self.organization, run, &everything())
            .await
            .unwrap();
        issues
            .items
            .iter()
            .map(|issue| (issue.profile.to_string(), issue.kind.code))
            .collect()
    }
}

pub(crate) type Worker = Pin<Box<dyn Future<Output = Result<SliceEnd, Error>> + Send>>;

/// Polls a future up to `times` times. `None` if it has not ended by then. No time passes meanwhile, so a future that waits
/// for some would be polled for ever: the test fails.
pub(crate) fn poll<T>(
    future: &mut Pin<Box<dyn Future<Output = T> + Send>>,
    times: usize,
) -> Option<T> {
    assert!(times <= 10_000, "the future waits for a time");
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}

/// Polls a future until the condition holds. Fails the test if the future ends first.
pub(crate) fn poll_until<T>(
    future: &mut Pin<Box<dyn Future<Output = T> + Send>>,
    condition: impl Fn() -> bool,
) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        assert!(poll(future, 1).is_none(), "the future ended too early");
    }
    panic!("the condition never held");
}

pub(crate) const fn everything() -> PageRequest {
    PageRequest {
        first: 10_000,
        after: None,
    }
}
