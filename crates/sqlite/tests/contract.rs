//! The store keeps the contract, on real files: each handle has connections of its own, as another
//! process would.

use std::sync::Arc;
use std::time::Duration;

use apalis_sqlite::SqliteStorage;
use async_trait::async_trait;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::Clock;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_sqlite::{JobNotifier, SqliteOptions, SqliteStore};
use fanfare_testkit::clock::FixedClock;
use fanfare_testkit::contract::{Handle, StoreHarness};
use fanfare_testkit::store_contract;
use sqlx::SqlitePool;
use tempfile::TempDir;

struct OnFile {
    clock: FixedClock,
    handles: [Handle; 2],
    jobs: SqlitePool,
    _folder: TempDir,
}

impl OnFile {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = FixedClock::default();
        let path = folder.path().join("store.db");
        let open = async || {
            let options = SqliteOptions::at(&path).notifier(JobNotifier::Apalis);
            let clock = Arc::new(clock.clone());
            SqliteStore::open(options, clock).await.unwrap()
        };
        let (here, there) = (open().await, open().await);
        let jobs = SqlitePool::connect_with(here.connect_options())
            .await
            .unwrap();
        SqliteStorage::<()>::migrations().run(&jobs).await.unwrap();
        Self {
            clock,
            handles: [Handle::of(here), Handle::of(there)],
            jobs,
            _folder: folder,
        }
    }
}

#[async_trait]
impl StoreHarness for OnFile {
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

    /// As a worker would: a job that was taken waits no longer.
    async fn notifications(&self) -> Option<Vec<WorkItem>> {
        let jobs: Vec<(String, String)> = sqlx::query_as(
            "UPDATE Jobs SET status = 'Done' WHERE status = 'Pending'
             RETURNING job ->> 'organizationId', job ->> 'id'",
        )
        .fetch_all(&self.jobs)
        .await
        .unwrap();
        let due = |(organization, run): (String, String)| {
            WorkItem::pull(
                &OrganizationId::parse(organization).expect("an id"),
                &RunId::parse(run).expect("an id"),
            )
        };
        Some(jobs.into_iter().map(due).collect())
    }
}

store_contract!(OnFile::new().await);
