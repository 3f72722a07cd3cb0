//! The queue in Postgres, on the cluster that the tests are given.

use std::env;
use std::sync::Arc;

use fanfare_jobs::{PostgresQueue, Queue, Runner, RunnerOptions};
use fanfare_postgres::{JobNotifier, PostgresOptions, PostgresStore, QUEUE, migrate};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, list, profile};
use fanfare_testkit::clock::{PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::support::{TestClock, eventually, start, start_until};

/// A superuser's address of a cluster.
const VARIABLE: &str = "FANFARE_TEST_DATABASE_URL";

#[expect(clippy::disallowed_methods, reason = "where the tests' cluster is")]
pub(crate) fn cluster() -> PgConnectOptions {
    let address = env::var(VARIABLE).unwrap_or_else(|_| {
        panic!("{VARIABLE} is not set: run `cargo xtask test --install`, which provides Postgres")
    });
    address.parse().expect("the address of a cluster")
}

pub(crate) async fn on_cluster(statement: String) {
    let mut connection = cluster().connect().await.expect("the tests' cluster");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut connection)
        .await
        .unwrap();
}

struct World {
    database: String,
    queue: PostgresQueue,
    klaviyo: FakeKlaviyo,
    store: PostgresStore,
    integration: Integration,
    organization: fanfare_domain::ids::OrganizationId,
    jobs: PgPool,
}

/// A store and a Klaviyo account with one list of so many profiles, two on a page.
async fn world(size: usize) -> World {
    let database = format!("fanfare_jobs_{}", Ulid::generate()).to_lowercase();
    on_cluster(format!("CREATE DATABASE {database}")).await;
    let connect = cluster().database(&database);
    let address = SecretString::from(connect.to_url_lossy().to_string());
    migrate(&address, None).await.unwrap();
    PostgresQueue::migrate(&address).await.unwrap();
    let clock = TestClock::new();
    let options = PostgresOptions::at(&address).unwrap();
    let options = options
        .notifier(JobNotifier::Apalis)
        .clock(Arc::new(clock.clone()));
    let store = PostgresStore::open(options).await.unwrap();
    let members = (0..size).map(|n| profile(&format!("p{n}")).email(&format!("p{n}@example.com")));
    let klaviyo = FakeKlaviyo::default()
        .page_size(2)
        .with(list("l0"), "l0", members);
    let ports = Arc::new(store.clone());
    let integration = Integration::new(Ports {
        store: ports.clone(),
        directory: ports.clone(),
        work_queue: ports.clone(),
        ledger: ports.clone(),
        request_limits: ports,
        klaviyo: Arc::new(klaviyo.clone()),
        sealer: Arc::new(PlainSealer),
        clock: Arc::new(clock),
        ids: Arc::new(SeededIds::default()),
    });
    let organization = integration.create_organization("Shop").await.unwrap();
    let organization = organization.organization;
    let connect_key = ConnectRequest {
        api_key: api_key("pk_test"),
        confirm_account_change: false,
    };
    integration
        .connect(&organization, connect_key)
        .await
        .unwrap();
    World {
        database,
        queue: PostgresQueue::new(store.job_pool(2), QUEUE),
        klaviyo,
        store,
        integration,
        organization,
        jobs: PgPoolOptions::new().connect_lazy_with(connect),
    }
}

impl World {
    fn runner(&self) -> Runner {
        Runner::new(
            Arc::new(self.queue.clone()),
            Arc::new(self.store.clone()),
            self.integration.clone(),
            RunnerOptions::default(),
        )
    }

