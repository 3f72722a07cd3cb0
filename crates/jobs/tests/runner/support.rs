//! A store with a queue in one file, a Klaviyo in memory, and imports queued by the use cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::{Clock, Store};
use fanfare_domain::run::{SyncRun, SyncStatus};
use fanfare_domain::time::Timestamp;
use fanfare_jobs::{Heartbeat, Runner, RunnerError, RunnerOptions, SqliteQueue};
use fanfare_sqlite::{JobNotifier, QUEUE, SqliteOptions, SqliteStore};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, at, list, profile};
use fanfare_testkit::clock::{PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use sqlx::SqlitePool;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a test waits for something to happen before it fails.
const EVENT_TIMEOUT: Duration = Duration::from_secs(40);

/// Longer than a lease, and than the time after which a notification is sent again.
pub(crate) const A_WHILE: Duration = Duration::from_secs(31);

/// A clock that runs and can be moved forward. Clones are the same clock.
#[derive(Clone)]
pub(crate) struct TestClock {
    begun: Instant,
    skipped: Arc<AtomicU64>,
}

impl TestClock {
    pub(crate) fn new() -> Self {
        Self {
            begun: Instant::now(),
            skipped: Arc::default(),
        }
    }

    pub(crate) fn skip(&self, time: Duration) {
        self.skipped.fetch_add(time.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let skipped = Duration::from_secs(self.skipped.load(Ordering::SeqCst));
        at(1_000).plus(self.begun.elapsed() + skipped)
    }
}

pub(crate) struct World {
    _folder: TempDir,
    pub(crate) clock: TestClock,
    pub(crate) store: SqliteStore,
    pub(crate) queue: SqliteQueue,
    pub(crate) klaviyo: FakeKlaviyo,
    pub(crate) integration: Integration,
    pub(crate) organization: OrganizationId,
    /// A connection to the store's file, for apalis's tables.
    pub(crate) jobs: SqlitePool,
}

/// A store and a Klaviyo account with the lists `l0`, `l1` … of so many profiles each, two on a page.
pub(crate) async fn world(lists: &[usize]) -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let options = SqliteOptions::at(folder.path().join("store.db")).notifier(JobNotifier::Apalis);
    let store = SqliteStore::open(options, Arc::new(clock.clone()))
        .await
        .unwrap();
    let queue = SqliteQueue::open(store.connect_options(), QUEUE)
        .await
        .unwrap();
    let jobs = SqlitePool::connect_with(store.connect_options())
        .await
        .unwrap();
    let mut klaviyo = FakeKlaviyo::default().page_size(2);
    for (n, size) in lists.iter().enumerate() {
        // Each joined in a second of its own: thousands who joined at once would be read from both ends.
        let members = (0..*size).map(|m| {
            let id = format!("l{n}p{m}");
            let joined = i64::try_from(m).expect("a small number");
            profile(&id)
                .email(&format!("{id}@example.com"))
                .joined(joined)
        });
        let id = format!("l{n}");
        klaviyo = klaviyo.with(list(&id), &id, members);
    }
    let ports = Arc::new(store.clone());
    let integration = Integration::new(Ports {
        store: ports.clone(),
        directory: ports.clone(),
        work_queue: ports.clone(),
        ledger: ports.clone(),
        request_limits: ports,
        klaviyo: Arc::new(klaviyo.clone()),
        sealer: Arc::new(PlainSealer),
        clock: Arc::new(clock.clone()),
        ids: Arc::new(SeededIds::default()),
    });
    let organization = connected_organization(&integration).await;
    World {
        _folder: folder,
        clock,
        store,
        queue,
        klaviyo,
        integration,
        organization,
        jobs,
    }
}

/// An organization with a connection.
async fn connected_organization(integration: &Integration) -> OrganizationId {
    let made = integration.create_organization("Shop").await.unwrap();
    let connect = ConnectRequest {
        api_key: api_key("pk_test"),
        confirm_account_change: false,
    };
    let organization = made.organization;
    integration.connect(&organization, connect).await.unwrap();
    organization
}

/// A runner at work.
pub(crate) struct Working {
    pub(crate) heartbeat: Heartbeat,
    stop: CancellationToken,
    ended: JoinHandle<Result<(), RunnerError>>,
}

impl Working {
    /// Stops it and waits for its end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.ends().await.unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ends(self) -> Result<(), RunnerError> {
        tokio::time::timeout(EVENT_TIMEOUT, self.ended)
            .await
            .expect("a runner that is stopped ends")
            .expect("a runner does not panic")
    }
}

