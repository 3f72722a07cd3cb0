//! A batch of contacts: the profiles are looked at together, what to send is decided by what both sides have then, and each
//! profile is changed by a call of its own.
//!
//! No unit is open during a call. What is sent is in flight in the contact's row before the call is made, so that a worker that
//! dies leaves a contact that knows what may have arrived.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::connection::{Connection, OpenConnection};
use fanfare_domain::contact::{self, Contact, ContactField, Seen, Telling, tell};
use fanfare_domain::delivery::{DeliveryCode, DeliveryKind, DueDelivery, Settled};
use fanfare_domain::ids::{ConsumerId, DeliveryId, ProfileId};
use fanfare_domain::ports::{ConsumerRecord, StoreError, UnitOfWork};
use fanfare_domain::time::Timestamp;
use fanfare_domain::writing::{
    Change, PersonalText, ProfileChanges, ProfileUpsert, WriteError, WrittenProfile,
};
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::outcome::{ContactEnd, End, Outcome, WriteFailure, next_look};
use super::{Slice, Step};
use crate::SYSTEM_ACTOR;
use crate::engine::making::{Made, blamed, is_conflict, make_profile};
use crate::engine::slice_end::SliceEnd;
use crate::error::Error;
use crate::klaviyo::KlaviyoClient;

/// The people of a batch, as they are stored.
pub(super) struct People {
    pub(super) records: BTreeMap<ConsumerId, ConsumerRecord>,
    contacts: BTreeMap<ConsumerId, Contact>,
}

impl People {
    async fn load(unit: &mut dyn UnitOfWork, ids: &[ConsumerId]) -> Result<Self, StoreError> {
        let records = unit.consumers_of(ids).await?;
        let by_id = |record: ConsumerRecord| (record.consumer.id.clone(), record);
        Ok(Self {
            records: records.into_iter().map(by_id).collect(),
            contacts: unit.contacts_of(ids).await?,
        })
    }

    /// The profile that a consumer is known to have.
    pub(super) fn profile(&self, of: &ConsumerId) -> Option<&ProfileId> {
        let contact = self.contacts.get(of).map(|contact| &contact.profile);
        let primary = self
            .records
            .get(of)
            .and_then(|one| one.consumer.primary.as_ref());
        contact.or(primary.map(|primary| &primary.stamp.profile))
    }
}

/// A call that is to be made.
struct Write<'a> {
    delivery: &'a DueDelivery,
    consumer: ConsumerId,
    call: Call,
}

enum Call {
    Update(ProfileId, ProfileChanges),
    Create(ProfileUpsert, BTreeMap<ContactField, Option<PersonalText>>),
}

/// What came of a call.
struct Written {
    answer: Result<WrittenProfile, WriteFailure>,
    /// Whether the phone number was left out, and why.
    without_phone: Option<DeliveryCode>,
    /// Whether nothing was left to be sent.
    is_empty: bool,
}

