//! Runs that are watched. However many streams follow a run, it is read once for all of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fanfare_domain::ids::{OrganizationId, RunId};
use fanfare_sync::{AnyRun, Error, Integration};
use tokio::sync::watch;

use crate::error::ApiError;

/// How often a run is read: at most four events a second.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// How often it is read that has not changed for some time, because it waits for a worker or for Klaviyo.
const SLOW_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// After how many readings without a change that is: five seconds.
const POLLS_BEFORE_SLOW: u32 = 20;

/// The state of a run that is watched; `None` when it can no longer be read.
pub(crate) type Watched = Option<Arc<AnyRun>>;

/// The runs that are watched in this process. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunWatches(Arc<Mutex<Senders>>);

type Senders = HashMap<(OrganizationId, RunId), watch::Sender<Watched>>;

impl RunWatches {
    /// Follows a run from the state that the caller has just read. The receiver is told of each change until the run
    /// has ended.
    pub(crate) fn follow(
        &self,
        application: &Integration,
        run: &AnyRun,
    ) -> watch::Receiver<Watched> {
        let key = (run.organization().clone(), run.id().clone());
        let mut senders = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match senders.entry(key.clone()) {
            Entry::Occupied(sender) => sender.get().subscribe(),
            Entry::Vacant(free) => {
                let (sender, receiver) = watch::channel(Some(Arc::new(run.clone())));
                free.insert(sender.clone());
                let poll = Poll {
                    watches: self.clone(),
                    application: application.clone(),
                    key,
                    sender,
                };
                tokio::spawn(poll.until_ended());
                receiver
            }
        }
    }
}

/// The one who reads a run for all that follow it.
struct Poll {
    watches: RunWatches,
    application: Integration,
    key: (OrganizationId, RunId),
    sender: watch::Sender<Watched>,
}

impl Poll {
    /// Reads the run until it has ended, can no longer be read, or is followed by no stream.
    async fn until_ended(self) {
        let (organization, run) = &self.key;
        let mut without_change = 0_u32;
        loop {
            let is_slow = without_change >= POLLS_BEFORE_SLOW;
            let interval = if is_slow {
                SLOW_POLL_INTERVAL
            } else {
                POLL_INTERVAL
            };
            tokio::time::sleep(interval).await;
            if self.end_if(|| self.sender.receiver_count() == 0) {
                return;
            }
            let read = match self.application.any_run(organization, run).await {
                Ok(read) => Some(Arc::new(read)),
                // The store is away: it may be back before the callers notice.
                Err(Error::Store(error)) if error.is_transient() => continue,
                Err(error) => {
                    let error = ApiError::from(error);
                    tracing::error!(
                        organizationId = organization.as_str(),
                        runId = run.as_str(),
                        code = error.code(),
                        cause = error.causes(),
                        "a run can no longer be watched"
                    );
                    None
                }
            };
            let is_active = read.as_ref().is_some_and(|run| run.status().is_active());
            let is_changed = self.sender.send_if_modified(|known| {
                let is_changed = *known != read;
                *known = read;
                is_changed
            });
            without_change = if is_changed {
                0
            } else {
                without_change.saturating_add(1)
            };
            if self.end_if(|| !is_active) {
                return;
            }
        }
    }

    /// Takes the run off the watched ones if `is_over`, which is asked while no stream can begin to follow it.
    fn end_if(&self, is_over: impl FnOnce() -> bool) -> bool {
        let senders = self.watches.0.lock();
        let mut senders = senders.unwrap_or_else(PoisonError::into_inner);
        let is_over = is_over();
        if is_over {
            senders.remove(&self.key);
        }
        is_over
    }
}
