//! Making a list what the audience is, some people at a time.

use std::collections::{BTreeMap, BTreeSet};

use fanfare_domain::delivery::{DeliveryCode, DeliveryKind, MadeDelivery};
use fanfare_domain::ids::{ConsumerId, DeliveryId, ProfileId};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::{
    Difference, MustConfirm, Presence, PushCounts, PushMode, PushPhase, RowStanding,
};
use fanfare_domain::run::Trigger;
use tokio_util::sync::CancellationToken;

use super::calls::{Direction, LookedUp, Trouble, Written};
use super::counting::{Asked, changed};
use super::step::Pushing;
use super::unlinked::{Found, Linked};
use super::{AT_ONCE, Slice, Step};
use crate::error::Error;
use crate::kept_lists::{Batch, Facts};

/// Some people, and what comes after them.
pub(super) struct People {
    pub(super) batch: Batch,
    next: PushPhase,
    /// How many there are at most.
    size: u32,
}

impl People {
    /// What would be changed for them, if nobody is in the list of whom that is not known.
    pub(super) fn changes(&self) -> PushCounts {
        let difference = self.batch.difference(|_| Presence::Absent);
        PushCounts {
            adds: difference.adds.len() as u64,
            removes: difference.removes.len() as u64,
        }
    }
}

/// Who is not added.
struct NotAdded {
    /// Of these profiles Klaviyo told nothing.
    not_known: Vec<ProfileId>,
    /// Of these people no profile could be made.
    not_made: BTreeMap<ConsumerId, DeliveryCode>,
}

/// What was done for somebody.
#[derive(Clone, Copy)]
enum Told {
    Added,
    Removed,
    NotAdded(DeliveryCode),
}

