//! Draining: which answers a worker still waits for after it has to stop.

use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

/// How long a worker that has to stop waits for answers of Klaviyo. With the time to write them, this is shorter
/// than the runner's grace period of 25 seconds: the worker can give the run back, and no lease has to run out.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// The end of the waits of one drain: all of them together take at most [`ANSWER_TIMEOUT`].
#[derive(Default)]
pub(super) struct Drain(Option<Instant>);

impl Drain {
    /// Waits for an answer. `None` if it did not arrive in time after `stop`.
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
        let end = self
            .0
            .get_or_insert_with(|| Instant::now() + ANSWER_TIMEOUT);
        timeout_at(*end, answer).await.ok()
    }
}
