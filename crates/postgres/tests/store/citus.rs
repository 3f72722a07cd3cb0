//! The document on scaling, carried out: its SQL as it stands there, on a real Citus.
//!
//! `FANFARE_TEST_CITUS_URL` is a superuser's address of a coordinator that has nodes. Each test makes a
//! database of its own on all of them, and drops it.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use apalis_postgres::PostgresStorage;
use async_trait::async_trait;
use fanfare_domain::page::{keys, plan};
use fanfare_domain::ports::{Clock, PageWrite};
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_postgres::{JobNotifier, PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::build;
use fanfare_testkit::clock::{FixedClock, SeededIds};
use fanfare_testkit::contract::{Handle, StoreHarness, every_case};
use fanfare_testkit::seen::seen_index;
use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, PgPool, Row};
use ulid::Ulid;

use crate::contract::take_notifications;
use crate::database::Database;
use crate::isolation;
use crate::statements::{Statement, statements};
use crate::support::{Fixture, org, store, store_on};
use crate::tables;

const VARIABLE: &str = "FANFARE_TEST_CITUS_URL";

/// Of the databases' maintenance database: roles belong to the whole cluster, and one test changes them at a time.
const ROLES_LOCK: &str = "SELECT pg_advisory_lock(7231)";

const DOCUMENT: &str = include_str!("../../../../docs/SCALING.md");

/// The document's block that distributes the tables.
fn block() -> &'static str {
    let blocks = DOCUMENT.split("```sql\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    blocks
        .find(|block| block.contains("create_distributed_table"))
        .expect("the document says how the tables are distributed")
}

/// A database on a coordinator and its nodes, made as the document says.
struct Cluster {
    coordinator: Database,
    nodes: Vec<Database>,
}

impl Cluster {
    /// `None`, and a line that says so, where no coordinator is given.
    #[expect(clippy::disallowed_methods, reason = "where the tests' coordinator is")]
    async fn of_the_document() -> Option<Self> {
        let Ok(address) = env::var(VARIABLE) else {
            println!("skipped: {VARIABLE} names no Citus coordinator");
            return None;
        };
        let server: PgConnectOptions = address.parse().expect("a coordinator's address");
        let mut maintenance = server.connect().await.expect("a coordinator");
        let places: Vec<(String, i32, i32)> = sqlx::query_as(
            "SELECT nodename, nodeport, groupid FROM pg_dist_node WHERE isactive ORDER BY nodeid",
        )
        .fetch_all(&mut maintenance)
        .await
        .expect("a coordinator with the extension");
        let name = format!("fanfare_test_{}", Ulid::generate()).to_lowercase();
        let coordinator = Database::create_at(server.clone(), &name, "").await;
        let mut nodes = Vec::new();
        for (host, port, _) in places.iter().filter(|(_, _, group)| *group != 0) {
            let port = u16::try_from(*port).expect("a port");
            nodes.push(Database::create_at(server.clone().host(host).port(port), &name, "").await);
        }
        assert!(!nodes.is_empty(), "{VARIABLE}: a coordinator without nodes");
        for database in nodes.iter().chain([&coordinator]) {
            database.execute("CREATE EXTENSION citus").await;
        }
        let mut superuser = coordinator.connect_options().connect().await.unwrap();
        for (host, port, group) in &places {
            let join = if *group == 0 {
                "SELECT citus_set_coordinator_host($1, $2)"
            } else {
                "SELECT citus_add_node($1, $2)"
            };
            let join = sqlx::query(join).bind(host).bind(port);
            join.execute(&mut superuser).await.unwrap();
        }
        maintenance.execute(ROLES_LOCK).await.unwrap();
        migrate(&coordinator.address(), None).await.unwrap();
        sqlx::raw_sql(block())
            .execute(&mut superuser)
            .await
            .expect("the document's block");
        maintenance.close().await.unwrap();
        superuser.close().await.unwrap();
        Some(Self { coordinator, nodes })
    }

    /// The programs' address: they log in as the role that the document has given a login.
    fn programs(&self) -> SecretString {
        self.coordinator.address_as("fanfare_app", "change-me")
    }

    /// A store on it, and its other servers.
    async fn store() -> Option<(Fixture, Vec<Database>)> {
        let cluster = Self::of_the_document().await?;
        let programs = cluster.programs();
        let fixture = store_on(cluster.coordinator, &programs, JobNotifier::None).await;
        Some((fixture, cluster.nodes))
    }
}

