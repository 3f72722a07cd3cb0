//! A year passes, and the tables stay as large as they were after four months.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::{OrganizationId, ProfileId};
use fanfare_domain::ports::{
    Clock, Directory, Lookup, QuotaLedger, RequestLimits, Store, WorkQueue,
};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::work::WorkItem;
use fanfare_jobs::{PostgresQueue, Queue, SqliteQueue};
use fanfare_postgres::{PostgresOptions, PostgresStore, migrate};
use fanfare_sqlite::{SqliteOptions, SqliteStore};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, list, profile};
use fanfare_testkit::clock::{PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, PgPool, SqlitePool};
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::postgres::{cluster, on_cluster};
use crate::support::TestClock;

const DAY: Duration = Duration::from_hours(24);
const KEPT_FOR: Duration = Duration::from_hours(24 * 90);
const HISTORY_KEPT_FOR: Duration = Duration::from_hours(24 * 100);

/// How many rows each table has.
type Sizes = BTreeMap<String, i64>;

/// The tables of a store and of its job queue.
enum Tables {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Tables {
    async fn sizes(&self) -> Sizes {
        let names = match self {
            Self::Sqlite(pool) => {
                let names = "SELECT name FROM sqlite_schema
                    WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
                sqlx::query_scalar(names).fetch_all(pool).await
            }
            Self::Postgres(pool) => {
                let names = "SELECT schemaname || '.' || tablename FROM pg_tables
                    WHERE schemaname IN ('public', 'apalis')";
                sqlx::query_scalar(names).fetch_all(pool).await
            }
        };
        let names: Vec<String> = names.unwrap();
        let mut sizes = Sizes::new();
        for name in names {
            let count = AssertSqlSafe(format!("SELECT count(*) FROM {name}"));
            let count = match self {
                Self::Sqlite(pool) => sqlx::query_scalar(count).fetch_one(pool).await,
                Self::Postgres(pool) => sqlx::query_scalar(count).fetch_one(pool).await,
            };
            let name = name.trim_start_matches("public.").to_owned();
            sizes.insert(name, count.unwrap());
        }
        sizes
    }

    /// Ends all jobs as apalis does, and lets the time pass for which they are kept: it is counted by the database's clock,
    /// which no test can move. Returns how many there were.
    async fn end_jobs(&self) -> u64 {
        match self {
            Self::Sqlite(pool) => {
                let end =
                    "UPDATE Jobs SET status = 'Done', done_at = strftime('%s', 'now') - 9999999";
                sqlx::query(end)
                    .execute(pool)
                    .await
                    .unwrap()
                    .rows_affected()
            }
            Self::Postgres(pool) => {
                let end =
                    "UPDATE apalis.jobs SET status = 'Done', done_at = now() - interval '99 days'";
                sqlx::query(end)
                    .execute(pool)
                    .await
                    .unwrap()
                    .rows_affected()
            }
        }
    }
}

/// An organization with two lists that are synced by hand every day, and two that sync by themselves every day. In one of
/// each somebody comes and goes.
struct Shop {
    clock: TestClock,
    klaviyo: FakeKlaviyo,
    integration: Integration,
    work_queue: Arc<dyn WorkQueue>,
    organization: OrganizationId,
    tables: Tables,
    jobs: Arc<dyn Queue>,
}

impl Shop {
    async fn open<S>(store: S, clock: TestClock, tables: Tables, jobs: Arc<dyn Queue>) -> Self
    where
        S: Store + Directory + WorkQueue + QuotaLedger + RequestLimits + 'static,
    {
        let members = |list: usize| {
            (0..4).map(move |n| {
                let id = format!("l{list}p{n}");
                profile(&id).email(&format!("{id}@example.com"))
            })
        };
        let broken = profile("broken").email("no address").phone("none");
        let klaviyo = FakeKlaviyo::default()
            .page_size(2)
            .with(list("l0"), "l0", members(0).chain([broken]))
            .with(list("l1"), "l1", members(1))
            .with(list("l2"), "l2", members(2))
            .with(list("l3"), "l3", members(3));
        let ports = Arc::new(store);
        let integration = Integration::new(Ports {
            store: ports.clone(),
            directory: ports.clone(),
            work_queue: ports.clone(),
            ledger: ports.clone(),
            request_limits: ports.clone(),
            klaviyo: Arc::new(klaviyo.clone()),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        })
        .keeping_history_for(HISTORY_KEPT_FOR);
        let made = integration.create_organization("Shop").await.unwrap();
        let shop = Self {
            clock,
            klaviyo,
            integration,
            work_queue: ports,
            organization: made.organization,
            tables,
            jobs,
        };
        let key = ConnectRequest {
            api_key: api_key("pk_test"),
            confirm_account_change: false,
        };
        let connected = shop.integration.connect(&shop.organization, key).await;
        connected.unwrap();
        shop.import(["l0", "l1"], None).await;
        let seconds = u32::try_from(DAY.as_secs()).unwrap();
        shop.import(["l2", "l3"], Some(seconds)).await;
        shop
    }

