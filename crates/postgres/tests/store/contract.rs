//! Every sentence of the stores' contract, on two sets of connections, as two processes have.

use std::sync::Arc;
use std::time::Duration;

use apalis_postgres::PostgresStorage;
use async_trait::async_trait;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::Clock;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_postgres::{JobNotifier, PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::clock::FixedClock;
use fanfare_testkit::contract::{Handle, StoreHarness};
use fanfare_testkit::store_contract;
use sqlx::PgPool;

use crate::database::Database;

struct OnPostgres {
    clock: FixedClock,
    handles: [Handle; 2],
    jobs: PgPool,
    _database: Database,
}

impl OnPostgres {
    async fn new() -> Self {
        let database = Database::create().await;
        migrate(&database.address(), None).await.unwrap();
        let jobs = database.pool();
        PostgresStorage::migrations().run(&jobs).await.unwrap();
        let clock = FixedClock::default();
        let open = async || {
            let options = PostgresOptions::at(&database.address()).unwrap();
            let options = options.notifier(JobNotifier::Apalis);
            let options = options.clock(Arc::new(clock.clone()));
            PostgresStore::open(options).await.unwrap()
        };
        let (here, there) = (open().await, open().await);
        Self {
            clock,
            handles: [Handle::of(here), Handle::of(there)],
            jobs,
            _database: database,
        }
    }
}

#[async_trait]
impl StoreHarness for OnPostgres {
    fn handles(&self) -> &[Handle; 2] {
        &self.handles
    }

    async fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn set_back(&self, by: Duration) {
        self.clock.set_back(by);
    }

    async fn notifications(&self) -> Option<Vec<WorkItem>> {
        Some(take_notifications(&self.jobs).await)
    }
}

/// As a worker would: a job that was taken waits no longer.
pub(crate) async fn take_notifications(jobs: &PgPool) -> Vec<WorkItem> {
    let jobs: Vec<(String, String)> = sqlx::query_as(
        "UPDATE apalis.jobs SET status = 'Done' WHERE status = 'Pending'
             RETURNING convert_from(job, 'UTF8')::json ->> 'organizationId',
                convert_from(job, 'UTF8')::json ->> 'id'",
    )
    .fetch_all(jobs)
    .await
    .unwrap();
    let due = |(organization, run): (String, String)| {
        WorkItem::pull(
            &OrganizationId::parse(organization).expect("an id"),
            &RunId::parse(run).expect("an id"),
        )
    };
    jobs.into_iter().map(due).collect()
}

store_contract!(OnPostgres::new().await);