impl Slice<'_> {
    pub(super) async fn step_contacts(
        &mut self,
        connection: &OpenConnection,
        stored: &Connection,
        deliveries: &[DueDelivery],
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        let ids: Vec<DeliveryId> = deliveries.iter().map(|one| one.id.clone()).collect();
        let consumers: BTreeSet<ConsumerId> = deliveries
            .iter()
            .filter_map(|one| one.consumer.clone())
            .collect();
        let consumers: Vec<ConsumerId> = consumers.into_iter().collect();
        let mut unit = self.integration.read(self.lease.organization()).await?;
        let people = People::load(unit.as_mut(), &consumers).await?;
        drop(unit);

        let began_at = self.integration.now();
        let mut drain = std::mem::take(&mut self.drain);
        let look = drain.wait_for(self.lease.keep_during(self.look(connection, &people)), stop);
        let look = look.await;
        self.drain = drain;
        let mut outcome = Outcome::default();
        let found = match look {
            // It is as if the look had failed.
            None => {
                return self
                    .settle(outcome, &ids, DeliveryKind::Contact, stored)
                    .await;
            }
            Some(kept) => match kept? {
                None => return Ok(Step::End(SliceEnd::Overtaken)),
                Some(Ok(found)) => found,
                Some(Err(failure)) => {
                    let all: Vec<&DueDelivery> = deliveries.iter().collect();
                    outcome.take(&all, failure, self.integration.now());
                    return self
                        .settle(outcome, &ids, DeliveryKind::Contact, stored)
                        .await;
                }
            },
        };

        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::End(SliceEnd::Overtaken));
        };
        let is_same_key = unit
            .connection()
            .await?
            .is_some_and(|connection| connection.generation == stored.generation);
        if !is_same_key {
            drop(unit);
            for delivery in deliveries {
                outcome.settle(delivery, Settled::NotTried);
            }
            return self
                .settle(outcome, &ids, DeliveryKind::Contact, stored)
                .await;
        }
        let looked = Looked { found, began_at };
        let writes = self
            .decide(unit.as_mut(), deliveries, &consumers, &looked, &mut outcome)
            .await?;
        unit.commit().await?;

        let mut drain = std::mem::take(&mut self.drain);
        let calls = join_all(
            writes
                .iter()
                .map(|write| self.write(connection, &write.call)),
        );
        let answers = drain.wait_for(self.lease.keep_during(calls), stop).await;
        self.drain = drain;
        let answers = match answers {
            // The answers did not arrive in time: it is as if they were lost. What is in flight stays so.
            None => {
                return self
                    .settle(outcome, &ids, DeliveryKind::Contact, stored)
                    .await;
            }
            Some(kept) => match kept? {
                None => return Ok(Step::End(SliceEnd::Overtaken)),
                Some(answers) => answers,
            },
        };
        for (write, written) in writes.iter().zip(answers) {
            self.take_written(&mut outcome, write, written);
        }
        self.settle(outcome, &ids, DeliveryKind::Contact, stored)
            .await
    }

    /// Decides about each delivery, and keeps what is pulled and what is in flight from now on.
    async fn decide<'d>(
        &self,
        unit: &mut dyn UnitOfWork,
        deliveries: &'d [DueDelivery],
        consumers: &[ConsumerId],
        looked: &Looked,
        outcome: &mut Outcome,
    ) -> Result<Vec<Write<'d>>, Error> {
        let settings = unit.contact_settings().await?;
        let mut people = People::load(unit, consumers).await?;
        let now = self.integration.now();
        let (mut writes, mut contacts) = (Vec::new(), BTreeMap::new());
        for delivery in deliveries {
            let record = delivery
                .consumer
                .as_ref()
                .and_then(|id| people.records.get_mut(id));
            // Who was erased meanwhile has no delivery any more.
            let Some(record) = record else { continue };
            if !settings.enabled {
                outcome.settle(delivery, Settled::Dropped(DeliveryCode::ContactsOff));
                continue;
            }
            let id = record.consumer.id.clone();
            let found = match looked.found.get(&id) {
                None => None,
                Some(Seen::Profile(found)) => Some(found.as_ref()),
                Some(Seen::Another) => {
                    let code = DeliveryCode::UnknownInKlaviyo;
                    outcome.settle(delivery, Settled::Dropped(code));
                    continue;
                }
            };
            let before = (record.consumer.clone(), people.contacts.remove(&id));
            let mut contact = before.1.clone();
            let telling = tell(
                &mut record.consumer,
                &mut contact,
                found,
                settings,
                looked.began_at,
                now,
            );
            if record.consumer != before.0 {
                if !record.consumer.looks_like(&before.0) {
                    record.updated_at = Some(now);
                    record.updated_by = Some(SYSTEM_ACTOR.to_owned());
                }
                unit.put_consumer(record).await?;
            }
            if let Some(contact) = contact.filter(|contact| Some(contact) != before.1.as_ref()) {
                contacts.insert(id.clone(), contact);
            }
            let call = match telling {
                Telling::Update(profile, changes) => Call::Update(profile, changes),
                Telling::Create(upsert, sent) => Call::Create(upsert, sent),
                other => {
                    outcome.settle(delivery, settled(&other, delivery, now));
                    continue;
                }
            };
            writes.push(Write {
                delivery,
                consumer: id,
                call,
            });
        }
        unit.put_contacts(&contacts).await?;
        Ok(writes)
    }

    /// Makes a call. A phone number that belongs to another profile, or that Klaviyo refuses, costs itself alone.
    async fn write(&self, connection: &OpenConnection, call: &Call) -> Written {
        let klaviyo = &self.integration.klaviyo;
        let made = match call {
            Call::Create(upsert, _) => make_profile(klaviyo, connection, upsert).await,
            Call::Update(profile, changes) => {
                update_profile(klaviyo, connection, profile, changes).await
            }
        };
        Written {
            answer: made.answer.map_err(WriteFailure::from),
            without_phone: made.without_phone,
            is_empty: made.is_empty,
        }
    }

    /// Keeps what has become of a delivery, and what it means for the contact.
    fn take_written(&self, outcome: &mut Outcome, write: &Write<'_>, written: Written) {
        let now = self.integration.now();
        let refused = match written.without_phone {
            Some(_) => vec![ContactField::Phone],
            None => Vec::new(),
        };
        let failure = match written.answer {
            Ok(profile) => {
                let updated = profile.updated;
                let end = match &write.call {
                    Call::Create(_, sent) => {
                        let mut sent = sent.clone();
                        sent.retain(|field, _| !refused.contains(field));
                        End::Linked(profile.id, sent, updated)
                    }
                    Call::Update(asked, _) if *asked == profile.id => {
                        End::Ended(contact::Outcome::Done { updated })
                    }
                    // It was merged into this one, with which nothing was agreed on but what was just sent.
                    Call::Update(..) => End::Moved(profile.id, updated),
                };
                outcome.ended.push(ContactEnd {
                    consumer: write.consumer.clone(),
                    refused,
                    end,
                });
                outcome.settle(write.delivery, Settled::Sent(written.without_phone));
                return;
            }
            Err(failure) => failure,
        };
        if written.is_empty {
            outcome.ended.push(ContactEnd {
                consumer: write.consumer.clone(),
                refused,
                end: End::Ended(contact::Outcome::NotDone),
            });
            let settled = match written.without_phone {
                Some(DeliveryCode::IdentifierConflict) | None => {
                    Settled::Sent(Some(DeliveryCode::IdentifierConflict))
                }
                Some(code) => Settled::Failed(code, None),
            };
            outcome.settle(write.delivery, settled);
            return;
        }
        let ended = match &failure {
            WriteFailure::Klaviyo(WriteError::OutcomeUnknown { .. }) => contact::Outcome::Unknown,
            WriteFailure::Klaviyo(WriteError::ContentRefused(_)) => {
                contact::Outcome::Refused(ContactField::ALL.to_vec())
            }
            _ => contact::Outcome::NotDone,
        };
        if matches!(failure, WriteFailure::Klaviyo(WriteError::Gone)) {
            // It was there a moment ago: the next look tells what has become of it.
            let again = next_look(write.delivery, DeliveryCode::Gone, now);
            outcome.settle(write.delivery, again);
        } else {
            outcome.take(&[write.delivery], failure, now);
        }
        let settled = outcome.settled.last().map(|(_, settled)| settled);
        let is_given_up = matches!(settled, Some(Settled::Failed(..)));
        let end = if is_given_up && ended == contact::Outcome::Unknown {
            End::GivenUp
        } else {
            End::Ended(ended)
        };
        outcome.ended.push(ContactEnd {
            consumer: write.consumer.clone(),
            refused,
            end,
        });
    }
}

