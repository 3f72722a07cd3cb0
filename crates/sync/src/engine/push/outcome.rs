//! What follows from the answers to a batch.

use std::collections::BTreeMap;

use fanfare_domain::contact::{self, Contact, ContactField};
use fanfare_domain::delivery::{DeliveryCode, DueDelivery, Settled, next_try};
use fanfare_domain::ids::{ConsumerId, DeliveryId, ProfileId};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{PersonalText, WriteError};

use crate::error::Error;
use crate::klaviyo::CallError;
use crate::saving::scopes_of;

/// What has become of a batch.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Of each delivery whose answer is known. Of the others nothing is known.
    pub(super) settled: Vec<(DeliveryId, Settled)>,
    /// Why no more is sent now.
    pub(super) stop: Option<Stop>,
    /// What is known of contacts now.
    pub(super) ended: Vec<ContactEnd>,
}

/// What a write means for the contact of a consumer.
#[derive(Debug)]
pub(super) struct ContactEnd {
    pub(super) consumer: ConsumerId,
    /// The fields that Klaviyo refused alone.
    pub(super) refused: Vec<ContactField>,
    pub(super) end: End,
}

/// How a write of a contact ended.
#[derive(Debug)]
pub(super) enum End {
    /// So, for what is in flight.
    Ended(contact::Outcome),
    /// It is not known, and nobody tries again.
    GivenUp,
    /// This profile was made, with these values.
    Linked(
        ProfileId,
        BTreeMap<ContactField, Option<PersonalText>>,
        Option<Timestamp>,
    ),
    /// What is in flight was done to this profile, which is another one than was asked for.
    Moved(ProfileId, Option<Timestamp>),
}

impl ContactEnd {
    /// What is remembered of the contact afterwards; `None` where nothing is.
    pub(super) fn apply(self, before: Option<Contact>, now: Timestamp) -> Option<Contact> {
        match self.end {
            End::Linked(profile, sent, updated) => {
                Some(Contact::created(profile, sent, updated, now))
            }
            End::Moved(profile, updated) => {
                let mut sent = before?.in_flight();
                sent.retain(|field, _| !self.refused.contains(field));
                Some(Contact::created(profile, sent, updated, now))
            }
            End::GivenUp => {
                let mut contact = before?;
                contact.ended(&contact::Outcome::Unknown, now);
                contact.ended(&contact::Outcome::NotDone, now);
                Some(contact)
            }
            End::Ended(outcome) => {
                let mut contact = before?;
                contact.refused_alone(&self.refused);
                contact.ended(&outcome, now);
                Some(contact)
            }
        }
    }
}

/// When a delivery whose look told nothing is looked at again.
pub(super) fn next_look(delivery: &DueDelivery, code: DeliveryCode, now: Timestamp) -> Settled {
    let first = delivery.first_tried_at.unwrap_or(now);
    // The try that has just failed is counted in the store, and not in what was read before it.
    let next = next_try(first, delivery.attempts + 1, now);
    next.map_or(Settled::Failed(code, None), Settled::Again)
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
        self.ended.extend(other.ended);
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
    let again = |code| next_look(delivery, code, now);
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
            let scopes = scopes_of(delivery.payload.kind()).iter();
            let scopes = scopes.map(|scope| (*scope).to_owned());
            return Meaning::Stop(Stop::ScopesMissing(scopes.collect()));
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
