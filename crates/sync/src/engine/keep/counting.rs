//! What a push would change, counted before it changes anything, and whether that needs a person.

use std::collections::BTreeSet;

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
    let changes = unit
        .changes(&pushing.kept.audience, &range, AT_ONCE)
        .await?;
    let is_full = changes.len() == AT_ONCE as usize;
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
        &self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        after: Option<ConsumerId>,
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
        let adds = batch.difference(|_| Presence::Absent).adds.len() as u64;
        pushing.run.counted.adds += adds;
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
        &self,
        mut unit: Box<dyn UnitOfWork>,
        mut pushing: Pushing,
        after: Option<String>,
    ) -> Result<Step, Error> {
        if after.is_none() {
            begin_to_count(unit.as_ref(), &mut pushing)?;
        }
        let found = changed(unit.as_mut(), &pushing, after.as_deref()).await?;
        let facts = Facts::of(&pushing.kept);
        let batch = Batch::of_consumers(unit.as_mut(), facts, &found.consumers).await?;
        let difference = batch.difference(|_| Presence::Unknown);
        let run = &mut pushing.run;
        run.counted.adds += (difference.adds.len() + difference.to_look_up.len()) as u64;
        run.counted.removes += difference.removes.len() as u64;
        run.progress.total = Some(run.progress.total.unwrap_or_default() + batch.compared);
        let next = match found.next {
            Some(next) => PushPhase::CountingChanges { after: Some(next) },
            None => pushing.run.next_phase(),
        };
        self.go_on(unit, &mut pushing, next).await
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
        let call = self.lease.keep_during(call);
        let Some(kept) = self.drain.wait_for(call, stop).await else {
            return Ok(Asked::NotInTime);
        };
        let Some(answer) = kept? else {
            return Ok(Asked::Overtaken);
        };
        Ok(Asked::Answer(match answer {
            Ok(flows) => Ok(Some(flows)),
            Err(CallError::Klaviyo(KlaviyoError::ScopeMissing(_) | KlaviyoError::NotPermitted)) => {
                Ok(None)
            }
            Err(error) => Err(Trouble::of_read(error)),
        }))
    }
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

/// From this unit on, what changes in the audience is for another push.
fn begin_to_count(unit: &dyn UnitOfWork, pushing: &mut Pushing) -> Result<(), Error> {
    let began = unit.writing_since()?;
    pushing.run.follows_from = Some(moment_before(began));
    pushing.run.counted = PushCounts::default();
    pushing.run.progress.total = None;
    Ok(())
}
