//! Queues without apalis that fail. The tests' time is paused and moves only as they wait.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use fanfare_jobs::{Listener, Queue, QueueError, Runner, RunnerError, RunnerOptions};
use fanfare_sync::{Integration, Ports};
use fanfare_testkit::clock::{FixedClock, PlainSealer, SeededIds};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;
use fanfare_testkit::memory::InMemoryStore;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A queue that fails each time after it has listened for this long.
struct Failing {
    after: Duration,
    times: Arc<AtomicU32>,
    stop_after: Option<(u32, CancellationToken)>,
}

#[async_trait]
impl Queue for Failing {
    async fn listen(&self, listener: &Listener, _: CancellationToken) -> Result<(), QueueError> {
        let beat = async {
            loop {
                tokio::time::sleep(Duration::from_secs(10)).await;
                listener.beat();
            }
        };
        tokio::time::timeout(self.after, beat).await.ok();
        let times = self.times.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some((last, stop)) = &self.stop_after
            && times == *last
        {
            stop.cancel();
        }
        Err(QueueError::Stopped("it does so".to_owned()))
    }

    async fn delete_old_jobs(&self, _: u32) -> Result<u64, QueueError> {
        Err(QueueError::Stopped("it does so".to_owned()))
    }

    fn reap_interval(&self) -> Duration {
        Duration::from_secs(1)
    }
}

/// A queue that records one heartbeat and then neither another one nor its end.
struct WithoutHeartbeat {
    listened_at: mpsc::UnboundedSender<Instant>,
}

#[async_trait]
impl Queue for WithoutHeartbeat {
    async fn listen(&self, listener: &Listener, _: CancellationToken) -> Result<(), QueueError> {
        listener.beat();
        self.listened_at.send(Instant::now()).unwrap();
        pending().await
    }

    async fn delete_old_jobs(&self, _: u32) -> Result<u64, QueueError> {
        pending().await
    }

    fn reap_interval(&self) -> Duration {
        Duration::from_secs(1)
    }
}

fn runner(queue: impl Queue + 'static) -> Runner {
    let clock = Arc::new(FixedClock::default());
    let store = Arc::new(InMemoryStore::new(clock.clone()));
    let integration = Integration::new(Ports {
        store: store.clone(),
        directory: store.clone(),
        work_queue: store.clone(),
        ledger: store.clone(),
        request_limits: store.clone(),
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
    let heartbeat = runner.heartbeat();

    let ended = runner.run(CancellationToken::new()).await;

    assert!(matches!(ended, Err(RunnerError::QueueLost(20, _))));
    assert_eq!(times.load(Ordering::SeqCst), 20);
    assert!(!heartbeat.is_alive());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_fails_sometimes_is_listened_to_again_each_time() {
    let (times, stop) = (Arc::new(AtomicU32::new(0)), CancellationToken::new());
    let runner = runner(Failing {
        after: Duration::from_mins(2),
        times: times.clone(),
        stop_after: Some((100, stop.clone())),
    });

    runner.run(stop).await.unwrap();

    assert_eq!(times.load(Ordering::SeqCst), 100);
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_a_heartbeat_is_listened_to_again() {
    let (listened_at, mut listens) = mpsc::unbounded_channel();
    let runner = runner(WithoutHeartbeat { listened_at });
    let stop = CancellationToken::new();
    let working = tokio::spawn(runner.run(stop.clone()));

    let first = listens.recv().await.unwrap();
    let second = listens.recv().await.unwrap();

    let timeout = RunnerOptions::default().heartbeat_timeout;
    assert!(second - first >= timeout, "{:?}", second - first);
    stop.cancel();
    working.await.unwrap().unwrap();
}
