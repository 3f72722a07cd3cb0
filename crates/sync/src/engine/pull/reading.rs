//! Reading: pages of members are requested for several partitions, and planned and written as they arrive.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{Tally, plan};
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::MemberPage;
use fanfare_domain::quota::Kept;
use fanfare_domain::run::PagesTaken;
use fanfare_domain::scan::{JoinTimes, OneSecond, PartitionNumber, ScannedPage};
use fanfare_domain::time::Timestamp;
use tokio_util::sync::CancellationToken;

use super::comparing::count_before;
use super::fetching::{Fetched, Fetcher, Fetches};
use super::slice::{ActiveSlice, Step};
use super::writing::next_set;
use crate::engine::drain::Drain;
use crate::error::Error;

impl<'a> ActiveSlice<'a> {
    /// Reads until the list is read completely or the slice has to end. Pages that are requested by then are
    /// still taken, so that no request was in vain.
    pub(super) async fn read(&mut self, stop: &'a CancellationToken) -> Result<Step, Error> {
        let lease = self.lease;
        let Some(indexed) = lease.keep_during(self.index_seen()).await? else {
            return Ok(Step::Lost);
        };
        indexed?;
        let mut fetches = Fetches::default();
        let (mut end, mut drain) = (None, Drain::default());
        let (ending, largest) = (stop.child_token(), Arc::default());
        if self.run.is_uncounted() {
            fetches.count(self.count_meanwhile());
        }
        loop {
            if let Some(profiles) = fetches.counted() {
                self.run.count(profiles);
            }
            if end.is_some() {
                ending.cancel();
            }
            let is_ending = end.is_some() || stop.is_cancelled();
            if let Some(scan) = self.run.run().pass.scan().filter(|_| !is_ending) {
                let request = Fetcher {
                    integration: self.integration,
                    memory: &self.engine.page_memory,
                    organization: self.lease.organization(),
                    connection: self.connection.clone(),
                    collection: self.run.source().collection.clone(),
                    ending: ending.clone(),
                    largest: Arc::clone(&largest),
                };
                let progress = &self.run.run().progress;
                let left = progress.total.unwrap_or(u64::MAX);
                let left = scan.pages_of(left.saturating_sub(progress.tally.processed));
                let chains = Kept::for_readers(scan.chain_readers(), left);
                // A sync lasts as long as its longest chain, so chains come first.
                let (first, rest): (Vec<_>, _) = scan.ready().partition(|one| one.chain.is_some());
                for partition in first.into_iter().chain(rest) {
                    fetches.request(partition, chains, &request);
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

    /// A list that could not be counted when it was opened, because the quota of counts was used up, is counted while it is read:
    /// among how many readers it is divided depends on that.
    fn count_meanwhile(&self) -> impl Future<Output = Option<u64>> + Send + use<'a> {
        let (integration, connection) = (self.integration, Arc::clone(&self.connection));
        let collection = self.run.source().collection.clone();
        async move { count_before(integration, &connection, &collection, None).await }
    }

    /// Takes the pages that have arrived, and handles the calls that failed.
    async fn take(&mut self, arrived: Vec<Fetched>) -> Result<Step, Error> {
        let (mut pages, mut errors) = (Vec::new(), Vec::new());
        // Until the pages have been written.
        let mut rooms = Vec::new();
        let mut earliest = self.integration.now();
        for fetched in arrived {
            let Fetched {
                partition,
                answer,
                began_at,
                room,
            } = fetched;
            rooms.push(room);
            earliest = earliest.min(began_at);
            match answer {
                Ok(page) => pages.push((partition, page)),
                Err(error) => errors.push((partition, error)),
            }
        }
        let mut end = None;
        if !pages.is_empty() {
            match self.take_pages(pages, earliest).await? {
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
        began_at: Timestamp,
    ) -> Result<Step, Error> {
        let Some(mut unit) = self.lease.begin().await? else {
            return Ok(Step::Lost);
        };
        let now = self.integration.now();
        let is_incremental = matches!(self.run.run().pass, Pass::Incremental(_));
        let mut scanned = Vec::new();
        let mut profiles = Vec::new();
        for (partition, page) in pages {
            let joins = JoinTimes::of(page.profiles.iter().map(|profile| profile.joined_at), now);
            let members = page.profiles.iter().map(|one| (&one.id, one.joined_at));
            let one_second = OneSecond::of(members);
            let ids: Vec<ProfileId> = page.profiles.iter().map(|one| one.id.clone()).collect();
            scanned.push((partition, page.next, joins, one_second, ids));
            profiles.extend(page.profiles);
        }
        let ids = self.integration.ports.ids.as_ref();
        let (mut new, mut tally) = (HashSet::new(), Tally::default());
        let (mut members_added, mut consumers_met, mut written) = (0, 0, 0);
        let mut rest = profiles.into_iter().peekable();
        while rest.peek().is_some() {
            let profiles = next_set(&mut rest);
            let plan = |known, started_at| {
                let mut plan = plan(&profiles, known, started_at, now, ids);
                new.extend(plan.seen_profiles.iter().map(|seen| seen.profile.clone()));
                if is_incremental {
                    // Nobody is removed by it, so that nobody asks whom it has seen.
                    plan.seen_profiles.clear();
                }
                plan
            };
            let (plan, added) = self
                .write_set(unit.as_mut(), &profiles, began_at, now, plan)
                .await?;
            self.seen.add(&plan.seen_profiles);
            members_added += added;
            consumers_met += plan.consumers_met;
            written += plan.created.len() + plan.updated.len();
            tally += plan.tally;
        }
        self.mark_progress();

        let scanned_page =
            |(partition, next, joins, one_second, ids): (_, _, _, _, Vec<ProfileId>)| {
                // A profile that the run has seen for the first time is counted and taken by the first page with it.
                let new_profiles = ids.iter().filter(|id| new.remove(*id)).count() as u64;
                let page = ScannedPage {
                    next,
                    joins,
                    one_second,
                    profiles: ids.len() as u64,
                    new_profiles,
                };
                (partition, page)
            };
        let taken = PagesTaken {
            pages: scanned.into_iter().map(scanned_page).collect(),
            tally,
            members_added,
            consumers_met,
        };
        self.run.take_pages(taken, self.pace.partitions, now)?;
        let step = self.commit_step(unit).await?;
        self.index_search(written).await;
        Ok(step)
    }
}