impl Slice<'_> {
    /// Adds and removes the next people.
    pub(super) async fn write_some(
        &mut self,
        unit: Box<dyn UnitOfWork>,
        pushing: Pushing,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        if let Some(under_way) = pushing.run.import.clone() {
            unit.commit().await?;
            return self.follow_import(pushing, under_way, stop).await;
        }
        let (mut unit, pushing, found) = match self.linked_people(unit, pushing, stop).await? {
            Linked::Step(end) => return Ok(end),
            Linked::People(unit, pushing, found) => (unit, *pushing, found),
        };
        let Found {
            people: mut some,
            new,
            not_made,
        } = found;
        // Who was just made is in no list.
        let mut looked_up: LookedUp = new.into_iter().map(|id| (id, Presence::Absent)).collect();
        let unasked = match pushing.run.mode {
            // All members have just been read.
            PushMode::Full => Presence::Absent,
            PushMode::Following => Presence::Unknown,
        };
        let known = |of: &LookedUp, id: &ProfileId| of.get(id).copied().unwrap_or(unasked);
        let to_look_up = some.batch.difference(|id| known(&looked_up, id)).to_look_up;
        if !to_look_up.is_empty() {
            unit.commit().await?;
            let found = match self.look_up(&pushing, &to_look_up, stop).await? {
                Asked::Overtaken => return Ok(Step::OVERTAKEN),
                Asked::NotInTime => return Ok(Step::Continue),
                Asked::Answer(found) => found,
            };
            let Some(again) = self.lease.begin().await? else {
                return Ok(Step::OVERTAKEN);
            };
            unit = again;
            match found {
                Ok(found) => looked_up.extend(found),
                Err(trouble) => return self.after_trouble(unit, pushing, trouble).await,
            }
            // Their memberships may have changed meanwhile.
            some = next_people(unit.as_mut(), &pushing, some.size).await?;
        }
        let difference = some.batch.difference(|id| known(&looked_up, id));
        let (to_add, to_remove) = (
            difference.adds.len() as u64,
            difference.removes.len() as u64,
        );
        if !pushing.run.may_change(to_add, to_remove) {
            return self
                .wait_for_person(unit, pushing, MustConfirm::TooMany)
                .await;
        }
        let asked: BTreeSet<&ProfileId> = to_look_up.iter().collect();
        let not_known = difference.to_look_up.iter();
        let not_known: Vec<ProfileId> =
            not_known.filter(|id| asked.contains(id)).cloned().collect();
        let not_added = NotAdded {
            not_known,
            not_made,
        };
        if to_add + to_remove == 0 {
            let written = (Written::default(), Written::default());
            return self
                .settle(unit, pushing, some, &difference, written, not_added)
                .await;
        }
        let list = &pushing.kept.list;
        let now = self.integration.now();
        let of = |ids: &BTreeSet<ProfileId>| -> Vec<(ProfileId, Option<ConsumerId>)> {
            let of = |id: &ProfileId| (id.clone(), some.batch.consumer_of(id));
            ids.iter().map(of).collect()
        };
        unit.put_standings(list, &of(&difference.adds), RowStanding::Adding, now)
            .await?;
        unit.put_standings(list, &of(&difference.removes), RowStanding::Removing, now)
            .await?;
        unit.put_push_run(&pushing.run).await?;
        unit.commit().await?;

        let Some(written) = self.write_difference(&pushing, &difference, stop).await? else {
            return Ok(Step::OVERTAKEN);
        };
        let Some(unit) = self.lease.begin().await? else {
            return Ok(Step::OVERTAKEN);
        };
        let mut pushing = pushing;
        pushing.run.progress.pages += 1;
        self.settle(unit, pushing, some, &difference, written, not_added)
            .await
    }

    /// Makes the calls for a difference. `None` if the lease was lost.
    async fn write_difference(
        &mut self,
        pushing: &Pushing,
        difference: &Difference,
        stop: &CancellationToken,
    ) -> Result<Option<(Written, Written)>, Error> {
        let ids = difference.adds.iter().cloned().collect();
        let added = self.write_members(pushing, Direction::Add, ids, stop);
        let Asked::Answer(added) = added.await? else {
            return Ok(None);
        };
        if added.trouble.is_some() {
            return Ok(Some((added, Written::default())));
        }
        let ids = difference.removes.iter().cloned().collect();
        let removed = self.write_members(pushing, Direction::Remove, ids, stop);
        let Asked::Answer(removed) = removed.await? else {
            return Ok(None);
        };
        Ok(Some((added, removed)))
    }

    /// Keeps what has become of some people, and goes on after them if that is known of all.
    async fn settle(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        some: People,
        difference: &Difference,
        (added, removed): (Written, Written),
        not_added: NotAdded,
    ) -> Result<Step, Error> {
        let (list, now) = (pushing.kept.list.clone(), self.integration.now());
        let batch = &some.batch;
        let with_consumers = |ids: &[ProfileId]| -> Vec<(ProfileId, Option<ConsumerId>)> {
            let of = |id: &ProfileId| (id.clone(), batch.consumer_of(id));
            ids.iter().map(of).collect()
        };
        let done = with_consumers(&added.done);
        unit.put_standings(&list, &done, RowStanding::Added, now)
            .await?;
        // Klaviyo does not know them: they are in no list.
        let gone = added
            .unknown
            .iter()
            .chain(&removed.done)
            .chain(&removed.unknown);
        let gone: Vec<ProfileId> = gone.cloned().collect();
        unit.forget_standings(&list, &gone).await?;

        let mut told: Vec<(Option<ConsumerId>, Told)> = Vec::new();
        let tell = |ids: &[ProfileId], what: Told| -> Vec<_> {
            ids.iter().map(|id| (batch.consumer_of(id), what)).collect()
        };
        told.extend(tell(&added.done, Told::Added));
        told.extend(tell(&removed.done, Told::Removed));
        told.extend(tell(&removed.unknown, Told::Removed));
        let is_known_of_all = added.trouble.is_none() && removed.trouble.is_none();
        let progress = &mut pushing.run.progress;
        progress.added += added.done.len() as u64;
        progress.removed += (removed.done.len() + removed.unknown.len()) as u64;
        if is_known_of_all {
            let unknown = Told::NotAdded(DeliveryCode::UnknownInKlaviyo);
            let NotAdded {
                not_known,
                not_made,
            } = not_added;
            let taken_off: Vec<ProfileId> = difference.taken_off.iter().cloned().collect();
            let mut not_added = tell(&added.unknown, unknown);
            not_added.extend(tell(&not_known, unknown));
            not_added.extend(batch.unlinked.iter().map(|one| {
                let is_reachable = one.email.is_some() || one.phone.is_some();
                let code = match not_made.get(&one.id) {
                    Some(code) => *code,
                    None if is_reachable => DeliveryCode::UnknownInKlaviyo,
                    None => DeliveryCode::NoIdentifier,
                };
                (Some(one.id.clone()), Told::NotAdded(code))
            }));
            not_added.extend(tell(&taken_off, Told::NotAdded(DeliveryCode::TakenOff)));
            progress.skipped += not_added.len() as u64;
            progress.processed += batch.compared;
            let compared = batch.compared;
            pushing.run.singly = pushing.run.singly.saturating_sub(compared);
            // A reading of everything that nobody asked for would tell the same every day.
            let is_daily =
                pushing.run.trigger == Trigger::Schedule && pushing.run.mode == PushMode::Full;
            if !is_daily {
                told.extend(not_added);
            }
        }
        let made: Vec<MadeDelivery> = told
            .into_iter()
            .map(|(consumer, told)| self.delivery(consumer, told, &pushing))
            .collect();
        unit.record_deliveries(&made, now).await?;
        match added.trouble.or(removed.trouble) {
            None => self.go_on(unit, &mut pushing, some.next).await,
            Some(Trouble::Stopped) => {
                unit.put_push_run(&pushing.run).await?;
                unit.commit().await?;
                Ok(Step::Continue)
            }
            Some(trouble) => self.after_trouble(unit, pushing, trouble).await,
        }
    }

    fn delivery(
        &self,
        consumer: Option<ConsumerId>,
        told: Told,
        pushing: &Pushing,
    ) -> MadeDelivery {
        let (type_name, dropped) = match told {
            Told::Added => ("added", None),
            Told::Removed => ("removed", None),
            Told::NotAdded(code) => ("added", Some(code)),
        };
        MadeDelivery {
            id: DeliveryId::new(self.integration.ports.ids.ulid()),
            kind: DeliveryKind::Membership,
            type_name: type_name.to_owned(),
            consumer,
            target: Some(pushing.kept.list.to_string()),
            dropped,
        }
    }
}

