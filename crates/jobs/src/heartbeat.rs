//! The heartbeat: whether the runner is alive.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// How long a runner counts as alive after its last heartbeat.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(30);

/// The heartbeat of a runner. Two parts of it record a beat whenever the store has answered them: the queue,
/// which receives jobs, and the reaper, which notifies of work whose notification was lost. Clones share the
/// heartbeat.
#[derive(Debug, Clone, Default)]
pub struct Heartbeat {
    queue: LastBeat,
    reaper: LastBeat,
}

#[derive(Debug, Clone)]
struct LastBeat(watch::Sender<Option<Instant>>);

impl Heartbeat {
    /// Whether both parts have recorded a beat within the last 30 seconds.
    pub fn is_alive(&self) -> bool {
        self.queue.is_alive() && self.reaper.is_alive()
    }

    /// Waits for the first beat of both parts: the runner works from then on.
    pub async fn started(&self) {
        self.queue.started().await;
        self.reaper.started().await;
    }

    /// Waits until the queue has recorded no beat for `limit`.
    pub(crate) async fn queue_stopped(&self, limit: Duration) {
        let mut beats = self.queue.0.subscribe();
        while tokio::time::timeout(limit, beats.changed()).await.is_ok() {}
    }

    pub(crate) fn queue_answered(&self) {
        self.queue.beat();
    }

    pub(crate) fn reaper_answered(&self) {
        self.reaper.beat();
    }
}

impl Default for LastBeat {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl LastBeat {
    fn beat(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    fn is_alive(&self) -> bool {
        self.0
            .borrow()
            .is_some_and(|at| at.elapsed() < HEARTBEAT_TIMEOUT)
    }

    async fn started(&self) {
        // It can fail only if the sender was dropped, and `self` holds it.
        let _ = self.0.subscribe().wait_for(Option::is_some).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_runner_is_dead_when_either_part_has_not_beaten_for_half_a_minute() {
        let heartbeat = Heartbeat::default();
        assert!(!heartbeat.is_alive());
        heartbeat.queue_answered();
        assert!(!heartbeat.is_alive());
        heartbeat.reaper_answered();
        assert!(heartbeat.is_alive());

        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(heartbeat.is_alive());
        heartbeat.reaper_answered();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!heartbeat.is_alive());
        heartbeat.queue_answered();
        assert!(heartbeat.is_alive());
    }

    #[tokio::test]
    async fn a_runner_has_started_when_both_parts_have() {
        let heartbeat = Heartbeat::default();
        let beats = async {
            heartbeat.queue_answered();
            tokio::task::yield_now().await;
            heartbeat.reaper_answered();
        };

        tokio::join!(heartbeat.started(), beats);

        assert!(heartbeat.is_alive());
    }
}
