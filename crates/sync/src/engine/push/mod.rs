//! Work of kind `PUSH`: an organization's deliveries are sent to Klaviyo.
//!
//! A slice claims the work, and sends batch after batch until nothing is due. Each batch begins with a unit that counts its tries,
//! before anything is sent: so a delivery without a try was never on its way. After the calls, another unit keeps what
//! has become of them. A worker that dies between the two leaves deliveries that may have arrived; they are sent again as they
//! are, and Klaviyo knows them by what was frozen with them.

mod consents;
mod contact_look;
mod contacts;
mod outcome;
mod sampling;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fanfare_domain::connection::{Connection, ConnectionStatus, OpenConnection};
use fanfare_domain::delivery::{Batch, DeliveryKind, DueDelivery, Payload, Settled, next_batch};
use fanfare_domain::ids::{ConsumerId, DeliveryId};
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::quota::Endpoint;
use fanfare_domain::run::SyncStatus;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkItem;
use fanfare_domain::writing::Event;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{Span, info, info_span, warn};

use super::Engine;
use super::drain::Drain;
use super::due_work::LOOK_INTERVAL;
use super::lease::Lease;
use super::slice_end::SliceEnd;
use crate::error::Error;
use crate::integration::Integration;
use crate::saving::{can_push, can_send, has_sendable};

use outcome::{ContactEnd, End, Outcome, Stop};

/// How many deliveries are looked at to choose a batch: of each consumer only the first may go.
const LOOKED_AT: u32 = 12_000;

/// A wait that is so short that the worker keeps the lease.
const SHORT_WAIT: Duration = Duration::from_secs(2);

/// How long work rests that cannot be continued because of a fault of ours or of the master key.
const REST: Duration = Duration::from_mins(5);

pub(super) fn span(work: &WorkItem) -> Span {
    info_span!(
        "job.push",
        processor = "klaviyo/push",
        organizationId = %work.organization,
    )
}

/// Sends for one slice, in its [`span`].
pub(super) async fn work(
    engine: &Engine,
    work: &WorkItem,
    stop: &CancellationToken,
) -> Result<SliceEnd, Error> {
    let integration = &engine.integration;
    let Some(lease) = Lease::claim(integration, work, engine.pace.lease, stop).await? else {
        return Ok(SliceEnd::NotDue);
    };
    let mut slice = Slice {
        engine,
        integration,
        lease: &lease,
        connection: None,
        began: Instant::now(),
        looked_at: Instant::now(),
        drain: Drain::default(),
        sent: 0,
        resting: BTreeMap::new(),
    };
    let end = match slice.work_until(stop).await {
        Err(error) if !error.is_transient() => {
            warn!(
                error = &error as &dyn std::error::Error,
                "deliveries cannot be sent; trying again in some minutes"
            );
            slice.rest(integration.now().plus(REST)).await
        }
        other => other,
    };
    if let Err(error) = &end {
        lease.release_when_possible(error, stop).await;
    }
    end
}

struct Slice<'a> {
    engine: &'a Engine,
    integration: &'a Integration,
    lease: &'a Lease<'a>,
    /// The connection that was opened last, which is opened anew when its key has changed.
    connection: Option<OpenConnection>,
    began: Instant,
    looked_at: Instant,
    drain: Drain,
    sent: u64,
    /// Until when deliveries of a kind wait for Klaviyo. Those of other kinds do not.
    resting: BTreeMap<DeliveryKind, Timestamp>,
}

/// What follows from a batch.
enum Step {
    /// The next batch.
    Continue,
    /// The slice is over.
    End(SliceEnd),
}

