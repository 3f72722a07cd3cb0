//! What a push would change, counted before it changes anything, and whether that needs a person.

use std::collections::BTreeSet;

use fanfare_domain::consumer::Consumer;
use fanfare_domain::history::{ChangeKey, ChangeRange, moment_before};
use fanfare_domain::ids::{ConsumerId, ProfileId};
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::{
    MustConfirm, PUSH_LIMIT, Presence, PushCounts, PushMode, PushPhase, may_follow,
};
use fanfare_domain::run::Trigger;
use fanfare_domain::writing::Flow;
use tokio_util::sync::CancellationToken;

use super::calls::Trouble;
use super::step::Pushing;
use super::unlinked::{Sought, link, links, makeable};
use super::{AT_ONCE, Slice, Step};
use crate::error::Error;
use crate::kept_lists::{Batch, Facts};
use crate::klaviyo::CallError;

/// Consumers whose membership has changed, and the change from which the next ones follow.
pub(super) struct Changed {
    pub(super) consumers: Vec<ConsumerId>,
    pub(super) next: Option<String>,
}

/// The next consumers whose membership has changed since the list was what the audience was.
pub(super) async fn changed(
    unit: &mut dyn UnitOfWork,
    pushing: &Pushing,
    after: Option<&str>,
    size: u32,
) -> Result<Changed, Error> {
    let Some(since) = pushing.kept.followed_until else {
        return Ok(Changed {
            consumers: Vec::new(),
            next: None,
        });
    };
    let range = ChangeRange {
        since,
        until: None,
        after: after.and_then(ChangeKey::parse),
    };
    let changes = unit.changes(&pushing.kept.audience, &range, size).await?;
    let is_full = changes.len() == size as usize;
    let last = changes.last().filter(|_| is_full);
    let next = last.map(|change| change.key().to_text());
    let consumers: BTreeSet<ConsumerId> = changes.into_iter().map(|it| it.consumer).collect();
    Ok(Changed {
        consumers: consumers.into_iter().collect(),
        next,
    })
}

