//! A store on a database of its own, a clock that tests move, and short ways to fill it.

use std::sync::Arc;

use apalis_postgres::PostgresStorage;
use fanfare_domain::audience::Audience;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::page::{PagePlan, keys, plan};
use fanfare_domain::ports::{Clock, Ids, PageWrite, Store, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::run::{SourceRun, SyncRun};
use fanfare_domain::source::CollectionSource;
use fanfare_domain::work::WorkKey;
use fanfare_postgres::{JobNotifier, PostgresOptions, PostgresStore, migrate};
use fanfare_testkit::build;
use fanfare_testkit::clock::{FixedClock, SeededIds};
use fanfare_testkit::seen::seen_index;
use secrecy::SecretString;
use sqlx::PgPool;

use crate::database::Database;

pub(crate) use fanfare_testkit::build::organization_id as org;

pub(crate) struct Fixture {
    pub(crate) clock: FixedClock,
    pub(crate) store: PostgresStore,
    ids: SeededIds,
    // Dropped last: it ends connections that are still open.
    pub(crate) database: Database,
}

pub(crate) async fn store() -> Fixture {
    store_with(JobNotifier::None).await
}

pub(crate) async fn store_with(notifier: JobNotifier) -> Fixture {
    let database = Database::create().await;
    migrate(&database.address(), None).await.unwrap();
    let address = database.address();
    store_on(database, &address, notifier).await
}

/// A store on a database that was migrated, through the login of this address.
pub(crate) async fn store_on(
    database: Database,
    address: &SecretString,
    notifier: JobNotifier,
) -> Fixture {
    let clock = FixedClock::default();
    let options = PostgresOptions::at(address).unwrap();
    let options = options.notifier(notifier).clock(Arc::new(clock.clone()));
    let store = PostgresStore::open(options).await.unwrap();
    Fixture {
        clock,
        store,
        ids: SeededIds::default(),
        database,
    }
}

/// A store that notifies workers through apalis's queue, and a superuser's connections.
pub(crate) async fn with_apalis() -> (Fixture, PgPool) {
    let fixture = store_with(JobNotifier::Apalis).await;
    let pool = fixture.database.pool();
    PostgresStorage::migrations().run(&pool).await.unwrap();
    (fixture, pool)
}

impl Fixture {
    pub(crate) async fn begin(&self, organization: &OrganizationId) -> Box<dyn UnitOfWork> {
        self.store.begin(organization).await.unwrap()
    }

    pub(crate) async fn read(&self, organization: &OrganizationId) -> Box<dyn UnitOfWork> {
        self.store.read(organization).await.unwrap()
    }

    /// A queued run of a list, whose source and audience are made if they are not there.
    pub(crate) async fn queue(&self, organization: &OrganizationId, list: &str) -> SyncRun {
        let source = Self::source(list);
        let run = self.run(organization, &source);
        let mut unit = self.begin(organization).await;
        unit.put_source(&source).await.unwrap();
        unit.put_audience(&Self::audience(&source)).await.unwrap();
        unit.insert_run(&run).await.unwrap();
        let work = WorkKey::pull(&run.run().id);
        unit.enqueue(&work).await.unwrap();
        unit.commit().await.unwrap();
        run.into_parts().0
    }

    pub(crate) fn run(&self, organization: &OrganizationId, of: &CollectionSource) -> SourceRun {
        build::run(&RunId::new(self.ids.ulid()), organization, of)
    }

    pub(crate) fn source(list: &str) -> CollectionSource {
        let audience = build::audience_id(&format!("aud_{list}"));
        build::source(&format!("sync_{list}"), build::list(list), &audience)
    }

    pub(crate) fn audience(of: &CollectionSource) -> Audience {
        build::audience(&of.audience, &of.id)
    }

    /// Takes a page as the engine does.
    pub(crate) async fn take(&self, run: &SyncRun, page: &[Profile]) -> PagePlan {
        let now = self.clock.now();
        let (emails, profiles) = keys(page);
        let mut unit = self.begin(&run.organization).await;
        let seen = seen_index(unit.as_mut(), &run.id).await.unwrap();
        let known = unit.known(&run.id, &seen, &emails, &profiles);
        let known = known.await.unwrap();
        let plan = plan(page, known, now, now, &self.ids);
        let write = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            first_seen_page: seen.last_page() + 1,
            now,
        };
        unit.write_page(write).await.unwrap();
        unit.commit().await.unwrap();
        plan
    }
}
