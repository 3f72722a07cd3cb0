//! What a runner does in addition to listening: it notifies workers of due work, starts scheduled syncs, mends the queue
//! of due work, and deletes what is old.

use std::convert::Infallible;
use std::time::Duration;

use fanfare_domain::ports::WorkQueue;
use fanfare_sync::{Error, Expired, Integration, QueueMended, ReadBack};
use ulid::Ulid;

use crate::heartbeat::Heartbeat;
use crate::queue::{Queue, QueueError};

/// The most notifications of one look for due work. The next look follows soon.
const MAX_NOTIFICATIONS: u32 = 200;

/// The most rows that one statement deletes.
const MAX_DELETED: u32 = 500;

/// How often old jobs are deleted, and how long a deletion may take.
const DELETION_INTERVAL: Duration = Duration::from_mins(1);

/// How long after a round over the organizations' queues the next one begins.
const MENDING_INTERVAL: Duration = Duration::from_mins(1);

/// How long after a round of deleting what is kept for a time only the next one begins.
const RETENTION_INTERVAL: Duration = Duration::from_hours(1);

/// How often it is looked whether it is time for a look at sent events.
const READ_BACK_INTERVAL: Duration = Duration::from_secs(30);

/// How many organizations are looked at without a pause, and how long the pause is, so that a round over many
/// thousands takes no more of the database than a round over a few hundred.
const ORGANIZATIONS: u32 = 100;
const WINDOW_PAUSE: Duration = Duration::from_secs(1);

/// Notifies workers of due work that is leased to no worker, once at the start and then after each interval.
pub(crate) async fn reap(
    work_queue: &dyn WorkQueue,
    interval: Duration,
    heartbeat: &Heartbeat,
) -> Infallible {
    let mut is_unavailable = false;
    loop {
        match work_queue.notify(MAX_NOTIFICATIONS).await {
            Ok(notified) => {
                heartbeat.reaper_answered();
                if notified > 0 {
                    metrics::counter!("fanfare_rings_total").increment(notified);
                    tracing::debug!(notified, "workers were notified of due work");
                }
                if is_unavailable {
                    tracing::info!("due work can be looked for again");
                }
                is_unavailable = false;
                measure(work_queue).await;
            }
            // Logged once, and not in every second in which the store is not available.
            Err(error) if !is_unavailable => {
                is_unavailable = true;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "due work cannot be looked for; trying on"
                );
            }
            Err(_) => {}
        }
        tokio::time::sleep(jittered(interval)).await;
    }
}

/// Starts the scheduled syncs that are due, once at the start and then after each interval.
pub(crate) async fn start_due_syncs(integration: &Integration, interval: Duration) -> Infallible {
    let mut is_unavailable = false;
    loop {
        match integration.start_due_syncs().await {
            // There may be more.
            Ok(due) if due > 0 => {
                tracing::debug!(due, "scheduled syncs were started");
                continue;
            }
            Ok(_) => is_unavailable = false,
            // Logged once, and not in every second in which the store is not available.
            Err(error) if !is_unavailable => {
                is_unavailable = true;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "due audiences cannot be looked for; trying on"
                );
            }
            Err(_) => {}
        }
        tokio::time::sleep(jittered(interval)).await;
    }
}

/// Updates the metric of the backlog. If the store does not answer, the metric keeps its value until the next
/// look.
async fn measure(work_queue: &dyn WorkQueue) {
    if let Ok(backlog) = work_queue.backlog().await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge of runs")]
        metrics::gauge!("fanfare_backlog_runs").set(backlog as f64);
    }
}

/// Deletes jobs that have ended, which apalis would never delete.
pub(crate) async fn delete_old_jobs(queue: &dyn Queue) -> Infallible {
    loop {
        let deleted =
            tokio::time::timeout(DELETION_INTERVAL, queue.delete_old_jobs(MAX_DELETED)).await;
        match deleted.unwrap_or(Err(QueueError::Timeout(DELETION_INTERVAL))) {
            // There may be more.
            Ok(count) if count >= u64::from(MAX_DELETED) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "old jobs could not be deleted"
            ),
        }
        tokio::time::sleep(jittered(DELETION_INTERVAL)).await;
    }
}

/// Goes from organization to organization, mends the queue of due work and the schedules, and brings the index of
/// searches on, once at the start and then a minute after each round.
pub(crate) async fn mend_queues(integration: &Integration) -> Infallible {
    loop {
        if let Err(error) = mend_all(integration).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the queue of due work could not be compared with the runs; trying again soon"
            );
        }
        tokio::time::sleep(jittered(MENDING_INTERVAL)).await;
    }
}

