//! Webhooks that wait to be written, by organization.

use fanfare_domain::events::{Envelope, InboundKey};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::time::Timestamp;
use tokio::sync::oneshot;

use super::accepting::keys_of;
use crate::batch_queue::{BatchQueues, Batches, alike, gone};
use crate::error::Error;
use crate::integration::Integration;

/// The most events that one unit writes: a few milliseconds.
const AT_ONCE: usize = 200;

/// The most events of an organization that wait in a process. Fanfare sends again what finds no place.
const MOST_WAITING: usize = 2_000;

/// An event that has come, and waits to be written.
pub(crate) struct Arrival {
    pub(super) envelope: Envelope,
    pub(super) keys: Vec<InboundKey>,
    pub(super) received_at: Timestamp,
    /// Takes whether it had come before.
    done: oneshot::Sender<Result<bool, Error>>,
}

/// The queues of a process.
pub(crate) type IntakeQueues = BatchQueues<OrganizationId, Arrival>;

impl Integration {
    /// Has an event written, and returns whether it had come before.
    pub(super) async fn submit(
        &self,
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
        let put = self.intake.put(organization, arrival, MOST_WAITING);
        if let Some(batches) = put.map_err(|_| Error::IntakeBusy)? {
            tokio::spawn(write(self.clone(), batches));
        }
        answer.await.map_err(gone)?
    }
}

/// Writes an organization's events while there are any.
async fn write(integration: Integration, mut batches: Batches<OrganizationId, Arrival>) {
    let organization = batches.key().clone();
    while let Some(arrivals) = batches.next(AT_ONCE, |_| 1) {
        let accepted = integration.accept(&organization, &arrivals).await;
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
                    let accepted = integration.accept(&organization, one).await;
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