/// The people whom a push comes to next, as they are in this unit, so many at most.
pub(super) async fn next_people(
    unit: &mut dyn UnitOfWork,
    pushing: &Pushing,
    size: u32,
) -> Result<People, Error> {
    let facts = Facts::of(&pushing.kept);
    let after_all = || pushing.run.next_phase();
    let (batch, next) = match &pushing.run.phase {
        PushPhase::FinishingOpen => {
            let rows = unit.open_ledger(facts.list, AT_ONCE).await?;
            let next = if rows.is_empty() {
                after_all()
            } else {
                PushPhase::FinishingOpen
            };
            (Batch::of_rows(unit, facts, rows).await?, next)
        }
        PushPhase::Members { after } => {
            let page = PageRequest {
                first: size,
                after: after.as_ref().map(ToString::to_string),
            };
            let read = unit.members(facts.audience, None, &page).await?;
            let members: Vec<_> = read.items.into_iter().map(|it| it.consumer).collect();
            let last = members.last().map(|last| last.id.clone());
            let next = last.map_or_else(after_all, |last| PushPhase::Members { after: Some(last) });
            (Batch::of_members(unit, facts, &members).await?, next)
        }
        PushPhase::Ledger { after } => {
            let rows = unit.ledger(facts.list, after.as_ref(), AT_ONCE).await?;
            let last = rows.last().map(|row| row.profile.clone());
            let next = last.map_or_else(after_all, |last| PushPhase::Ledger { after: Some(last) });
            let mut batch = Batch::of_rows(unit, facts, rows).await?;
            // They were compared as members, or are others'.
            batch.compared = 0;
            (batch, next)
        }
        PushPhase::Changes { after } => {
            let found = changed(unit, pushing, after.as_deref(), size).await?;
            let batch = Batch::of_consumers(unit, facts, &found.consumers).await?;
            let next = found.next;
            let next = next.map_or_else(after_all, |next| PushPhase::Changes { after: Some(next) });
            (batch, next)
        }
        _ => (Batch::default(), after_all()),
    };
    Ok(People { batch, next, size })
}
