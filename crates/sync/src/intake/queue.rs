//! Webhooks that wait to be written, by organization.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanfare_domain::events::{Envelope, InboundKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::ports::StoreError;
use fanfare_domain::time::Timestamp;
use tokio::sync::oneshot;

use super::accepting::keys_of;
use crate::error::Error;
use crate::integration::Integration;

/// The most events that one unit writes: a few milliseconds.
const AT_ONCE: usize = 200;

/// The most events of an organization that wait in a process. Fanfare sends again what finds no place.
const MOST_WAITING: usize = 2_000;

/// An event that has come, and waits to be written.
pub(super) struct Arrival {
    pub(super) envelope: Envelope,
    pub(super) keys: Vec<InboundKey>,
    pub(super) received_at: Timestamp,
    /// Takes whether it had come before.
    done: oneshot::Sender<Result<bool, Error>>,
}

/// The queues of a process. Clones are the same.
#[derive(Clone, Default)]
pub(crate) struct IntakeQueues(Arc<Mutex<HashMap<OrganizationId, VecDeque<Arrival>>>>);

impl IntakeQueues {
    /// Has an event written, and returns whether it had come before.
    pub(super) async fn submit(
        &self,
        integration: &Integration,
        organization: &OrganizationId,
        envelope: Envelope,
        received_at: Timestamp,
    ) -> Result<bool, Error> {
        let (done, answer) = oneshot::channel();
        let arrival = Arrival {
            keys: keys_of(&envelope),
            envelope,
            received_at,
            done,
        };
        let is_first = {
            let mut queues = self.locked();
            let is_first = !queues.contains_key(organization);
            let queue = queues.entry(organization.clone()).or_default();
            if queue.len() >= MOST_WAITING {
                return Err(Error::IntakeBusy);
            }
            queue.push_back(arrival);
            is_first
        };
        if is_first {
            // A task of its own: this call may be dropped while others wait.
            let queue = Emptying {
                queues: self.clone(),
                organization: organization.clone(),
            };
            tokio::spawn(queue.empty(integration.clone()));
        }
        let gone = |_| Error::Store(StoreError::Unavailable("the intake has stopped".into()));
        answer.await.map_err(gone)?
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<OrganizationId, VecDeque<Arrival>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that writes an organization's events while there are any.
struct Emptying {
    queues: IntakeQueues,
    organization: OrganizationId,
}

impl Emptying {
    async fn empty(self, integration: Integration) {
        while let Some(arrivals) = self.next() {
            let accepted = integration.accept(&self.organization, &arrivals).await;
            match accepted {
                Ok(duplicates) => {
                    for (arrival, duplicate) in arrivals.into_iter().zip(duplicates) {
                        // A caller that is gone has lost its answer: Fanfare sends the event again.
                        let _ = arrival.done.send(Ok(duplicate));
                    }
                }
                // One of them may be what the store refuses: it costs itself.
                Err(error) if !error.is_transient() && arrivals.len() > 1 => {
                    for arrival in arrivals {
                        let one = std::slice::from_ref(&arrival);
                        let accepted = integration.accept(&self.organization, one).await;
                        let duplicate = accepted.map(|duplicates| duplicates.contains(&true));
                        let _ = arrival.done.send(duplicate);
                    }
                }
                Err(error) => {
                    for arrival in arrivals {
                        let _ = arrival.done.send(Err(alike(&error)));
                    }
                }
            }
        }
    }

    /// The next events; `None`, and the queue is gone, if there are none.
    fn next(&self) -> Option<Vec<Arrival>> {
        let mut queues = self.queues.locked();
        let queue = queues.get_mut(&self.organization)?;
        if queue.is_empty() {
            queues.remove(&self.organization);
            return None;
        }
        let number = queue.len().min(AT_ONCE);
        Some(queue.drain(..number).collect())
    }
}

impl Drop for Emptying {
    /// If the task is dropped or panics, whoever waits is told, and the next event has a task of its own.
    fn drop(&mut self) {
        self.queues.locked().remove(&self.organization);
    }
}

/// The error for another one of those whom it concerns.
fn alike(error: &Error) -> Error {
    let text = error.to_string();
    Error::Store(if error.is_transient() {
        StoreError::Unavailable(text.into())
    } else {
        StoreError::Refused(text.into())
    })
}
