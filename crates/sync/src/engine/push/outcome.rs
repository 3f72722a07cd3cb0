//! What follows from the answers to a batch.

use fanfare_domain::delivery::{DeliveryCode, DueDelivery, Settled, next_try};
use fanfare_domain::ids::DeliveryId;
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::WriteError;

use crate::error::Error;
use crate::klaviyo::CallError;
use crate::saving::EVENTS_WRITE;

/// What has become of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Of each delivery whose answer is known. Of the others nothing is known.
    pub(super) settled: Vec<(DeliveryId, Settled)>,
    /// Why no more is sent now.
    pub(super) stop: Option<Stop>,
}

/// Why no more is sent now.
#[derive(Debug)]
pub(super) enum Stop {
    /// Klaviyo's quota, or its `Retry-After`.
    Until(Timestamp),
    /// The key is refused, with a message for the organization's users.
    KeyRejected(String),
    /// The key lacks these scopes.
    ScopesMissing(Vec<String>),
    /// A fault of ours: the quota could not be asked for.
    Failed(Error),
}

/// What an answer that is none means for a delivery.
enum Meaning {
    /// This has become of it.
    Settled(Settled),
    /// It was not tried, and nothing else is for now.
    Stop(Stop),
}

impl Outcome {
    /// Keeps what has become of a delivery.
    pub(super) fn settle(&mut self, delivery: &DueDelivery, settled: Settled) {
        self.settled.push((delivery.id.clone(), settled));
    }

    /// Keeps what a failure means for the deliveries of one call.
    pub(super) fn take(
        &mut self,
        deliveries: &[&DueDelivery],
        failure: WriteFailure,
        now: Timestamp,
    ) {
        let failure = match failure {
            WriteFailure::Ours(error) => {
                for delivery in deliveries {
                    self.settle(delivery, Settled::NotTried);
                }
                self.stop(Stop::Failed(error));
                return;
            }
            WriteFailure::NotBefore(until) => Err(until),
            WriteFailure::Klaviyo(error) => Ok(error),
        };
        for delivery in deliveries {
            let meaning = match &failure {
                Ok(error) => meaning(error, delivery, now),
                Err(until) => Meaning::Stop(Stop::Until(*until)),
            };
            match meaning {
                Meaning::Settled(settled) => self.settle(delivery, settled),
                Meaning::Stop(stop) => {
                    self.settle(delivery, Settled::NotTried);
                    self.stop(stop);
                }
            }
        }
    }

    /// Adds what has become of others.
    pub(super) fn add(&mut self, other: Self) {
        self.settled.extend(other.settled);
        if let Some(stop) = other.stop {
            self.stop(stop);
        }
    }

    /// The first reason stays, unless it is a wait and the other one is longer, or none.
    fn stop(&mut self, stop: Stop) {
        let is_weaker = match (&self.stop, &stop) {
            (Some(Stop::Until(one)), Stop::Until(other)) => one < other,
            (None | Some(Stop::Until(_)), _) => true,
            _ => false,
        };
        if is_weaker {
            self.stop = Some(stop);
        }
    }
}

/// Why a call brought no answer.
#[derive(Debug)]
pub(super) enum WriteFailure {
    /// The quota does not allow it before this time.
    NotBefore(Timestamp),
    /// Klaviyo refused it, or gave no answer.
    Klaviyo(WriteError),
    /// The quota could not be asked for.
    Ours(Error),
}

impl From<CallError<WriteError>> for WriteFailure {
    fn from(error: CallError<WriteError>) -> Self {
        match error {
            CallError::NotBefore(waiting) => Self::NotBefore(waiting.until),
            CallError::Klaviyo(error) => Self::Klaviyo(error),
            CallError::Store(error) => Self::Ours(error.into()),
        }
    }
}

/// What an error of Klaviyo's means for a delivery.
fn meaning(error: &WriteError, delivery: &DueDelivery, now: Timestamp) -> Meaning {
    const KEY_REJECTED: &str = "Klaviyo refused the API key. Connect a valid key under Settings, Integrations; what waits \
        is sent then.";
    let again = |code| {
        let first = delivery.first_tried_at.unwrap_or(now);
        // The try that has just failed is counted in the store, and not in what was read before it.
        let next = next_try(first, delivery.attempts + 1, now);
        next.map_or(Settled::Failed(code, None), Settled::Again)
    };
    let settled = match error {
        WriteError::ContentRefused(refusal) => {
            Settled::Failed(DeliveryCode::Refused, Some(refusal.to_string()))
        }
        WriteError::IdentifierConflict { .. } => {
            Settled::Failed(DeliveryCode::IdentifierConflict, None)
        }
        WriteError::Gone => Settled::Failed(DeliveryCode::Gone, None),
        WriteError::KeyRejected => {
            return Meaning::Stop(Stop::KeyRejected(KEY_REJECTED.to_owned()));
        }
        WriteError::ScopeMissing(scopes) if !scopes.is_empty() => {
            return Meaning::Stop(Stop::ScopesMissing(scopes.clone()));
        }
        WriteError::ScopeMissing(_) | WriteError::NotPermitted => {
            return Meaning::Stop(Stop::ScopesMissing(vec![EVENTS_WRITE.to_owned()]));
        }
        WriteError::Throttled(retry_after) => {
            return Meaning::Stop(Stop::Until(retry_after.until(now)));
        }
        WriteError::NotSent(_) | WriteError::OutcomeUnknown { .. } => {
            again(DeliveryCode::UpstreamUnavailable)
        }
        WriteError::RevisionRetired | WriteError::Refused(_) => {
            again(DeliveryCode::UpstreamInvalid)
        }
    };
    Meaning::Settled(settled)
}