/// Empties all tables of what programs write, those that refer to others first. `TRUNCATE` would make each shard's files anew.
const EMPTY: &str = "
    DELETE FROM sync_issues; DELETE FROM run_seen_profiles; DELETE FROM run_seen_pages;
    DELETE FROM audience_list_memberships;
    DELETE FROM outboxes; DELETE FROM deliveries; DELETE FROM delivery_counts; DELETE FROM inbound_events;
    DELETE FROM webhook_secrets; DELETE FROM event_settings; DELETE FROM contact_settings; DELETE FROM contacts;
    DELETE FROM kept_lists; DELETE FROM list_ledger; DELETE FROM push_runs; DELETE FROM push_settings;
    DELETE FROM ended_memberships; DELETE FROM snapshots;
    DELETE FROM link_moves; DELETE FROM profile_links; DELETE FROM consumers;
    DELETE FROM search_sections; DELETE FROM search_blocks; DELETE FROM search_places;
    DELETE FROM search_pending; DELETE FROM erased_people; DELETE FROM erasure_keys;
    DELETE FROM klaviyo_connections; DELETE FROM sync_runs; DELETE FROM audiences;
    DELETE FROM sync_sources; DELETE FROM work_queue; DELETE FROM last_claims; DELETE FROM schedules;
    DELETE FROM quota_buckets; DELETE FROM request_counts; DELETE FROM check_counts; DELETE FROM api_keys; DELETE FROM organizations;
    DELETE FROM meta WHERE name <> 'search_rules';
    DELETE FROM apalis.jobs";

/// What needs no cluster: a migration that adds a table is followed by the document.
#[tokio::test]
async fn the_document_distributes_every_table_of_organizations() {
    let fixture = store().await;
    let tables = tables::of_organizations(&fixture.database.pool()).await;
    for table in &tables {
        for statement in [
            "create_distributed_table",
            "truncate_local_data_after_distributing_table",
        ] {
            let text = format!("SELECT {statement}('{table}'");
            assert_eq!(block().matches(&text).count(), 1, "{text}");
        }
        let emptied = format!("DELETE FROM {table};");
        assert!(EMPTY.contains(&emptied), "{emptied}");
    }
    assert_eq!(
        block().matches("create_distributed_table(").count(),
        tables.len()
    );
}

/// The cluster emptied for the next case of the contract.
struct Emptied {
    clock: FixedClock,
    handles: [Handle; 2],
    jobs: PgPool,
}

impl Emptied {
    async fn new(programs: &SecretString, jobs: &PgPool) -> Self {
        sqlx::raw_sql(EMPTY).execute(jobs).await.unwrap();
        let clock = FixedClock::default();
        let open = async || {
            let options = PostgresOptions::at(programs).unwrap();
            let options = options.notifier(JobNotifier::Apalis);
            let options = options.clock(Arc::new(clock.clone()));
            PostgresStore::open(options).await.unwrap()
        };
        let (here, there) = (open().await, open().await);
        Self {
            clock,
            handles: [Handle::of(here), Handle::of(there)],
            jobs: jobs.clone(),
        }
    }
}

#[async_trait]
impl StoreHarness for Emptied {
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

/// Whether a case passes. One that fails has said why, and the next one is run.
async fn passes(mut case: Pin<Box<dyn Future<Output = ()> + '_>>) -> bool {
    std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| case.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(true),
            Err(_) => Poll::Ready(false),
        }
    })
    .await
}