impl Slice<'_> {
    async fn work_until(&mut self, stop: &CancellationToken) -> Result<SliceEnd, Error> {
        // Whoever is woken during a block asks the store for little.
        if let Some(until) = self.blocked_until().await? {
            return self.rest(until).await;
        }
        loop {
            if stop.is_cancelled() || self.is_time_up().await? {
                return Ok(if self.lease.release().await? {
                    SliceEnd::Yielded
                } else {
                    SliceEnd::Overtaken
                });
            }
            if let Step::End(end) = self.step(stop).await? {
                if self.sent > 0 {
                    info!(sent = self.sent, "deliveries were sent");
                }
                return Ok(end);
            }
        }
    }

    /// Until when Klaviyo takes no events at all, if it has asked to wait.
    async fn blocked_until(&mut self) -> Result<Option<Timestamp>, Error> {
        let mut unit = self.integration.read(self.lease.organization()).await?;
        let stored = unit.connection().await?;
        let sends_contacts = unit.contact_settings().await?.enabled;
        drop(unit);
        let Some(stored) = stored.filter(|stored| can_push(Some(stored))) else {
            return Ok(None);
        };
        let connection = self.opened(&stored)?;
        let klaviyo = &self.integration.klaviyo;
        let singly = klaviyo
            .blocked_until(&connection, Endpoint::CreateEvent)
            .await?;
        let in_bulk = klaviyo
            .blocked_until(&connection, Endpoint::CreateEvents)
            .await?;
        let until = singly.zip(in_bulk).map(|(one, other)| one.min(other));
        if sends_contacts && let Some(until) = until {
            self.resting.insert(DeliveryKind::Event, until);
            return Ok(None);
        }
        Ok(until)
    }

    async fn step(&mut self, stop: &CancellationToken) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::End(SliceEnd::Overtaken));
        };
        let stored = unit.connection().await?;
        let stored = stored.filter(|stored| can_push(Some(stored)));
        let (Some(stored), true) = (stored, self.integration.klaviyo.can_write()) else {
            // Whoever connects a key queues the work again.
            return self.leave(unit).await;
        };
        let now = self.integration.now();
        let due = unit.due_deliveries(now, LOOKED_AT).await?;
        self.resting.retain(|_, until| *until > now);
        let rests = |kind| self.resting.contains_key(&kind) || !can_send(&stored, kind);
        let is_any_due = !due.is_empty();
        let Some(batch) = next_batch(due, rests) else {
            let next = if is_any_due {
                self.end_of_rest(unit.as_mut(), &stored, now).await?
            } else {
                unit.next_delivery_due().await?
            };
            let Some(next) = next else {
                return self.leave(unit).await;
            };
            if is_any_due && next.since(now) <= SHORT_WAIT {
                drop(unit);
                let wait = tokio::time::sleep(next.since(now));
                let kept = self.lease.keep_during(wait).await?;
                return Ok(kept.map_or(Step::End(SliceEnd::Overtaken), |()| Step::Continue));
            }
            if !self.lease.release_in(unit.as_mut(), Some(next)).await? {
                return Ok(Step::End(SliceEnd::Overtaken));
            }
            unit.commit().await?;
            return Ok(Step::End(SliceEnd::Paused(next)));
        };
        let connection = self.opened(&stored)?;
        let kind = batch.kind();
        let ids: Vec<DeliveryId> = batch
            .deliveries()
            .iter()
            .map(|one| one.id.clone())
            .collect();
        unit.begin_tries(&ids, now).await?;
        unit.commit().await?;
        if let Batch::Contacts(deliveries) = &batch {
            return self
                .step_contacts(&connection, &stored, deliveries, stop)
                .await;
        }

        let mut drain = std::mem::take(&mut self.drain);
        let sending = async {
            match &batch {
                Batch::Single(deliveries) => self.send_singly(&connection, deliveries).await,
                Batch::Bulk(deliveries) => self.send_in_bulk(&connection, deliveries).await,
                Batch::Consents(deliveries) | Batch::Contacts(deliveries) => {
                    self.end_consents(&connection, deliveries).await
                }
            }
        };
        let answer = drain.wait_for(self.lease.keep_during(sending), stop).await;
        self.drain = drain;
        let outcome = match answer {
            // The answers did not arrive in time: it is as if they were lost.
            None => Outcome::default(),
            Some(kept) => match kept? {
                None => return Ok(Step::End(SliceEnd::Overtaken)),
                Some(outcome) => outcome,
            },
        };
        let sent = sampling::sent(&batch, &outcome);
        let next = self.settle(outcome, &ids, kind, &stored).await?;
        let (samples, organization) = (&self.integration.samples, self.lease.organization());
        samples.offer(organization, &connection, sent, self.integration.now());
        Ok(next)
    }

    /// When the first kind of delivery that waits for Klaviyo can be sent again; `None` if nothing that is pending can be sent with
    /// the stored key.
    async fn end_of_rest(
        &self,
        unit: &mut dyn UnitOfWork,
        stored: &Connection,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let until = self.resting.values().min().copied();
        if until.is_some() {
            return Ok(until);
        }
        Ok(has_sendable(unit, stored).await?.then(|| now.plus(REST)))
    }

    /// Keeps what has become of a batch.
    async fn settle(
        &mut self,
        outcome: Outcome,
        ids: &[DeliveryId],
        kind: DeliveryKind,
        stored: &Connection,
    ) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::End(SliceEnd::Overtaken));
        };
        let Outcome {
            mut settled,
            stop,
            ended,
        } = outcome;
        self.sent += settled
            .iter()
            .filter(|(_, settled)| matches!(settled, Settled::Sent(_)))
            .count() as u64;
        if stop.is_some() {
            // What was not come to any more.
            let met: BTreeSet<DeliveryId> = settled.iter().map(|(id, _)| id.clone()).collect();
            let rest = ids.iter().filter(|id| !met.contains(id));
            settled.extend(rest.map(|id| (id.clone(), Settled::NotTried)));
        }
        let now = self.integration.now();
        unit.settle_deliveries(&settled, now).await?;
        keep_ends(unit.as_mut(), ended, stored, now).await?;
        match stop {
            None => {
                unit.commit().await?;
                Ok(Step::Continue)
            }
            Some(Stop::Until(until)) => {
                unit.commit().await?;
                self.resting.insert(kind, until);
                Ok(Step::Continue)
            }
            Some(Stop::Failed(error)) => {
                unit.commit().await?;
                Err(error)
            }
            Some(Stop::KeyRejected(message)) => {
                if let Some(mut connection) = unit.connection().await?
                    && connection.generation == stored.generation
                {
                    connection.status = ConnectionStatus::Error;
                    connection.message = Some(message);
                    unit.put_connection(&connection).await?;
                    return self.leave(unit).await;
                }
                unit.commit().await?;
                Ok(Step::Continue)
            }
            Some(Stop::ScopesMissing(scopes)) => {
                if let Some(mut connection) = unit.connection().await?
                    && connection.generation == stored.generation
                {
                    warn!(scopes = scopes.join(", "), kind = %kind, "the key may not send these");
                    connection.missing_scopes.extend(scopes);
                    connection.missing_scopes.sort();
                    connection.missing_scopes.dedup();
                    unit.put_connection(&connection).await?;
                    if !can_push(Some(&connection)) {
                        return self.leave(unit).await;
                    }
                }
                unit.commit().await?;
                Ok(Step::Continue)
            }
        }
    }

    /// Takes the work out of the queue: nothing is pending, or nothing can be sent. Who changes that queues it again.
    async fn leave(&self, mut unit: Box<dyn UnitOfWork>) -> Result<Step, Error> {
        unit.dequeue(&self.lease.work.key).await?;
        unit.commit().await?;
        Ok(Step::End(SliceEnd::Finished(SyncStatus::Success)))
    }

    /// Gives the work back until this time.
    async fn rest(&self, until: Timestamp) -> Result<SliceEnd, Error> {
        let mut unit = self.integration.begin(self.lease.organization()).await?;
        if !self.lease.release_in(unit.as_mut(), Some(until)).await? {
            return Ok(SliceEnd::Overtaken);
        }
        unit.commit().await?;
        Ok(SliceEnd::Paused(until))
    }

    fn opened(&mut self, stored: &Connection) -> Result<OpenConnection, Error> {
        if let Some(connection) = &self.connection
            && connection.generation == stored.generation
        {
            return Ok(connection.clone());
        }
        let opened = self.integration.opened(self.lease.organization(), stored)?;
        self.connection = Some(opened.clone());
        Ok(opened)
    }

    /// Whether this worker should leave the work for other work that is due, as for a run.
    async fn is_time_up(&mut self) -> Result<bool, Error> {
        let is_over = self.began.elapsed() >= self.engine.pace.slice;
        if !is_over && self.looked_at.elapsed() < LOOK_INTERVAL {
            return Ok(false);
        }
        self.looked_at = Instant::now();
        let due_work = &self.engine.due_work;
        if !is_over {
            return Ok(due_work.preempts(self.lease.organization()).await?);
        }
        if due_work.is_any().await? {
            return Ok(true);
        }
        self.began = Instant::now();
        Ok(false)
    }
}