    async fn import(&self, lists: [&str; 2], refresh_interval_seconds: Option<u32>) {
        let request = ImportRequest {
            collections: lists.map(list).to_vec(),
            refresh_interval_seconds,
            actor: "key_1".to_owned(),
        };
        let imported = self.integration.import(&self.organization, request).await;
        for imported in imported.unwrap().imported {
            self.work(&imported.run).await;
        }
    }

    /// A day, which is the interval of the continuous audiences: each is synced once, and its job ends and is deleted.
    async fn pass_interval(&self) {
        self.clock.skip(DAY);
        while self.integration.start_due_syncs().await.unwrap() > 0 {}
        let mut runs = 0;
        while let Some(next) = self.work_queue.next().await.unwrap() {
            self.work(&next.work.key.id.as_run()).await;
            runs += 1;
        }
        assert_eq!(runs, 2, "each continuous audience is synced once");
        assert!(self.tables.end_jobs().await >= 2, "workers were notified");
        self.jobs.delete_old_jobs(500).await.unwrap();
    }

    async fn work(&self, run: &fanfare_domain::ids::RunId) {
        // Klaviyo takes one request for a count in a second, and a run would really wait for that.
        self.clock.skip(Duration::from_secs(1));
        let engine = Engine::new(self.integration.clone(), Pace::default());
        let work = WorkItem::pull(&self.organization, run);
        loop {
            let end = engine.work(&work, &CancellationToken::new()).await;
            match end.unwrap() {
                SliceEnd::Finished(SyncStatus::Success) => return,
                SliceEnd::Yielded => {}
                // Klaviyo takes one request for a count in a second.
                SliceEnd::Paused(until) => {
                    let wait = until.since(self.clock.now());
                    self.clock.skip(wait + Duration::from_secs(1));
                }
                end => panic!("the run cannot be worked: {end:?}"),
            }
        }
    }

    /// A day: every audience is synced, a name has changed, somebody is in two of the lists two days of five, and what
    /// has expired is deleted.
    async fn pass_day(&self, day: u32) {
        self.pass_interval().await;
        self.klaviyo.change(|contents| {
            let (_, members) = contents.collections.get_mut(&list("l0")).unwrap();
            let (id, at) = (members[0].id.to_string(), i64::from(day));
            let renamed = profile(&id).email(&format!("{id}@example.com"));
            let name = ["Ada", "Bo"][day as usize % 2];
            members[0] = renamed.first_name(name).updated(at).build();
            for changing in ["l0", "l2"] {
                let (_, members) = contents.collections.get_mut(&list(changing)).unwrap();
                members.retain(|member| member.id.as_str() != "now and then");
                if matches!(day % 5, 1 | 2) {
                    let comes_and_goes = profile("now and then").email("now.and.then@example.com");
                    members.push(comes_and_goes.build());
                }
            }
        });
        let page = fanfare_domain::paging::PageRequest {
            first: 100,
            after: None,
        };
        let of = &self.organization;
        let audiences = self.integration.audiences(of, &page).await.unwrap();
        for record in audiences.items {
            let id = &record.audience.id;
            if record.audience.refresh_interval_seconds.is_some() {
                continue;
            }
            let started = self.integration.sync_audience(of, id, false).await;
            self.work(&started.unwrap().run).await;
            match record.source.unwrap().collection.id.as_str() {
                "l0" if day == 12 => {
                    let taken = self.integration.take_snapshot(of, id, "Kept").await;
                    assert_eq!(taken.unwrap().members, 5);
                }
                "l1" if day == 10 => {
                    let archived = self.integration.archive_audience(of, id, "key_1").await;
                    archived.unwrap();
                }
                _ => {}
            }
        }
        if day == 20 {
            let by_profile = Lookup::Profile(ProfileId::parse("l0p1").unwrap());
            let found = self.integration.lookup_consumers(of, &by_profile).await;
            let id = found.unwrap()[0].consumer.id.clone();
            self.integration.erase_consumer(of, &id).await.unwrap();
        }
        self.integration.delete_expired(of, KEPT_FOR).await.unwrap();
        self.integration
            .delete_unused_quotas(KEPT_FOR)
            .await
            .unwrap();
    }