#[tokio::test]
async fn the_documents_cluster_keeps_every_sentence_of_the_contract() {
    let Some(cluster) = Cluster::of_the_document().await else {
        return;
    };
    let jobs = cluster.coordinator.pool();
    PostgresStorage::migrations().run(&jobs).await.unwrap();
    let mut failed = Vec::new();
    for (name, case) in every_case() {
        let harness = Emptied::new(&cluster.programs(), &jobs).await;
        if !passes(case(&harness)).await {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[tokio::test]
async fn the_documents_cluster_keeps_organizations_apart_on_every_node() {
    let Some((fixture, nodes)) = Cluster::store().await else {
        return;
    };
    isolation::fill(&fixture).await;
    isolation::nothing_shows_without_an_organization(&fixture).await;
    // Citus refuses both before a node could.
    isolation::no_row_is_given_away(&fixture, "0A000").await;
    isolation::the_organization_is_forgotten(&fixture).await;
    isolation::each_unit_sees_its_own_organization(&fixture).await;
    let mut on_nodes = 0;
    for node in &nodes {
        let address = node.connect_options();
        let mut superuser = address.connect().await.unwrap();
        let mut programs = address.username("fanfare_app").connect().await.unwrap();
        // Shards, which a connection of a client's does not see otherwise.
        for connection in [&mut superuser, &mut programs] {
            let show = "SET citus.override_table_visibility = off";
            connection.execute(show).await.unwrap();
        }
        for shard in shards(&mut superuser).await {
            on_nodes += count(&mut superuser, &shard).await;
            assert_eq!(count(&mut programs, &shard).await, 0, "{shard}");
        }
    }
    let all: i64 = count(
        &mut fixture.database.connect_options().connect().await.unwrap(),
        "consumers",
    )
    .await;
    assert!(
        all > 0 && all == on_nodes,
        "{on_nodes} of {all} are on nodes"
    );
    isolation::no_other_rows_change_without_the_filter(&fixture).await;
}

/// The shards of the consumers on a node.
async fn shards(node: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        r"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^consumers_\d+$'",
    )
    .fetch_all(node)
    .await
    .unwrap()
}

async fn count(connection: &mut PgConnection, table: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")))
        .fetch_one(connection)
        .await
        .unwrap()
}

/// Row counts that Citus adds up wrongly would make `membersAdded` lie.
#[tokio::test]
async fn on_the_documents_cluster_a_page_says_how_many_became_members() {
    let Some((fixture, _nodes)) = Cluster::store().await else {
        return;
    };
    let run = fixture.queue(&org("org_a"), "list1").await;
    let profile = |n| {
        let email = format!("e{n}@example.com");
        build::profile(&format!("p{n}")).email(&email).build()
    };
    let page: Vec<_> = (0..100).map(profile).collect();
    let now = fixture.clock.now();
    for want in [100, 0] {
        let (emails, profiles) = keys(&page);
        let mut unit = fixture.begin(&run.organization).await;
        let seen = seen_index(unit.as_mut(), &run.id).await.unwrap();
        let known = unit.known(&run.id, &seen, &emails, &profiles);
        let known = known.await.unwrap();
        let plan = plan(&page, known, now, now, &SeededIds::default());
        let write = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            first_seen_page: seen.last_page() + 1,
            now,
        };
        assert_eq!(unit.write_page(write).await.unwrap(), want);
        unit.commit().await.unwrap();
    }
    let mut unit = fixture.read(&run.organization).await;
    assert_eq!(unit.member_count(&run.audience).await.unwrap(), 100);
}

#[tokio::test]
async fn on_the_documents_cluster_every_statement_on_organizations_is_one_task_on_one_shard() {
    let Some((fixture, _nodes)) = Cluster::store().await else {
        return;
    };
    let tenant = tables::of_organizations(&fixture.database.pool()).await;
    let pool = fixture.store.pool(1);
    for statement in statements() {
        if !statement
            .tables()
            .iter()
            .any(|table| tenant.contains(*table))
        {
            continue;
        }
        let plan = explain(&pool, &statement).await;
        let is_one_task = plan.contains("Task Count: 1")
            && !plan.contains("Distributed Subplan")
            && !plan.contains("INSERT ... SELECT");
        assert!(is_one_task, "{plan}\nof {}", statement.text);
    }
}

async fn explain(pool: &PgPool, statement: &Statement) -> String {
    let mut tx = pool.begin().await.unwrap();
    let statements = format!(
        "DEALLOCATE ALL; {}; EXPLAIN (COSTS OFF) {}",
        statement.prepare(),
        statement.execute("org_a")
    );
    sqlx::raw_sql("SET LOCAL fanfare.organization_id = 'org_a'")
        .execute(&mut *tx)
        .await
        .unwrap();
    let lines = tx.fetch_all(sqlx::raw_sql(AssertSqlSafe(statements))).await;
    let lines = lines.unwrap();
    let lines: Vec<String> = lines.iter().map(|line| line.get(0)).collect();
    lines.join("\n")
}
