//! A store in a temporary folder, a clock that tests move, and short ways to fill it.

use std::sync::Arc;

use fanfare_domain::audience::Audience;
use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::{Ids, Store, UnitOfWork};
use fanfare_domain::run::{SourceRun, SyncRun};
use fanfare_domain::source::CollectionSource;
use fanfare_domain::work::WorkKey;
use fanfare_sqlite::{JobNotifier, SqliteOptions, SqliteStore};
use fanfare_testkit::build;
use fanfare_testkit::clock::{FixedClock, SeededIds};
use tempfile::TempDir;

pub(crate) use fanfare_testkit::build::organization_id as org;

pub(crate) fn clock() -> Arc<FixedClock> {
    Arc::default()
}

pub(crate) struct Fixture {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) store: SqliteStore,
    ids: SeededIds,
}

pub(crate) async fn store() -> Fixture {
    store_with(JobNotifier::None).await
}

pub(crate) async fn store_with(notifier: JobNotifier) -> Fixture {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let options = SqliteOptions::at(folder.path().join("store.db")).notifier(notifier);
    let store = SqliteStore::open(options, clock.clone()).await.unwrap();
    Fixture {
        folder,
        clock,
        store,
        ids: SeededIds::default(),
    }
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
}
