//! Queues of other kinds, and queues that fail. Time passes as the tests tell it to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fanfare_jobs::{Listener, Queue, QueueError, Runner, RunnerError, RunnerOptions};
use fanfare_sync::{Integration, Ports};
use fanfare_testkit::clock::{FixedClock, PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::InMemoryStore;
use tokio_util::sync::CancellationToken;

/// Fails after listening for so long, again and again.
struct Failing {
    after: Duration,
    times: Arc<AtomicU32>,
    stop_after: Option<(u32, CancellationToken)>,
}

#[async_trait]
impl Queue for Failing {
    async fn listen(&self, _: &Listener, _: CancellationToken) -> Result<(), QueueError> {
        tokio::time::sleep(self.after).await;
        let times = self.times.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((last, stop)) = &self.stop_after
            && times == *last
        {
            stop.cancel();
        }
        Err(QueueError::Stopped("it does so".to_owned()))
    }

    async fn tidy(&self, _: u32) -> Result<u64, QueueError> {
        Err(QueueError::Stopped("it does so".to_owned()))
    }

    fn reap_interval(&self) -> Duration {
        Duration::from_secs(1)
    }
}

fn runner(queue: Failing) -> Runner {
    let clock = Arc::new(FixedClock::default());
    let store = Arc::new(InMemoryStore::new(clock.clone()));
    let integration = Integration::new(Ports {
        store: store.clone(),
        directory: store.clone(),
        due_runs: store.clone(),
        ledger: store.clone(),
        klaviyo: Arc::new(FakeKlaviyo::default()),
        sealer: Arc::new(PlainSealer),
        clock,
        ids: Arc::new(SeededIds::default()),
    });
    Runner::new(
        Arc::new(queue),
        store,
        integration,
        RunnerOptions::default(),
    )
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_never_recovers_ends_the_runner_with_an_error() {
    let times = Arc::new(AtomicU32::new(0));
    let runner = runner(Failing {
        after: Duration::ZERO,
        times: times.clone(),
        stop_after: None,
    });
    let pulse = runner.pulse();

    let ended = runner.run(CancellationToken::new()).await;

    assert!(matches!(ended, Err(RunnerError::QueueLost(20, _))));
    assert_eq!(times.load(Ordering::SeqCst), 20);
    assert!(!pulse.is_beating());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_fails_now_and_then_is_listened_to_for_ever() {
    let (times, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
    let runner = runner(Failing {
        after: Duration::from_mins(2),
        times: times.clone(),
        stop_after: Some((100, stop.clone())),
    });

    runner.run(stop).await.unwrap();

    assert_eq!(times.load(Ordering::SeqCst), 100);
}