    async fn import(&self) -> fanfare_domain::ids::RunId {
        let request = ImportRequest {
            collections: vec![list("l0")],
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        let imported = self.integration.import(&self.organization, request).await;
        imported.unwrap().imported.pop().unwrap().run
    }

    async fn succeeds(&self, run: &fanfare_domain::ids::RunId) {
        eventually("the run ends well", async || {
            let run = self.integration.run(&self.organization, run).await;
            run.unwrap().status == fanfare_domain::run::SyncStatus::Success
        })
        .await;
    }

    async fn count(&self, what: &'static str) -> i64 {
        let count = sqlx::query_scalar(what).fetch_one(&self.jobs).await;
        count.unwrap()
    }

    async fn jobs(&self, statement: &'static str) {
        sqlx::query(statement).execute(&self.jobs).await.unwrap();
    }

    async fn close(self) {
        self.jobs.close().await;
        self.queue.close().await;
        self.store.close().await;
        on_cluster(format!("DROP DATABASE {} WITH (FORCE)", self.database)).await;
    }
}

const DONE: &str = "SELECT COUNT(*) FROM apalis.jobs WHERE status = 'Done'";
const ALL: &str = "SELECT COUNT(*) FROM apalis.jobs";
const WORKERS: &str = "SELECT COUNT(*) FROM apalis.workers";

#[tokio::test]
async fn a_run_that_the_postgres_store_notifies_of_is_read_given_back_and_finished() {
    let world = world(8).await;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    world
        .klaviyo
        .change_after_pages(1, move |_| stopping.cancel());
    let run = world.import().await;
    start_until(world.runner(), stop).ends().await.unwrap();
    assert_eq!(world.klaviyo.member_calls().len(), 2);

    let working = start(world.runner());
    world.succeeds(&run).await;
    eventually("the job is done", async || world.count(DONE).await == 1).await;
    assert!(working.heartbeat.is_alive());
    working.stop().await;

    assert_eq!(world.klaviyo.member_calls().len(), 4);
    assert_eq!(world.count(ALL).await, 1);
    world.close().await;
}

#[tokio::test]
async fn on_postgres_foreign_payloads_and_a_dead_back_end_stop_no_worker() {
    let world = world(1).await;
    let working = start(world.runner());
    eventually("a worker listens", async || world.count(WORKERS).await == 1).await;
    world
        .jobs(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at,
                priority, metadata)
             SELECT '01ARZ3NDEKTSV4RRFFQ69G5FA' || n, 'klaviyo/work', '\\xff00'::bytea, 'Pending', 0, 1,
                now(), 0, ''
             FROM generate_series(1, 3) n",
        )
        .await;
    eventually("they are done", async || world.count(DONE).await == 3).await;

    // apalis ends a worker that finds its row gone.
    world.jobs("UPDATE apalis.jobs SET lock_by = NULL").await;
    world.jobs("DELETE FROM apalis.workers").await;
    let run = world.import().await;
    world.succeeds(&run).await;

    working.stop().await;
    world.close().await;
}

#[tokio::test]
async fn on_postgres_jobs_that_ended_long_ago_are_deleted_in_batches() {
    let world = world(0).await;
    world
        .jobs(
            "INSERT INTO apalis.workers (id, worker_type, storage_name, layers, last_seen)
             SELECT name, 'klaviyo/work', 's', '', now() - age
             FROM (VALUES ('gone', interval '2 hours'), ('alive', interval '1 second')) w (name, age)",
        )
        .await;
    world
        .jobs(
            "INSERT INTO apalis.jobs (id, job_type, job, status, attempts, max_attempts, run_at,
                priority, metadata, done_at)
             SELECT 'j' || n, 'klaviyo/work', '', 'Done', 1, 1, now(), 0, '',
                now() - n * interval '25 minutes'
             FROM generate_series(1, 5) n",
        )
        .await;

    let mut gone = Vec::new();
    for _ in 0..3 {
        gone.push(world.queue.delete_old_jobs(2).await.unwrap());
    }

    // Two jobs and a worker, a job, nothing.
    assert_eq!(gone, [3, 1, 0]);
    assert_eq!(world.count(ALL).await, 2);
    assert_eq!(world.count(WORKERS).await, 1);
    world.close().await;
}
