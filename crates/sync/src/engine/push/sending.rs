//! The calls of a batch.

use std::collections::VecDeque;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::delivery::{DeliveryCode, DueDelivery, Settled};
use fanfare_domain::waiting::{WaitReason, Waiting};
use fanfare_domain::writing::{ContentRefusal, Event, WriteError, after_refusal};
use futures_util::future::join_all;
use tokio::time::sleep;

use super::outcome::{Outcome, WriteFailure};
use super::{SHORT_WAIT, Slice, event_of};
use crate::klaviyo::CallError;

/// A batch of events holds nothing else.
const NO_EVENT: &str = "a delivery that is no event";

impl Slice<'_> {
    /// Sends each delivery in a call of its own, all beside each other.
    pub(super) async fn send_singly(
        &self,
        connection: &OpenConnection,
        deliveries: &[DueDelivery],
    ) -> Outcome {
        let calls = deliveries
            .iter()
            .map(|delivery| self.send_one(connection, delivery));
        let mut outcome = Outcome::default();
        for (delivery, sent) in deliveries.iter().zip(join_all(calls).await) {
            match sent {
                Ok(without) => outcome.settle(delivery, Settled::Sent(without)),
                Err(failure) => outcome.take(&[delivery], failure, self.integration.now()),
            }
        }
        outcome
    }

    /// Sends a delivery. Returns what was left out of it.
    async fn send_one(
        &self,
        connection: &OpenConnection,
        delivery: &DueDelivery,
    ) -> Result<Option<DeliveryCode>, WriteFailure> {
        let Some(event) = event_of(delivery) else {
            return Err(WriteFailure::Klaviyo(WriteError::Refused(
                NO_EVENT.to_owned(),
            )));
        };
        let klaviyo = &self.integration.klaviyo;
        let sent = klaviyo.create_event(connection, event).await;
        match sent.map_err(WriteFailure::from) {
            Ok(()) => Ok(None),
            // An identifier that another profile has is left out; the one that the person is known by stays.
            Err(WriteFailure::Klaviyo(WriteError::IdentifierConflict { .. }))
                if event.person.external_id.is_some() =>
            {
                let mut without = event.clone();
                without.person.external_id = None;
                klaviyo.create_event(connection, &without).await?;
                Ok(Some(DeliveryCode::IdentifierConflict))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Sends deliveries in as few calls as hold them, beside each other.
    pub(super) async fn send_in_bulk(
        &self,
        connection: &OpenConnection,
        deliveries: &[DueDelivery],
    ) -> Outcome {
        let calls = self.calls_of(deliveries);
        let calls = calls
            .into_iter()
            .map(|call| self.send_call(connection, call));
        let mut outcome = Outcome::default();
        for one in join_all(calls).await {
            outcome.add(one);
        }
        outcome
    }

    /// The deliveries by the calls that hold them.
    fn calls_of<'d>(&self, deliveries: &'d [DueDelivery]) -> Vec<Vec<&'d DueDelivery>> {
        let events = deliveries.iter().filter_map(event_of);
        let mut events: Vec<Event> = events.cloned().collect();
        let (mut calls, mut rest) = (Vec::new(), deliveries);
        while !rest.is_empty() {
            let fitting = self.integration.klaviyo.events_that_fit(&events);
            let fitting = fitting.clamp(1, rest.len());
            events.drain(..fitting.min(events.len()));
            let (call, after) = rest.split_at(fitting);
            calls.push(call.iter().collect());
            rest = after;
        }
        calls
    }

    /// Sends events, after one short wait if the quota does not allow it now: what is done before a call is done
    /// while Klaviyo's second passes.
    async fn create_events_soon(
        &self,
        connection: &OpenConnection,
        events: &[Event],
    ) -> Result<(), CallError<WriteError>> {
        let klaviyo = &self.integration.klaviyo;
        let sent = klaviyo.create_events(connection, events).await;
        let Err(CallError::NotBefore(Waiting {
            until,
            why: WaitReason::Quota,
        })) = sent
        else {
            return sent;
        };
        let wait = until.since(self.integration.now());
        if wait > SHORT_WAIT {
            return sent;
        }
        sleep(wait).await;
        klaviyo.create_events(connection, events).await
    }

    /// Sends the deliveries of one call. If it is refused, it is divided until what Klaviyo refuses is alone.
    async fn send_call(&self, connection: &OpenConnection, call: Vec<&DueDelivery>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut waiting = VecDeque::from([call]);
        while let Some(batch) = waiting.pop_front() {
            if outcome.stop.is_some() {
                break;
            }
            let events: Vec<Event> = batch
                .iter()
                .filter_map(|one| event_of(one))
                .cloned()
                .collect();
            let sent = self.create_events_soon(connection, &events).await;
            let refusal = match sent.map_err(WriteFailure::from) {
                Ok(()) => {
                    for delivery in batch {
                        outcome.settle(delivery, Settled::Sent(None));
                    }
                    continue;
                }
                Err(WriteFailure::Klaviyo(WriteError::ContentRefused(refusal))) => refusal,
                // Klaviyo does not say whose identifier it is.
                Err(WriteFailure::Klaviyo(WriteError::IdentifierConflict { .. })) => {
                    ContentRefusal {
                        status: 409,
                        rows: Vec::new(),
                    }
                }
                Err(failure) => {
                    outcome.take(&batch, failure, self.integration.now());
                    continue;
                }
            };
            if let [delivery] = batch[..] {
                match self.send_one(connection, delivery).await {
                    Ok(without) => outcome.settle(delivery, Settled::Sent(without)),
                    Err(failure) => outcome.take(&[delivery], failure, self.integration.now()),
                }
                continue;
            }
            let after = after_refusal(batch.len(), &refusal);
            for refused in after.refused {
                let detail = Some(refusal.to_string());
                outcome.settle(
                    batch[refused],
                    Settled::Failed(DeliveryCode::Refused, detail),
                );
            }
            for again in after.again.into_iter().rev() {
                waiting.push_front(again.into_iter().map(|at| batch[at]).collect());
            }
        }
        outcome
    }
}
