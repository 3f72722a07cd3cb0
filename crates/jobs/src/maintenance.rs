//! What a runner does beside listening, for as long as it lives.

use std::convert::Infallible;
use std::time::Duration;

use fanfare_domain::ports::DueRuns;
use ulid::Ulid;

use crate::heartbeat::Heartbeat;
use crate::queue::{Queue, QueueError};

/// Runs rung for at once at most. The next look comes soon.
const RINGS: u32 = 200;

/// Rows tidied away at once.
const TIDIED: u32 = 500;

const TIDY_INTERVAL: Duration = Duration::from_mins(1);

/// Rings for runs that nobody works on although they are due, the first time at once.
pub(crate) async fn reap(
    due_runs: &dyn DueRuns,
    interval: Duration,
    heartbeat: &Heartbeat,
) -> Infallible {
    let mut is_away = false;
    loop {
        match due_runs.notify(RINGS).await {
            Ok(rung) => {
                heartbeat.reaper_answered();
                if rung > 0 {
                    metrics::counter!("fanfare_rings_total").increment(rung);
                    tracing::debug!(rung, "rang for due runs");
                }
                if is_away {
                    tracing::info!("due runs can be looked for again");
                }
                is_away = false;
                measure(due_runs).await;
            }
            // Once, and not each second that the store is away.
            Err(error) if !is_away => {
                is_away = true;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "due runs cannot be looked for; trying on"
                );
            }
            Err(_) => {}
        }
        tokio::time::sleep(jittered(interval)).await;
    }
}

/// The gauge is left as it was if the store does not answer: the next look will tell.
async fn measure(due_runs: &dyn DueRuns) {
    if let Ok(backlog) = due_runs.backlog().await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge of runs")]
        metrics::gauge!("fanfare_backlog_runs").set(backlog as f64);
    }
}

/// Deletes what is over from the queue, which apalis would keep for ever.
pub(crate) async fn tidy(queue: &dyn Queue) -> Infallible {
    loop {
        let tidied = tokio::time::timeout(TIDY_INTERVAL, queue.tidy(TIDIED)).await;
        match tidied.unwrap_or(Err(QueueError::Silent(TIDY_INTERVAL))) {
            // There is more.
            Ok(gone) if gone >= u64::from(TIDIED) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "old jobs could not be deleted"
            ),
        }
        tokio::time::sleep(jittered(TIDY_INTERVAL)).await;
    }
}

/// Up to a quarter more or less, so that processes that were started together spread.
fn jittered(interval: Duration) -> Duration {
    let dice = u32::try_from(Ulid::generate().random() % 1_000).unwrap_or_default();
    interval * 3 / 4 + interval / 2_000 * dice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_differ_by_a_quarter_at_most() {
        let second = Duration::from_secs(1);
        let drawn: Vec<Duration> = (0..100).map(|_| jittered(second)).collect();

        assert!(drawn.iter().all(|at| at.abs_diff(second) <= second / 4));
        assert!(drawn.iter().any(|at| *at != drawn[0]));
    }
}