impl Slice<'_> {
    /// Counts some members of the audience who are not in the list. From the first on, later changes are another push's.
    pub(super) async fn count_members(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        after: Option<ConsumerId>,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        if after.is_none() {
            begin_to_count(unit.as_ref(), &mut pushing)?;
            let members = unit.member_count(&pushing.kept.audience).await?;
            pushing.run.progress.total = Some(members);
        }
        let page = PageRequest {
            first: AT_ONCE,
            after: after.map(|after| after.to_string()),
        };
        let read = unit.members(&pushing.kept.audience, None, &page).await?;
        let members: Vec<_> = read.items.into_iter().map(|it| it.consumer).collect();
        let batch = Batch::of_members(unit.as_mut(), Facts::of(&pushing.kept), &members).await?;
        let unlinked = &batch.unlinked;
        let (mut unit, mut pushing, sought) =
            match self.sought(unit, pushing, unlinked, stop).await? {
                Counting::Step(end) => return Ok(end),
                Counting::On(unit, pushing, sought) => (unit, *pushing, sought),
            };
        let batch = if sought.is_empty() {
            batch
        } else {
            Batch::of_members(unit.as_mut(), Facts::of(&pushing.kept), &members).await?
        };
        let new = new_profiles(unit.as_mut(), &batch, &sought).await?;
        let adds = batch.difference(|_| Presence::Absent).adds.len() as u64;
        pushing.run.counted.adds += adds + new;
        let next = match members.last() {
            Some(last) => PushPhase::CountingMembers {
                after: Some(last.id.clone()),
            },
            None => pushing.run.next_phase(),
        };
        self.go_on(unit, &mut pushing, next).await
    }

    /// Counts some of those whom we added and who are no members any more.
    pub(super) async fn count_ledger(
        &self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        after: Option<ProfileId>,
    ) -> Result<Step, Error> {
        let rows = unit
            .ledger(&pushing.kept.list, after.as_ref(), AT_ONCE)
            .await?;
        let last = rows.last().map(|row| row.profile.clone());
        let batch = Batch::of_rows(unit.as_mut(), Facts::of(&pushing.kept), rows).await?;
        let removes = batch.difference(|_| Presence::Absent).removes.len() as u64;
        pushing.run.counted.removes += removes;
        let next = match last {
            Some(last) => PushPhase::CountingLedger { after: Some(last) },
            None => pushing.run.next_phase(),
        };
        self.go_on(unit, &mut pushing, next).await
    }

    /// Counts some of what has changed.
    pub(super) async fn count_changes(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        after: Option<String>,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        if after.is_none() {
            begin_to_count(unit.as_ref(), &mut pushing)?;
        }
        let found = changed(unit.as_mut(), &pushing, after.as_deref(), AT_ONCE).await?;
        let facts = Facts::of(&pushing.kept);
        let batch = Batch::of_consumers(unit.as_mut(), facts, &found.consumers).await?;
        let unlinked = &batch.unlinked;
        let (mut unit, mut pushing, sought) =
            match self.sought(unit, pushing, unlinked, stop).await? {
                Counting::Step(end) => return Ok(end),
                Counting::On(unit, pushing, sought) => (unit, *pushing, sought),
            };
        let batch = if sought.is_empty() {
            batch
        } else {
            let facts = Facts::of(&pushing.kept);
            Batch::of_consumers(unit.as_mut(), facts, &found.consumers).await?
        };
        let new = new_profiles(unit.as_mut(), &batch, &sought).await?;
        let difference = batch.difference(|_| Presence::Unknown);
        let run = &mut pushing.run;
        run.counted.adds += (difference.adds.len() + difference.to_look_up.len()) as u64 + new;
        run.counted.removes += difference.removes.len() as u64;
        run.progress.total = Some(run.progress.total.unwrap_or_default() + batch.compared);
        let next = match found.next {
            Some(next) => PushPhase::CountingChanges { after: Some(next) },
            None => pushing.run.next_phase(),
        };
        self.go_on(unit, &mut pushing, next).await
    }

    /// Looks in Klaviyo for members of whom no profile is known, and links whose was found. So what is counted then is what it is.
    async fn sought(
        &mut self,
        unit: Box<dyn UnitOfWork>,
        pushing: Pushing,
        unlinked: &[Consumer],
        stop: &CancellationToken,
    ) -> Result<Counting, Error> {
        if unlinked.is_empty() {
            return Ok(Counting::On(unit, Box::new(pushing), Sought::new()));
        }
        unit.commit().await?;
        let sought = match self.seek(&pushing, unlinked, stop).await? {
            Asked::Overtaken => return Ok(Counting::Step(Step::OVERTAKEN)),
            Asked::NotInTime => return Ok(Counting::Step(Step::Continue)),
            Asked::Answer(sought) => sought,
        };
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Counting::Step(Step::OVERTAKEN));
        };
        match sought {
            Ok(sought) => {
                link(unit.as_mut(), links(&sought)).await?;
                Ok(Counting::On(unit, Box::new(pushing), sought))
            }
            Err(trouble) => Ok(Counting::Step(
                self.after_trouble(unit, pushing, trouble).await?,
            )),
        }
    }

    /// Compares what was counted with what may be done.
    pub(super) async fn decide_on_counts(
        &mut self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        let (counted, limit) = (
            pushing.run.counted,
            unit.push_limit().await?.unwrap_or(PUSH_LIMIT),
        );
        if pushing.run.trigger == Trigger::Manual {
            let allowed = pushing.run.allowed;
            let is_confirmed = counted.adds <= allowed.adds && counted.removes <= allowed.removes;
            // What is so little needs no confirmation, whoever was told of what.
            if !is_confirmed && counted.adds + counted.removes > limit {
                return self
                    .wait_for_person(unit, pushing, MustConfirm::TooMany)
                    .await;
            }
        } else {
            let flows = if counted.adds == 0 {
                None
            } else {
                unit.commit().await?;
                match self.flows(&pushing, stop).await? {
                    Asked::Overtaken => return Ok(Step::OVERTAKEN),
                    Asked::NotInTime => return Ok(Step::Continue),
                    Asked::Answer(flows) => {
                        let Some(again) = self.lease.begin().await? else {
                            return Ok(Step::OVERTAKEN);
                        };
                        unit = again;
                        match flows {
                            Ok(flows) => flows,
                            Err(trouble) => {
                                return self.after_trouble(unit, pushing, trouble).await;
                            }
                        }
                    }
                }
            };
            let confirmed = pushing.kept.confirmed_flows.as_deref();
            if let Err(why) = may_follow(counted, limit, flows.as_deref(), confirmed) {
                return self.wait_for_person(unit, pushing, why).await;
            }
        }
        // What changes meanwhile may be as much as may change at any time.
        let run = &mut pushing.run;
        run.allowed = PushCounts {
            adds: counted.adds.saturating_add(limit),
            removes: counted.removes.saturating_add(limit),
        };
        if run.mode == PushMode::Full {
            run.progress.total = run
                .progress
                .total
                .map(|members| members.max(run.progress.processed));
        }
        let next = run.next_phase();
        self.go_on(unit, &mut pushing, next).await
    }

    /// The flows that joining the list starts now; `None` where the key may not read them.
    async fn flows(
        &mut self,
        pushing: &Pushing,
        stop: &CancellationToken,
    ) -> Result<Asked<Result<Option<Vec<Flow>>, Trouble>>, Error> {
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.flows_of_list(&pushing.connection, &pushing.kept.list);
        let asked = self.ask(call, stop).await?;
        Ok(asked.map(|answer| match answer {
            Ok(flows) => Ok(Some(flows)),
            Err(CallError::Klaviyo(KlaviyoError::ScopeMissing(_) | KlaviyoError::NotPermitted)) => {
                Ok(None)
            }
            Err(error) => Err(Trouble::of_read(error)),
        }))
    }
}

