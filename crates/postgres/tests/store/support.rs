//! A store in a database of its own, a clock that tests move, and short ways to fill it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use fanfare_domain::audience::Audience;
use fanfare_domain::ids::{AudienceId, CollectionId, OrganizationId, ProfileId, RunId, SourceId};
use fanfare_domain::page::{PagePlan, keys, plan};
use fanfare_domain::ports::{Clock, Ids, PageWrite, Store, UnitOfWork};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::run::{NewRun, SyncRun, SyncStatus, Trigger};
use fanfare_domain::source::{CollectionKind, CollectionRef, CollectionSource, SourceData};
use fanfare_domain::time::Timestamp;
use fanfare_postgres::{Doorbell, PostgresOptions, PostgresStore, migrate};
use ulid::Ulid;

use crate::database::Database;

/// Stands still until it is moved.
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0
            .store(self.now().plus(by).as_micros(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub(crate) fn clock() -> Arc<TestClock> {
    let start = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
    Arc::new(TestClock(AtomicI64::new(start.as_micros())))
}

/// Ids that grow.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Ids for Counter {
    fn ulid(&self) -> Ulid {
        Ulid::from_parts(1, u128::from(self.0.fetch_add(1, Ordering::SeqCst)))
    }
}

pub(crate) struct Fixture {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) store: PostgresStore,
    pub(crate) ids: Counter,
    pub(crate) database: Database,
}

pub(crate) async fn store() -> Fixture {
    store_with(Doorbell::None).await
}

pub(crate) async fn store_with(doorbell: Doorbell) -> Fixture {
    let (database, clock) = (Database::create().await, clock());
    migrate(&database.address(), None).await.unwrap();
    let options = PostgresOptions::at(&database.address()).unwrap();
    let options = options.doorbell(doorbell).clock(clock.clone());
    let store = PostgresStore::open(options).await.unwrap();
    Fixture {
        clock,
        store,
        ids: Counter::default(),
        database,
    }
}

pub(crate) fn org(text: &str) -> OrganizationId {
    OrganizationId::parse(text).unwrap()
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
        let source = self.source(list);
        let run = self.run(organization, &source);
        let mut unit = self.begin(organization).await;
        unit.put_source(&source).await.unwrap();
        unit.put_audience(&self.audience(&source)).await.unwrap();
        unit.enqueue(&run).await.unwrap();
        unit.commit().await.unwrap();
        run
    }

    pub(crate) fn run(&self, organization: &OrganizationId, of: &CollectionSource) -> SyncRun {
        let new = NewRun {
            id: RunId::new(self.ids.ulid()),
            organization: organization.clone(),
            source: of.id.clone(),
            audience: of.audience.clone(),
            trigger: Trigger::Import,
            confirm_removals: false,
        };
        SyncRun::queued(new, self.clock.now())
    }

    pub(crate) fn source(&self, list: &str) -> CollectionSource {
        CollectionSource {
            id: SourceId::parse(format!("sync_{list}")).unwrap(),
            collection: CollectionRef {
                kind: CollectionKind::List,
                id: CollectionId::parse(list).unwrap(),
            },
            audience: AudienceId::parse(format!("aud_{list}")).unwrap(),
            status: SyncStatus::Pending,
            last_synced_at: None,
            data: SourceData::default(),
            created_at: self.clock.now(),
            created_by: "key_test".to_owned(),
            updated_at: None,
            archived: false,
        }
    }

    pub(crate) fn audience(&self, of: &CollectionSource) -> Audience {
        Audience {
            id: of.audience.clone(),
            source: of.id.clone(),
            name: of.collection.id.to_string(),
            named_by_hand: false,
            description: None,
            icon_name: None,
            metadata: None,
            group_id: None,
            group_name: None,
            group_type: None,
            last_refreshed_at: None,
            refresh_interval_seconds: None,
            created_at: self.clock.now(),
            created_by: "key_test".to_owned(),
            updated_at: None,
            updated_by: None,
            archived: false,
        }
    }

    /// Takes a page as the engine does. Returns its plan, and how many became members.
    pub(crate) async fn take(&self, run: &SyncRun, page: &[Profile]) -> (PagePlan, u64) {
        let now = self.clock.now();
        let (emails, profiles) = keys(page);
        let mut unit = self.begin(&run.organization).await;
        let known = unit.known(&run.id, &emails, &profiles).await.unwrap();
        let plan = plan(page, known, now, now, &self.ids);
        let write = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            now,
        };
        let added = unit.write_page(write).await.unwrap();
        unit.commit().await.unwrap();
        (plan, added)
    }

    /// Ends a run in success.
    pub(crate) async fn finish(&self, run: &mut SyncRun) {
        let now = self.clock.now();
        run.claim(false, now).unwrap();
        run.succeed(now).unwrap();
        let mut unit = self.begin(&run.organization).await;
        unit.save_run(run).await.unwrap();
        unit.commit().await.unwrap();
    }
}

/// A profile with an e-mail, where it is not empty, and a first name.
pub(crate) fn profile(id: &str, email: &str, name: &str) -> Profile {
    let text = |text: &str| match text {
        "" => Attribute::Absent,
        text => Attribute::text(text),
    };
    Profile {
        id: ProfileId::parse(id).unwrap(),
        email: text(email),
        phone: Attribute::Absent,
        first_name: text(name),
        last_name: Attribute::Absent,
        updated: Timestamp::parse("2026-01-01T00:00:00Z"),
        joined_at: None,
    }
}
