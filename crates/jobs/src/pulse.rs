//! Whether the runner lives.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A runner is taken for dead after so long without a heartbeat.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// The heartbeat of a runner: it beats whenever the store answered it. Clones are the same pulse.
#[derive(Debug, Clone, Default)]
pub struct Pulse(Arc<Mutex<Option<Instant>>>);

impl Pulse {
    /// Whether it has beaten within the last half minute.
    pub fn is_beating(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|at| at.elapsed() < LONGEST_SILENCE)
    }

    pub(crate) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_runner_that_is_silent_for_half_a_minute_is_dead() {
        let pulse = Pulse::default();
        assert!(!pulse.is_beating());

        pulse.beat();
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(pulse.is_beating());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!pulse.is_beating());
    }
}
