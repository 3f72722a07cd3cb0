//! Many short waits with no page in between: a run that waits keeps its lease.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fanfare_domain::ports::{Clock, KlaviyoError};
use fanfare_domain::quota::RetryAfter;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_sync::engine::{Engine, Pace, SliceEnd};
use fanfare_sync::{ConnectRequest, ImportRequest, Integration, Ports};
use fanfare_testkit::build::{api_key, at, list, profile};
use fanfare_testkit::clock::{PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::InMemoryStore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A clock that goes with the timers, and two milliseconds further each time it is read, as on a busy machine:
/// when a wait of one second begins, a little of that second is over already.
struct BusyClock {
    begun: Instant,
    reads: AtomicU64,
}

impl Clock for BusyClock {
    fn now(&self) -> Timestamp {
        let reads = self.reads.fetch_add(1, Ordering::SeqCst);
        at(0).plus(self.begun.elapsed() + Duration::from_millis(2 * reads))
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_a_second_again_and_again_keeps_its_lease() {
    let clock = Arc::new(BusyClock {
        begun: Instant::now(),
        reads: AtomicU64::new(0),
    });
    let store = InMemoryStore::new(clock.clone());
    let members = [profile("P1").email("a@example.com")];
    let klaviyo = FakeKlaviyo::default().with(list("RtPqXs"), "Newsletter", members);
    let integration = Integration::new(Ports {
        store: Arc::new(store.clone()),
        directory: Arc::new(store.clone()),
        work_queue: Arc::new(store.clone()),
        ledger: Arc::new(store.clone()),
        klaviyo: Arc::new(klaviyo.clone()),
        sealer: Arc::new(PlainSealer),
        clock,
        ids: Arc::new(SeededIds::default()),
    });
    let organization = integration
        .create_organization("Test organization")
        .await
        .unwrap();
    let organization = organization.organization;
    let connect = ConnectRequest {
        api_key: api_key("pk_short_waits"),
        confirm_account_change: false,
    };
    integration.connect(&organization, connect).await.unwrap();
    let request = ImportRequest {
        collections: vec![list("RtPqXs")],
        actor: "key_1".to_owned(),
    };
    let imported = integration.import(&organization, request).await.unwrap();
    let due = WorkItem::pull(&organization, &imported.imported[0].run);
    let wait = Some(KlaviyoError::Throttled(RetryAfter::Seconds(1)));
    klaviyo.fail_members(vec![wait; 12]);
    let pace = Pace {
        lease: Duration::from_secs(3),
        ..Pace::default()
    };

    let stop = CancellationToken::new();
    let end = Engine::new(integration, pace).work(&due, &stop).await;

    assert_eq!(end.unwrap(), SliceEnd::Finished(SyncStatus::Success));
}