/// What a look has found.
struct Looked {
    found: BTreeMap<ConsumerId, Seen>,
    began_at: Timestamp,
}

/// Changes a profile, as [`make_profile`] makes one.
async fn update_profile(
    klaviyo: &KlaviyoClient,
    connection: &OpenConnection,
    profile: &ProfileId,
    changes: &ProfileChanges,
) -> Made {
    let first = klaviyo.update_profile(connection, profile, changes).await;
    let Some(code) = blamed(&first) else {
        return Made {
            answer: first,
            without_phone: None,
            is_empty: false,
        };
    };
    let mut without = changes.clone();
    // What remains is that or our own id, which another profile may have.
    if without.phone.is_keep() {
        without.external_id = Change::Keep;
    }
    without.phone = Change::Keep;
    let values = [&without.first_name, &without.last_name];
    if values.into_iter().all(Change::is_keep) {
        return Made {
            answer: first,
            without_phone: Some(code),
            is_empty: true,
        };
    }
    let mut answer = klaviyo.update_profile(connection, profile, &without).await;
    if is_conflict(&answer) && !without.external_id.is_keep() {
        without.external_id = Change::Keep;
        answer = klaviyo.update_profile(connection, profile, &without).await;
    }
    Made {
        answer,
        without_phone: Some(code),
        is_empty: false,
    }
}

/// What becomes of a delivery of which nothing is sent.
fn settled(telling: &Telling, delivery: &DueDelivery, now: Timestamp) -> Settled {
    match telling {
        Telling::Equal(true) => Settled::Sent(None),
        Telling::Held => Settled::Failed(DeliveryCode::WrittenByBoth, None),
        Telling::Later => next_look(delivery, DeliveryCode::UpstreamInvalid, now),
        Telling::Unknown => Settled::Dropped(DeliveryCode::UnknownInKlaviyo),
        Telling::Unreachable => Settled::Dropped(DeliveryCode::NoIdentifier),
        Telling::Equal(false) | Telling::Update(..) | Telling::Create(..) => {
            Settled::Dropped(DeliveryCode::AlreadyEqual)
        }
    }
}
