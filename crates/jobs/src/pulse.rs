//! Whether the runner lives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A runner is taken for dead after so long without a heartbeat.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// The heartbeat of a runner. It has two chambers: the queue, which hears rings, and the reaper, which
/// rings for what was lost; each beats when the store has answered it. Clones are the same pulse.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    queue: Chamber,
    reaper: Chamber,
}

#[derive(Debug, Clone, Default)]
struct Chamber(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// Whether both have beaten within the last half minute.
    pub fn is_beating(&self) -> bool {
        self.queue.is_beating() && self.reaper.is_beating()
    }

    pub(crate) fn queue_answered(&self) {
        self.queue.beat();
    }

    pub(crate) fn reaper_answered(&self) {
        self.reaper.beat();
    }
}

impl Chamber {
    fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn is_beating(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|at| at.elapsed() < LONGEST_SILENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_runner_is_dead_when_either_half_is_silent_for_half_a_minute() {
        let pulse = Pulse::default();
        assert!(!pulse.is_beating());
        pulse.queue_answered();
        assert!(!pulse.is_beating());
        pulse.reaper_answered();
        assert!(pulse.is_beating());

        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(pulse.is_beating());
        pulse.reaper_answered();
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!pulse.is_beating());
        pulse.queue_answered();
        assert!(pulse.is_beating());
    }
}