/// Whether the step goes on counting.
enum Counting {
    /// In this unit, with those who were found.
    On(Box<dyn UnitOfWork>, Box<Pushing>, Sought),
    /// This became of it.
    Step(Step),
}

/// For how many people a profile will be made.
async fn new_profiles(
    unit: &mut dyn UnitOfWork,
    batch: &Batch,
    sought: &Sought,
) -> Result<u64, Error> {
    if batch.unlinked.is_empty() {
        return Ok(0);
    }
    let new = makeable(&batch.unlinked, unit.contact_settings().await?);
    let new = new.iter().filter(|(id, _)| !sought.contains_key(id));
    Ok(new.count() as u64)
}

/// What came of a question.
pub(super) enum Asked<T> {
    /// This.
    Answer(T),
    /// Another worker has the work.
    Overtaken,
    /// The worker has to stop, and no answer came in time.
    NotInTime,
}

impl<T> Asked<T> {
    pub(super) fn map<U>(self, of: impl FnOnce(T) -> U) -> Asked<U> {
        match self {
            Self::Answer(answer) => Asked::Answer(of(answer)),
            Self::Overtaken => Asked::Overtaken,
            Self::NotInTime => Asked::NotInTime,
        }
    }
}

impl Slice<'_> {
    /// Waits for a call's answer, and keeps the lease meanwhile.
    pub(super) async fn ask<T>(
        &mut self,
        call: impl Future<Output = T>,
        stop: &CancellationToken,
    ) -> Result<Asked<T>, Error> {
        let kept = self.lease.keep_during(call);
        Ok(match self.drain.wait_for(kept, stop).await {
            None => Asked::NotInTime,
            Some(kept) => kept?.map_or(Asked::Overtaken, Asked::Answer),
        })
    }
}

/// From this unit on, what changes in the audience is for another push.
fn begin_to_count(unit: &dyn UnitOfWork, pushing: &mut Pushing) -> Result<(), Error> {
    let began = unit.writing_since()?;
    pushing.run.follows_from = Some(moment_before(began));
    pushing.run.counted = PushCounts::default();
    pushing.run.progress.total = None;
    Ok(())
}
