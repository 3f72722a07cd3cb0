//! Pages of members: asked for by several partitions, planned and written as they come.

use std::collections::HashSet;

use fanfare_domain::failure::FailureCode;
use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{PagePlan, keys, plan};
use fanfare_domain::ports::{MemberPage, PageWrite};
use fanfare_domain::profile::Profile;
use fanfare_domain::scan::{JoinTimes, PartitionNumber, Phase, ScannedPage};
use tokio_util::sync::CancellationToken;

use super::drain::Drain;
use super::fetching::{Fetched, Fetcher, Fetches};
use super::slice::{ActiveSlice, Step, save};
use crate::error::Error;

impl<'a> ActiveSlice<'a> {
    /// Reads until the list is read, or something is in the way. What was asked for by then is taken
    /// first: nothing is fetched for nothing.
    pub(super) async fn read(&mut self, stop: &'a CancellationToken) -> Result<Step, Error> {
        let mut fetches = Fetches::default();
        let (mut end, mut drain) = (None, Drain::default());
        loop {
            let is_ending = end.is_some() || stop.is_cancelled();
            if !is_ending && self.run.checkpoint.phase == Phase::Reading {
                let by = Fetcher {
                    integration: self.integration,
                    connection: self.connection.clone(),
                    collection: self.source.collection.clone(),
                    stop,
                };
                for partition in self.run.checkpoint.ready() {
                    fetches.ask(partition, &by);
                }
            }
            let arriving = drain.wait_for(fetches.arrived(), stop);
            let Some(arrived) = self.lease.keep_during(arriving).await? else {
                return Ok(Step::Lost);
            };
            let Some(arrived) = arrived.filter(|arrived| !arrived.is_empty()) else {
                return Ok(end.unwrap_or(Step::Go));
            };
            match fetches.beside(self.take(arrived)).await? {
                Step::Go => {}
                last @ (Step::Ended | Step::Lost) => return Ok(last),
                next => end = Some(next.after(end)),
            }
            if end.is_none() && fetches.beside(self.is_time_up()).await? {
                end = Some(Step::Yield);
            }
        }
    }

    /// Takes the pages, and does what is to be done about each that did not come.
    async fn take(&mut self, arrived: Vec<Fetched>) -> Result<Step, Error> {
        let (mut pages, mut errors) = (Vec::new(), Vec::new());
        for Fetched { partition, answer } in arrived {
            match answer {
                Ok(page) => pages.push((partition, page)),
                Err(error) => errors.push((partition, error)),
            }
        }
        let mut end = None;
        if !pages.is_empty() {
            match self.take_pages(pages).await? {
                Step::Go => {}
                step => return Ok(step),
            }
        }
        for (partition, error) in errors {
            match self.not_answered(partition, error).await? {
                Step::Go => {}
                step @ (Step::Ended | Step::Lost) => return Ok(step),
                step => end = Some(step.after(end)),
            }
        }
        Ok(end.unwrap_or(Step::Go))
    }

    /// Everything that pages change, and the checkpoint behind them, in one unit.
    async fn take_pages(
        &mut self,
        pages: Vec<(PartitionNumber, MemberPage)>,
    ) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let started_at = self.run.started_at.unwrap_or(now);
        let mut profiles = Vec::new();
        let mut taken = Vec::new();
        for (partition, page) in pages {
            let joins = JoinTimes::of(page.profiles.iter().map(|profile| profile.joined_at), now);
            let range = profiles.len()..profiles.len() + page.profiles.len();
            profiles.extend(page.profiles);
            taken.push((partition, page.next, joins, range));
        }
        let (emails, ids) = keys(&profiles);
        let known = unit.known(&self.run.id, &emails, &ids).await?;
        let ids = self.integration.ports.ids.as_ref();
        let plan = plan(&profiles, known, started_at, now, ids);

        let write = PageWrite {
            run: &self.run.id,
            audience: &self.run.audience,
            plan: &plan,
            now,
        };
        let added = unit.write_page(write).await?;
        self.run
            .count_pages(taken.len() as u64, plan.tally, added)?;
        self.has_progress = true;

        let mut new = NewProfiles::of(&plan);
        for (partition, next, joins, range) in taken {
            let page = &profiles[range];
            let page = ScannedPage {
                next,
                joins,
                profiles: page.len() as u64,
                new_profiles: new.take(page),
            };
            if self.run.advance(partition, page).is_err() {
                let message = "Klaviyo's pages of this list lead in a circle. The profiles of the \
                    pages read so far were kept. Sync again later.";
                return self
                    .fail(unit, FailureCode::CursorLoop, message.to_owned())
                    .await;
            }
        }
        self.run.split(self.pace.partitions, started_at);
        self.source = save(unit.as_mut(), &self.run, self.source.clone(), now).await?;
        unit.commit().await?;
        Ok(Step::Go)
    }
}

/// The profiles that were seen for the first time, for each page to count its own.
struct NewProfiles<'a>(HashSet<&'a ProfileId>);

impl<'a> NewProfiles<'a> {
    fn of(plan: &'a PagePlan) -> Self {
        Self(
            plan.seen_profiles
                .iter()
                .map(|seen| &seen.profile)
                .collect(),
        )
    }

    fn take(&mut self, page: &[Profile]) -> u64 {
        let new = page.iter().filter(|profile| self.0.remove(&profile.id));
        new.count() as u64
    }
}
