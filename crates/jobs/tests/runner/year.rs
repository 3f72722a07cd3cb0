//! A year passes, and the tables stay as large as they were after four months.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::{OrganizationId, ProfileId};
use fanfare_domain::ports::{Directory, Lookup, QuotaLedger, RequestLimits, Store, WorkQueue};
use fanfare_domain::run::SyncStatus;
use fanfare_domain::work::WorkItem;
use fanfare_postgres::{PostgresOptions, PostgresStore, migrate};
use fanfare_sqlite::{SqliteOptions, SqliteStore};
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, list, profile};
use fanfare_testkit::clock::{PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, SqlitePool};
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use crate::postgres::{cluster, on_cluster};
use crate::support::TestClock;

const DAY: Duration = Duration::from_hours(24);
const KEPT_FOR: Duration = Duration::from_hours(24 * 90);
const HISTORY_KEPT_FOR: Duration = Duration::from_hours(24 * 100);

/// How many rows each table has.
type Sizes = BTreeMap<String, i64>;

/// An organization whose lists are synced every day.
struct Shop {
    clock: TestClock,
    klaviyo: FakeKlaviyo,
    integration: Integration,
    organization: OrganizationId,
}

impl Shop {
    async fn open<S>(store: S, clock: TestClock) -> Self
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
            .with(list("l1"), "l1", members(1));
        let ports = Arc::new(store);
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
        })
        .keeping_history_for(HISTORY_KEPT_FOR);
        let made = integration.create_organization("Shop").await.unwrap();
        let shop = Self {
            clock,
            klaviyo,
            integration,
            organization: made.organization,
        };
        let key = ConnectRequest {
            api_key: api_key("pk_test"),
            confirm_account_change: false,
        };
        let connected = shop.integration.connect(&shop.organization, key).await;
        connected.unwrap();
        let request = ImportRequest {
            collections: vec![list("l0"), list("l1")],
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        let imported = shop.integration.import(&shop.organization, request).await;
        for imported in imported.unwrap().imported {
            shop.work(&imported.run).await;
        }
        shop
    }

    async fn work(&self, run: &fanfare_domain::ids::RunId) {
        let engine = Engine::new(self.integration.clone(), Pace::default());
        let work = WorkItem::pull(&self.organization, run);
        let end = engine.work(&work, &CancellationToken::new()).await;
        assert!(matches!(
            end.unwrap(),
            SliceEnd::Finished(SyncStatus::Success)
        ));
    }

    /// A day: every audience is synced, a name has changed, somebody is in the list two days of five, and what
    /// has expired is deleted.
    async fn pass_day(&self, day: u32) {
        self.clock.skip(DAY);
        self.klaviyo.change(|contents| {
            let (_, members) = contents.collections.get_mut(&list("l0")).unwrap();
            let (id, at) = (members[0].id.to_string(), i64::from(day));
            let renamed = profile(&id).email(&format!("{id}@example.com"));
            let name = ["Ada", "Bo"][day as usize % 2];
            members[0] = renamed.first_name(name).updated(at).build();
            members.retain(|member| member.id.as_str() != "now and then");
            if matches!(day % 5, 1 | 2) {
                let comes_and_goes = profile("now and then").email("now.and.then@example.com");
                members.push(comes_and_goes.build());
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
            let started = self.integration.sync_audience(of, id, false).await;
            self.work(&started.unwrap().run).await;
            match record.source.collection.id.as_str() {
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
    async fn pass_year(&self, sizes: impl AsyncFn() -> Sizes) {
        for day in 1..=120 {
            self.pass_day(day).await;
        }
        let after_four_months = sizes().await;
        for day in 121..=365 {
            self.pass_day(day).await;
        }
        let after_a_year = sizes().await;

        assert_eq!(after_a_year, after_four_months);
        // A hundred days have twenty leavings, and the snapshot has one.
        assert_eq!(after_a_year["ended_memberships"], 21);
        assert_eq!(after_a_year["snapshots"], 1);
        let runs = after_a_year["sync_runs"];
        // And the two that stay of the archived audience are one.
        assert!((90..=93).contains(&runs), "{runs} runs");
        assert_eq!(after_a_year["audience_list_memberships"], 3);
        assert!(after_a_year["sync_issues"] >= 180, "{after_a_year:?}");
    }
}

#[tokio::test]
async fn a_year_leaves_the_tables_of_sqlite_flat() {
    let folder = tempfile::tempdir().unwrap();
    let clock = TestClock::new();
    let options = SqliteOptions::at(folder.path().join("store.db"));
    let store = SqliteStore::open(options, Arc::new(clock.clone()));
    let store = store.await.unwrap();
    let pool = SqlitePool::connect_with(store.connect_options())
        .await
        .unwrap();

    let shop = Shop::open(store, clock).await;
    shop.pass_year(async || {
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        )
        .fetch_all(&pool)
        .await
        .unwrap();
        let mut sizes = Sizes::new();
        for table in tables {
            let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let count = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
            sizes.insert(table, count);
        }
        sizes
    })
    .await;
}

#[tokio::test]
async fn a_year_leaves_the_tables_of_postgres_flat() {
    let database = format!("fanfare_year_{}", Ulid::generate()).to_lowercase();
    on_cluster(format!("CREATE DATABASE {database}")).await;
    let connect = cluster().database(&database);
    let address = SecretString::from(sqlx::ConnectOptions::to_url_lossy(&connect).to_string());
    migrate(&address, None).await.unwrap();
    let clock = TestClock::new();
    let options = PostgresOptions::at(&address).unwrap();
    let store = PostgresStore::open(options.clock(Arc::new(clock.clone())));
    let store = store.await.unwrap();
    let pool = sqlx::PgPool::connect_with(connect).await.unwrap();

    let shop = Shop::open(store.clone(), clock).await;
    shop.pass_year(async || {
        let tables: Vec<String> =
            sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
                .fetch_all(&pool)
                .await
                .unwrap();
        let mut sizes = Sizes::new();
        for table in tables {
            let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            let count = sqlx::query_scalar(count).fetch_one(&pool).await.unwrap();
            sizes.insert(table, count);
        }
        sizes
    })
    .await;
    drop(shop);
    store.close().await;
    pool.close().await;
    on_cluster(format!("DROP DATABASE {database} WITH (FORCE)")).await;
}