/// The event of a delivery, if it is one.
fn event_of(delivery: &DueDelivery) -> Option<&Event> {
    match &delivery.payload {
        Payload::Event(event) => Some(event),
        Payload::Contact | Payload::Consent(_) => None,
    }
}

/// Keeps what writes mean for contacts. What another account was told, or was told of somebody who was erased meanwhile, means
/// nothing.
async fn keep_ends(
    unit: &mut dyn UnitOfWork,
    ended: Vec<ContactEnd>,
    stored: &Connection,
    now: Timestamp,
) -> Result<(), Error> {
    if ended.is_empty() {
        return Ok(());
    }
    let ids: Vec<ConsumerId> = ended.iter().map(|end| end.consumer.clone()).collect();
    let mut contacts = unit.contacts_of(&ids).await?;
    let is_same_account = unit
        .connection()
        .await?
        .is_some_and(|connection| connection.account == stored.account);
    let there = unit.consumers_of(&ids).await?;
    let is_there = |id: &ConsumerId| there.iter().any(|record| record.consumer.id == *id);
    let mut after = BTreeMap::new();
    for end in ended {
        let consumer = end.consumer.clone();
        let before = contacts.remove(&consumer);
        let may_be_new = is_same_account && is_there(&consumer);
        if before.is_none() && !(may_be_new && matches!(end.end, End::Linked(..))) {
            continue;
        }
        if let Some(contact) = end.apply(before, now) {
            after.insert(consumer, contact);
        }
    }
    Ok(unit.put_contacts(&after).await?)
}