impl World {
    /// Another organization, connected to the same Klaviyo account.
    pub(crate) async fn another_organization(&self) -> OrganizationId {
        connected_organization(&self.integration).await
    }

    /// Imports a list.
    pub(crate) async fn import(&self, id: &str) -> RunId {
        self.import_for(&self.organization, id).await
    }

    /// Imports a list for this organization.
    pub(crate) async fn import_for(&self, organization: &OrganizationId, id: &str) -> RunId {
        let request = ImportRequest {
            collections: vec![list(id)],
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        let outcome = self.integration.import(organization, request).await;
        outcome.unwrap().imported.pop().unwrap().run
    }

    pub(crate) fn runner(&self) -> Runner {
        self.runner_with(RunnerOptions::default())
    }

    pub(crate) fn runner_with(&self, options: RunnerOptions) -> Runner {
        Runner::new(
            Arc::new(self.queue.clone()),
            Arc::new(self.store.clone()),
            self.integration.clone(),
            options,
        )
    }

    pub(crate) async fn run(&self, id: &RunId) -> SyncRun {
        self.integration.run(&self.organization, id).await.unwrap()
    }

    /// Waits until the run has ended well.
    pub(crate) async fn succeeds(&self, id: &RunId) -> SyncRun {
        eventually("the run ends", async || {
            !self.run(id).await.status.is_active()
        })
        .await;
        let run = self.run(id).await;
        assert_eq!(run.status, SyncStatus::Success, "{:?}", run.error);
        run
    }

    /// How many jobs have one of these statuses.
    pub(crate) async fn jobs_that_are(&self, status: &str) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM Jobs WHERE status = ?1")
            .bind(status)
            .fetch_one(&self.jobs)
            .await
            .unwrap()
    }

    /// Puts a job into the queue that the store did not put there.
    pub(crate) async fn push_job(&self, payload: &[u8]) {
        sqlx::query(
            "INSERT INTO Jobs (id, job, job_type, status, attempts, max_attempts, run_at, metadata)
             VALUES (?1, ?2, ?3, 'Pending', 0, 1, 0, '{}')",
        )
        .bind(ulid::Ulid::generate().to_string())
        .bind(payload)
        .bind(QUEUE)
        .execute(&self.jobs)
        .await
        .unwrap();
    }

    /// The payload of a run's job.
    pub(crate) fn payload(&self, run: &RunId) -> Vec<u8> {
        format!(
            r#"{{"organizationId":"{}","kind":"PULL","id":"{run}"}}"#,
            self.organization
        )
        .into_bytes()
    }

    /// The members of the run's audience.
    pub(crate) async fn members(&self, run: &SyncRun) -> u64 {
        let mut unit = self.store.read(&self.organization).await.unwrap();
        unit.member_count(&run.audience).await.unwrap()
    }
}

/// Starts a runner on this runtime.
pub(crate) fn start(runner: Runner) -> Working {
    start_until(runner, CancellationToken::new())
}

/// The same, until `stop`.
pub(crate) fn start_until(runner: Runner, stop: CancellationToken) -> Working {
    Working {
        heartbeat: runner.heartbeat(),
        stop: stop.clone(),
        ended: tokio::spawn(runner.run(stop)),
    }
}

/// Waits until this is so. It looks again and again, because no event reports that a row has changed.
pub(crate) async fn eventually(what: &str, is_so: impl AsyncFn() -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    let looking = async {
        while !is_so().await {
            looks.tick().await;
        }
    };
    tokio::time::timeout(EVENT_TIMEOUT, looking)
        .await
        .unwrap_or_else(|_| panic!("it never came to this: {what}"));
}