/// One round over all organizations. An organization whose rows cannot be read does not keep the others from
/// their turn.
async fn mend_all(integration: &Integration) -> Result<(), Error> {
    let mut after = None;
    loop {
        let window = integration
            .organizations(ORGANIZATIONS, after.as_ref())
            .await?;
        for organization in &window {
            match integration.mend_queue(&organization.id).await {
                Ok(mended) if mended == QueueMended::default() => {}
                Ok(mended) => tracing::warn!(
                    organizationId = %organization.id,
                    queued = mended.queued,
                    dequeued = mended.dequeued,
                    "the queue of due work was mended: active runs without a place, places without \
                     an active run"
                ),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => tracing::warn!(
                    organizationId = %organization.id,
                    error = &error as &dyn std::error::Error,
                    "an organization's queue of due work could not be mended"
                ),
            }
            match integration.mend_schedules(&organization.id).await {
                Ok(0) => {}
                Ok(changed) => tracing::warn!(
                    organizationId = %organization.id,
                    changed,
                    "the schedules of an organization's audiences were mended"
                ),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => tracing::warn!(
                    organizationId = %organization.id,
                    error = &error as &dyn std::error::Error,
                    "the schedules of an organization's audiences could not be mended"
                ),
            }
            match integration.index_search(&organization.id, u32::MAX).await {
                Ok(()) => {}
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => tracing::warn!(
                    organizationId = %organization.id,
                    error = &error as &dyn std::error::Error,
                    "an organization's index of searches could not be brought on"
                ),
            }
        }
        after = window.last().map(|organization| organization.id.clone());
        if window.len() < ORGANIZATIONS as usize {
            return Ok(());
        }
        tokio::time::sleep(WINDOW_PAUSE).await;
    }
}

/// Goes from organization to organization and deletes what is kept for a time only, once at the start and then an
/// hour after each round.
pub(crate) async fn delete_expired(integration: &Integration, kept_for: Duration) -> Infallible {
    loop {
        if let Err(error) = delete_all_expired(integration, kept_for).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "old runs could not be deleted; trying again later"
            );
        }
        tokio::time::sleep(jittered(RETENTION_INTERVAL)).await;
    }
}

/// One round over all organizations, and over the quotas.
async fn delete_all_expired(integration: &Integration, kept_for: Duration) -> Result<(), Error> {
    let mut after = None;
    loop {
        let window = integration
            .organizations(ORGANIZATIONS, after.as_ref())
            .await?;
        for organization in &window {
            match integration.delete_expired(&organization.id, kept_for).await {
                Ok(deleted) if deleted == Expired::default() => {}
                Ok(deleted) => tracing::info!(
                    organizationId = %organization.id,
                    runs = deleted.runs,
                    members = deleted.members,
                    history = deleted.history,
                    deliveries = deleted.deliveries,
                    events = deleted.events,
                    "old runs, members of archived audiences, old history, deliveries and keys of events were deleted"
                ),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => tracing::warn!(
                    organizationId = %organization.id,
                    error = &error as &dyn std::error::Error,
                    "an organization's old runs could not be deleted"
                ),
            }
        }
        after = window.last().map(|organization| organization.id.clone());
        if window.len() < ORGANIZATIONS as usize {
            break;
        }
        tokio::time::sleep(WINDOW_PAUSE).await;
    }
    integration.delete_unused_quotas(kept_for).await.map(drop)
}

/// Looks in Klaviyo for some of the events that it has taken, after each interval.
pub(crate) async fn read_back(integration: &Integration) -> Infallible {
    loop {
        tokio::time::sleep(jittered(READ_BACK_INTERVAL)).await;
        let ReadBack { shown, missing } = integration.read_back().await;
        metrics::counter!("fanfare_events_read_back_total", "found" => "yes").increment(shown);
        metrics::counter!("fanfare_events_read_back_total", "found" => "no").increment(missing);
    }
}

/// The interval, up to a quarter longer or shorter, so that processes that were started together do not look
/// at the same moment.
fn jittered(interval: Duration) -> Duration {
    let random = u32::try_from(Ulid::generate().random() % 1_000).unwrap_or_default();
    interval * 3 / 4 + interval / 2_000 * random
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
