//! What a worker that is to stop still waits for.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long it waits for what Klaviyo was asked. With the time to write that it stays within a drain's grace,
/// so that the run is given back and nobody takes the worker for dead.
const ANSWERS: Duration = Duration::from_secs(15);

/// The end of such waits: they have one in common.
#[derive(Default)]
pub(super) struct Drain(Option<Instant>);

impl Drain {
    /// Waits for an answer. `None` if it took too long after `stop`: Klaviyo may take its time.
    pub(super) async fn wait_for<T>(
        &mut self,
        answer: impl Future<Output = T>,
        stop: &CancellationToken,
    ) -> Option<T> {
        let mut answer = pin!(answer);
        tokio::select! {
            biased;
            answer = &mut answer => return Some(answer),
            () = stop.cancelled() => {}
        }
        let end = self.0.get_or_insert_with(|| Instant::now() + ANSWERS);
        timeout_at(*end, answer).await.ok()
    }
}
