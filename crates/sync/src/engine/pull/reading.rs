//! Reading: pages of members are requested for several partitions, and planned and written as they arrive.

use std::collections::HashSet;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{Known, PagePlan, keys, plan};
use fanfare_domain::ports::{MemberPage, PageWrite};
use fanfare_domain::profile::Profile;
use fanfare_domain::run::PagesTaken;
use fanfare_domain::scan::{JoinTimes, PartitionNumber, ScannedPage};
use tokio_util::sync::CancellationToken;

use super::fetching::{Fetched, Fetcher, Fetches};
use super::slice::{ActiveSlice, Step};
use crate::engine::drain::Drain;
use crate::error::Error;

impl<'a> ActiveSlice<'a> {
    /// Reads until the list is read completely or the slice has to end. Pages that are requested by then are
    /// still taken, so that no request was in vain.
    pub(super) async fn read(&mut self, stop: &'a CancellationToken) -> Result<Step, Error> {
        let mut fetches = Fetches::default();
        let (mut end, mut drain) = (None, Drain::default());
        loop {
            let is_ending = end.is_some() || stop.is_cancelled();
            if let Some(scan) = self.run.run().pass.scan().filter(|_| !is_ending) {
                let request = Fetcher {
                    integration: self.integration,
                    connection: self.connection.clone(),
                    collection: self.run.source().collection.clone(),
                    stop,
                };
                for partition in scan.ready() {
                    fetches.request(partition, &request);
                }
            }
            let arriving = drain.wait_for(fetches.arrived(), stop);
            let Some(arrived) = self.lease.keep_during(arriving).await? else {
                return Ok(Step::Lost);
            };
            let Some(arrived) = arrived.filter(|arrived| !arrived.is_empty()) else {
                return Ok(end.unwrap_or(Step::Continue));
            };
            match fetches.beside(self.take(arrived)).await? {
                Step::Continue => {}
                last @ (Step::Ended | Step::Lost) => return Ok(last),
                next => end = Some(next.after(end)),
            }
            if end.is_none() && fetches.beside(self.is_time_up()).await? {
                end = Some(Step::Yield);
            }
        }
    }

    /// Takes the pages that have arrived, and handles the calls that failed.
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
                Step::Continue => {}
                step => return Ok(step),
            }
        }
        for (partition, error) in errors {
            match self.handle_failed_call(Some(partition), error).await? {
                Step::Continue => {}
                step @ (Step::Ended | Step::Lost) => return Ok(step),
                step => end = Some(step.after(end)),
            }
        }
        Ok(end.unwrap_or(Step::Continue))
    }

    /// Writes everything that pages change, and the checkpoint after them, in one unit.
    async fn take_pages(
        &mut self,
        pages: Vec<(PartitionNumber, MemberPage)>,
    ) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let run = self.run.run();
        let started_at = run.started_at.unwrap_or(now);
        let mut profiles = Vec::new();
        let mut scanned = Vec::new();
        for (partition, page) in pages {
            let joins = JoinTimes::of(page.profiles.iter().map(|profile| profile.joined_at), now);
            let range = profiles.len()..profiles.len() + page.profiles.len();
            profiles.extend(page.profiles);
            scanned.push((partition, page.next, joins, range));
        }
        let (emails, ids) = keys(&profiles);
        let erasing = self
            .integration
            .erased(unit.as_mut(), &profiles, started_at);
        let erased = erasing.await?;
        let known = Known {
            erased,
            ..unit.known(&run.id, &emails, &ids).await?
        };
        let ids = self.integration.ports.ids.as_ref();
        let plan = plan(&profiles, known, started_at, now, ids);

        let write = PageWrite {
            run: &run.id,
            audience: &run.audience,
            plan: &plan,
            now,
        };
        let members_added = unit.write_page(write).await?;
        self.mark_progress();

        let mut new = NewProfiles::of(&plan);
        let scanned_page = |(partition, next, joins, range)| {
            let page: &[Profile] = &profiles[range];
            let page = ScannedPage {
                next,
                joins,
                profiles: page.len() as u64,
                new_profiles: new.take(page),
            };
            (partition, page)
        };
        let taken = PagesTaken {
            pages: scanned.into_iter().map(scanned_page).collect(),
            tally: plan.tally,
            members_added,
        };
        self.run.take_pages(taken, self.pace.partitions, now)?;
        let step = self.commit_step(unit).await?;
        self.index_search(plan.created.len() + plan.updated.len())
            .await;
        Ok(step)
    }
}

/// The profiles that the run has seen for the first time. Each page counts and removes its own.
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