    /// Lets a year pass, and fails unless the tables are as large after it as after four months.
    async fn pass_year(&self) {
        for day in 1..=120 {
            self.pass_day(day).await;
        }
        let after_four_months = self.tables.sizes().await;
        for day in 121..=365 {
            self.pass_day(day).await;
        }
        let after_a_year = self.tables.sizes().await;

        assert_eq!(after_a_year, after_four_months);
        // A hundred days have twenty leavings from each of two lists, and the snapshot has one.
        assert_eq!(after_a_year["ended_memberships"], 41);
        assert_eq!(after_a_year["snapshots"], 1);
        let runs = after_a_year["sync_runs"];
        // One a day by hand, and the two that stay of the archived audience are one. Of the continuous audience in which somebody
        // comes and goes, the two in five days that found it, and the latest; of the quiet one the latest.
        assert!((128..=131).contains(&runs), "{runs} runs");
        assert_eq!(after_a_year["audience_list_memberships"], 11);
        assert!(after_a_year["sync_issues"] >= 180, "{after_a_year:?}");
        assert_eq!(after_a_year["schedules"], 2);
        let jobs = after_a_year
            .iter()
            .filter(|(name, _)| name.to_lowercase().ends_with("jobs"));
        assert!(
            jobs.map(|(_, rows)| *rows).sum::<i64>() <= 4,
            "{after_a_year:?}"
        );
    }
}

#[tokio::test]
async fn a_year_leaves_the_tables_of_sqlite_flat() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let options = SqliteOptions::at(folder.path().join("store.db"));
    let options = options.notifier(fanfare_sqlite::JobNotifier::Apalis);
    let store = SqliteStore::open(options, Arc::new(clock.clone()));
    let store = store.await.unwrap();
    let jobs = SqliteQueue::open(store.connect_options(), fanfare_sqlite::QUEUE);
    let jobs = Arc::new(jobs.await.unwrap());
    let pool = SqlitePool::connect_with(store.connect_options());
    let tables = Tables::Sqlite(pool.await.unwrap());

    let shop = Shop::open(store, clock, tables, jobs).await;
    shop.pass_year().await;
}

#[tokio::test]
async fn a_year_leaves_the_tables_of_postgres_flat() {
    let database = format!("fanfare_year_{}", Ulid::generate()).to_lowercase();
    on_cluster(format!("CREATE DATABASE {database}")).await;
    let connect = cluster().database(&database);
    let address = SecretString::from(sqlx::ConnectOptions::to_url_lossy(&connect).to_string());
    migrate(&address, None).await.unwrap();
    PostgresQueue::migrate(&address).await.unwrap();
    let clock = TestClock::new();
    let options = PostgresOptions::at(&address).unwrap();
    let options = options.notifier(fanfare_postgres::JobNotifier::Apalis);
    let store = PostgresStore::open(options.clock(Arc::new(clock.clone())));
    let store = store.await.unwrap();
    let jobs = PostgresQueue::new(store.job_pool(2), fanfare_postgres::QUEUE);
    let pool = PgPool::connect_with(connect).await.unwrap();

    let tables = Tables::Postgres(pool.clone());
    let shop = Shop::open(store.clone(), clock, tables, Arc::new(jobs.clone())).await;
    shop.pass_year().await;
    drop(shop);
    jobs.close().await;
    store.close().await;
    pool.close().await;
    on_cluster(format!("DROP DATABASE {database} WITH (FORCE)")).await;
}
