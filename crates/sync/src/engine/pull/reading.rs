//! Reading: pages of members are requested for several partitions, and planned and written as they arrive.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;

use fanfare_domain::ids::ProfileId;
use fanfare_domain::page::{Tally, plan};
use fanfare_domain::pass::Pass;
use fanfare_domain::ports::{MemberPage, StoreError, UnitOfWork};
use fanfare_domain::profile::Profile;
use fanfare_domain::quota::Kept;
use fanfare_domain::run::PagesTaken;
use fanfare_domain::scan::{JoinTimes, OneSecond, PartitionNumber, ScannedPage};
use fanfare_domain::time::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::comparing::count_before;
use super::fetching::{Fetched, Fetcher, Fetches};
use super::slice::{ActiveSlice, Step};
use super::writing::sets;
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
            if !is_ending && !fetches.have_arrived() {
                fetches.beside(self.index_meanwhile()).await;
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
        let (mut partitions, mut profiles) = (Vec::new(), Vec::new());
        for (partition, page) in pages {
            partitions.push((partition, page.next, page.profiles.len()));
            profiles.extend(page.profiles);
        }
        let mut written = self.write_profiles(&profiles, began_at).await;
        if self.look_ups.are_spared() && is_refused(&written) {
            debug!("the pages have somebody who was not looked up; they are planned anew");
            self.look_ups.all_from_now_on();
            written = self.write_profiles(&profiles, began_at).await;
        }
        let Some(written) = written? else {
            return Ok(Step::Lost);
        };
        self.mark_progress();

        let (mut rest, mut new) = (profiles.as_slice(), written.new);
        let mut scanned_page = |(partition, next, length)| {
            let (page, after) = rest.split_at(length);
            rest = after;
            // A profile that the run has seen for the first time is counted and taken by the first page with it.
            let new_profiles = page.iter().filter(|one| new.remove(&one.id)).count() as u64;
            let page = ScannedPage {
                next,
                joins: JoinTimes::of(page.iter().map(|one| one.joined_at), written.now),
                one_second: OneSecond::of(page.iter().map(|one| (&one.id, one.joined_at))),
                profiles: length as u64,
                new_profiles,
            };
            (partition, page)
        };
        let taken = PagesTaken {
            pages: partitions.into_iter().map(&mut scanned_page).collect(),
            tally: written.tally,
            members_added: written.members_added,
            consumers_met: written.consumers_met,
        };
        self.run
            .take_pages(taken, self.pace.partitions, written.now)?;
        let step = self.commit_step(written.unit).await?;
        self.index_search(written.consumers).await;
        Ok(step)
    }

    /// Writes what the profiles of pages change, set by set. `None` if the lease is lost.
    async fn write_profiles(
        &mut self,
        profiles: &[Profile],
        began_at: Timestamp,
    ) -> Result<Option<Written>, Error> {
        let Some(unit) = self.lease.begin().await? else {
            return Ok(None);
        };
        let now = self.integration.now();
        let mut written = Written::begun(unit, now);
        let is_incremental = matches!(self.run.run().pass, Pass::Incremental(_));
        let ids = self.integration.ports.ids.as_ref();
        for profiles in sets(profiles) {
            let new = &mut written.new;
            let plan = |known, started_at| {
                let mut plan = plan(profiles, known, started_at, now, ids);
                new.extend(plan.seen_profiles.iter().map(|seen| seen.profile.clone()));
                if is_incremental {
                    // Nobody is removed by it, so that nobody asks whom it has seen.
                    plan.seen_profiles.clear();
                }
                plan
            };
            let mut look_ups = std::mem::take(&mut self.look_ups);
            let unit = written.unit.as_mut();
            let set = self.write_set(unit, profiles, &mut look_ups, (began_at, now), plan);
            let set = set.await;
            self.look_ups = look_ups;
            let (plan, added) = set?;
            // If another set is refused, nothing stands in the pages that this one has been told of.
            self.seen.add(&plan.seen_profiles);
            written.members_added += added;
            written.consumers_met += plan.consumers_met;
            written.consumers += plan.created.len() + plan.updated.len();
            written.tally += plan.tally;
        }
        Ok(Some(written))
    }
}

/// What pages have changed.
struct Written {
    unit: Box<dyn UnitOfWork>,
    now: Timestamp,
    /// Profiles that the run has seen for the first time.
    new: HashSet<ProfileId>,
    tally: Tally,
    members_added: u64,
    consumers_met: u64,
    /// How many consumers were written.
    consumers: usize,
}

impl Written {
    /// Nothing so far.
    fn begun(unit: Box<dyn UnitOfWork>, now: Timestamp) -> Self {
        Self {
            unit,
            now,
            new: HashSet::new(),
            tally: Tally::default(),
            members_added: 0,
            consumers_met: 0,
            consumers: 0,
        }
    }
}

/// Whether the store has refused a plan.
const fn is_refused<T>(written: &Result<T, Error>) -> bool {
    matches!(written, Err(Error::Store(StoreError::Refused(_))))
}
