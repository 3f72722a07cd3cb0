//! Import jobs: profiles of many people are made by one request, while Klaviyo takes its time.
//!
//! A job is asked how far it is, and never which rows it has refused: when it is over, or has taken too long, the people are looked
//! for. Of whoever is not there a profile is made by a call of its own, whose answer says why there is none.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_domain::contact::NewProfile;
use fanfare_domain::ids::ConsumerId;
use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::ports::UnitOfWork;
use fanfare_domain::push::ImportUnderWay;
use fanfare_domain::waiting::{WaitReason, Waiting};
use fanfare_domain::writing::{ProfileUpsert, WriteError};
use tokio_util::sync::CancellationToken;

use super::calls::Trouble;
use super::counting::Asked;
use super::step::Pushing;
use super::unlinked::{Linked, Sought, link, links, makeable, of_making};
use super::writing::next_people;
use super::{AT_ONCE, Slice, Step};
use crate::error::Error;
use crate::klaviyo::CallError;

/// How long a job is waited for. What it does later is found by the next look.
const WAITED_FOR: Duration = Duration::from_mins(10);

/// How often it is asked how far it is, in its first minute and later.
const ASKED_EVERY: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(15)];

impl Slice<'_> {
    /// Starts a job that makes profiles.
    pub(super) async fn import(
        &mut self,
        mut pushing: Pushing,
        sought: &Sought,
        people: Vec<(ConsumerId, NewProfile)>,
        stop: &CancellationToken,
    ) -> Result<Linked, Error> {
        let klaviyo = &self.integration.klaviyo;
        let mut rows = rows(people);
        rows.truncate(klaviyo.profiles_that_fit(&rows));
        let call = klaviyo.start_import(&pushing.connection, &rows);
        let answer = match self.ask(call, stop).await? {
            Asked::NotInTime => return Ok(Linked::Step(Step::Continue)),
            Asked::Overtaken => return Ok(Linked::Step(Step::OVERTAKEN)),
            Asked::Answer(answer) => answer,
        };
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Linked::Step(Step::OVERTAKEN));
        };
        link(unit.as_mut(), links(sought)).await?;
        let next = match answer {
            Ok(job) => {
                pushing.run.import = Some(ImportUnderWay {
                    job: job.id,
                    since: self.integration.now(),
                });
                self.ask_later(unit, pushing, ASKED_EVERY[0]).await?
            }
            // Which rows it is about the calls of their own tell.
            Err(CallError::Klaviyo(WriteError::ContentRefused(_))) => {
                pushing.run.import_ended(rows.len(), rows.len(), 0);
                unit.put_push_run(&pushing.run).await?;
                unit.commit().await?;
                Step::Continue
            }
            Err(error) => self.after_trouble(unit, pushing, of_making(error)).await?,
        };
        Ok(Linked::Step(next))
    }

    /// Asks how far a job is. When it is not waited for any more, whom it has made is linked.
    pub(super) async fn follow_import(
        &mut self,
        mut pushing: Pushing,
        under_way: ImportUnderWay,
        stop: &CancellationToken,
    ) -> Result<Step, Error> {
        let klaviyo = &self.integration.klaviyo;
        let call = klaviyo.import_job(&pushing.connection, &under_way.job);
        let answer = match self.ask(call, stop).await? {
            Asked::NotInTime => return Ok(Step::Continue),
            Asked::Overtaken => return Ok(Step::OVERTAKEN),
            Asked::Answer(answer) => answer,
        };
        let waited = self.integration.now().since(under_way.since);
        let is_over = match answer {
            Ok(job) => job.state.is_over(),
            Err(CallError::Klaviyo(KlaviyoError::NotFound)) => true,
            Err(error) => {
                let trouble = Trouble::of_read(error);
                let Some(unit) = self.lease.begin().await? else {
                    return Ok(Step::OVERTAKEN);
                };
                return self.after_trouble(unit, pushing, trouble).await;
            }
        };
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::OVERTAKEN);
        };
        if !is_over && waited < WAITED_FOR {
            let wait = ASKED_EVERY[usize::from(waited > Duration::from_mins(1))];
            return self.ask_later(unit, pushing, wait).await;
        }
        let settings = unit.contact_settings().await?;
        let people = next_people(unit.as_mut(), &pushing, AT_ONCE).await?;
        let asked = makeable(&people.batch.unlinked, settings);
        unit.commit().await?;
        let sought = match self.seek(&pushing, &people.batch.unlinked, stop).await? {
            Asked::Overtaken => return Ok(Step::OVERTAKEN),
            Asked::NotInTime => return Ok(Step::Continue),
            Asked::Answer(sought) => sought,
        };
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::OVERTAKEN);
        };
        let sought = match sought {
            Ok(sought) => sought,
            Err(trouble) => return self.after_trouble(unit, pushing, trouble).await,
        };
        link(unit.as_mut(), links(&sought)).await?;
        let left = asked.iter().filter(|(id, _)| !sought.contains_key(id));
        let compared = people.batch.compared;
        pushing
            .run
            .import_ended(left.count(), asked.len(), compared);
        pushing.run.failures = 0;
        unit.put_push_run(&pushing.run).await?;
        unit.commit().await?;
        Ok(Step::Continue)
    }

    async fn ask_later(
        &mut self,
        unit: Box<dyn UnitOfWork>,
        pushing: Pushing,
        wait: Duration,
    ) -> Result<Step, Error> {
        let waiting = Waiting {
            until: self.integration.now().plus(wait),
            why: WaitReason::Retry,
        };
        self.after_trouble(unit, pushing, Trouble::Until(waiting))
            .await
    }
}

/// The rows of a job. A phone number is in one row: a second one would move it from the first.
fn rows(people: Vec<(ConsumerId, NewProfile)>) -> Vec<ProfileUpsert> {
    let mut phones = BTreeSet::new();
    let mut rows = Vec::new();
    for (_, new) in people {
        let mut row = new.upsert;
        let is_second = row
            .person
            .phone
            .as_ref()
            .is_some_and(|phone| !phones.insert(phone.clone()));
        if is_second {
            row.person.phone = None;
        }
        if row.person.email.is_some() || row.person.phone.is_some() {
            rows.push(row);
        }
    }
    rows
}
