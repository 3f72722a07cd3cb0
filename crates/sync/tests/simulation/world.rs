//! A store, a Klaviyo, and the use cases between them, with an import queued.

use std::sync::Arc;
use std::time::Duration;

use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_domain::ports::Clock;
use fanfare_domain::work::WorkItem;
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::api_key;
use fanfare_testkit::clock::{PlainSealer, SeededIds, TimerClock};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::InMemoryStore;
use tokio_util::sync::CancellationToken;

use crate::lists::Lists;

/// The most partitions that a list is split into.
pub(crate) const PARTITIONS: usize = 4;

/// How long a lease lasts.
pub(crate) const LEASE: Duration = Duration::from_secs(10);

/// All that one simulation runs on.
pub(crate) struct World {
    pub(crate) clock: TimerClock,
    pub(crate) store: InMemoryStore,
    pub(crate) klaviyo: FakeKlaviyo,
    pub(crate) integration: Integration,
    pub(crate) organization: OrganizationId,
    pub(crate) runs: Vec<RunId>,
}

impl World {
    /// An organization that has connected a Klaviyo with these lists, and queued their import.
    pub(crate) async fn with(lists: &Lists) -> Self {
        let clock = TimerClock::default();
        let store = InMemoryStore::new(Arc::new(clock.clone()));
        let mut klaviyo = FakeKlaviyo::default().page_size(lists.page_size);
        for (list, members) in &lists.collections {
            klaviyo = klaviyo.with(list.clone(), list.id.as_str(), members.clone());
        }
        klaviyo.change(|contents| {
            contents.unknown_joins = lists.unknown_joins;
            contents.refused = lists.refused;
            contents.ids_always_ascend = lists.ids_always_ascend;
            contents.counts_too_many = lists.counts_too_many;
        });
        let integration = Integration::new(Ports {
            store: Arc::new(store.clone()),
            directory: Arc::new(store.clone()),
            work_queue: Arc::new(store.clone()),
            ledger: Arc::new(store.clone()),
            request_limits: Arc::new(store.clone()),
            klaviyo: Arc::new(klaviyo.clone()),
            sealer: Arc::new(PlainSealer),
            clock: Arc::new(clock.clone()),
            ids: Arc::new(SeededIds::default()),
        });
        let organization = integration
            .create_organization("Test organization")
            .await
            .unwrap();
        let organization = organization.organization;
        let connect = ConnectRequest {
            api_key: api_key("pk_simulation"),
            confirm_account_change: false,
        };
        integration.connect(&organization, connect).await.unwrap();
        let request = ImportRequest {
            collections: lists
                .collections
                .iter()
                .map(|(list, _)| list.clone())
                .collect(),
            refresh_interval_seconds: None,
            actor: "key_1".to_owned(),
        };
        let imported = integration.import(&organization, request).await.unwrap();
        Self {
            clock,
            store,
            klaviyo,
            integration,
            organization,
            runs: imported.imported.into_iter().map(|i| i.run).collect(),
        }
    }

    /// An engine whose batches are so small that reconciling takes several.
    pub(crate) fn engine(&self) -> Engine {
        let pace = Pace {
            lease: LEASE,
            slice: Duration::from_secs(10),
            partitions: PARTITIONS,
            batch: 2,
            ..Pace::default()
        };
        Engine::new(self.integration.clone(), pace)
    }

    pub(crate) fn due(&self, run: &RunId) -> WorkItem {
        WorkItem::pull(&self.organization, run)
    }

    /// Works the runs to their end, one after the other.
    pub(crate) async fn work_undisturbed(&self) {
        let stop = CancellationToken::new();
        for run in &self.runs {
            loop {
                match self.engine().work(&self.due(run), &stop).await.unwrap() {
                    SliceEnd::Finished(_) => break,
                    // Many small pages use up the quota of a second.
                    SliceEnd::Paused(until) => self.advance(until.since(self.clock.now())).await,
                    end => panic!("{end:?}"),
                }
            }
        }
    }

    /// Moves the store's clock and the timers forwards.
    pub(crate) async fn advance(&self, by: Duration) {
        tokio::time::advance(by).await;
    }

    /// How many more pages of members the workers asked for than one pass takes.
    pub(crate) fn pages_asked_again(&self, lists: &Lists) -> usize {
        self.klaviyo
            .member_calls()
            .len()
            .saturating_sub(lists.pages())
    }
}
