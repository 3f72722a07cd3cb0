//! How fast a store takes a sync's pages.
//!
//! Writes pages of a hundred profiles as the engine does, each in one transaction: renew the lease,
//! read what is known, decide, write the page, save the run. First into an empty store, then the
//! same profiles in a second run, then with every name changed, with the index of searches brought on in between.
//! At the end members are searched. No Klaviyo, no HTTP.

use std::error::Error;
use std::time::{Duration, Instant};

use fanfare_domain::ids::{AudienceId, Cursor, OrganizationId, ProfileId, RunId, SourceId};
use fanfare_domain::lease::FencingToken;
use fanfare_domain::page::{SeenIndex, keys, plan};
use fanfare_domain::paging::PageRequest;
use fanfare_domain::ports::{Clock, Ids, PageWrite, Store};
use fanfare_domain::profile::{Attribute, Profile};
use fanfare_domain::run::{Opened, PagesTaken, SourceRun, SyncRun};
use fanfare_domain::scan::ScannedPage;
use fanfare_domain::search_index::SECTION;
use fanfare_domain::time::Timestamp;
use fanfare_domain::work::WorkKey;
use ulid::Ulid;

use crate::build;
use crate::seen;

type Outcome<T> = Result<T, Box<dyn Error>>;

const PAGE: u64 = 100;
const BATCH: u32 = 1_000;

/// Pages of seen profiles of a batch.
const SEEN_PAGES: u32 = 22;
const LEASE: Duration = Duration::from_hours(1);

/// A clock that begins on a fixed day.
#[derive(Debug, Clone, Copy)]
pub struct Running(Instant);

impl Running {
    /// A clock that begins now.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for Running {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Running {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").map_or_else(
            || unreachable!("a time of this age"),
            |start| start.plus(self.0.elapsed()),
        )
    }
}

struct Fresh;

impl Ids for Fresh {
    fn ulid(&self) -> Ulid {
        Ulid::generate()
    }
}

/// Writes this many profiles into an empty store, three times over, and prints how fast each pass was. The clock
/// is the one that the store measures leases by.
pub async fn measure(store: &dyn Store, clock: Running, profiles: u64) -> Outcome<()> {
    let bench = Bench {
        store,
        clock,
        organization: OrganizationId::new(Ulid::generate()),
        source: SourceId::new(Ulid::generate()),
        audience: AudienceId::new(Ulid::generate()),
        profiles,
    };
    println!("{profiles} profiles in pages of {PAGE}");
    bench.pass("new profiles", "Ada").await?;
    bench.pass("nothing changed", "Ada").await?;
    bench.pass("every name changed", "Grace").await?;
    bench.search_all().await
}

struct Bench<'s> {
    store: &'s dyn Store,
    clock: Running,
    organization: OrganizationId,
    source: SourceId,
    audience: AudienceId,
    profiles: u64,
}

impl Bench<'_> {
    async fn pass(&self, title: &str, name: &str) -> Outcome<()> {
        let mut run = self.queue().await?;
        let work = WorkKey::pull(&run.run().id);
        let mut unit = self.store.begin(&self.organization).await?;
        let claim = unit.claim(&work, LEASE).await?.ok_or("no claim")?;
        let now = self.clock.now();
        run.claim(claim.abandoned, now)?;
        let opened = Opened {
            members: unit.member_count(&self.audience).await?,
            link_moves: unit.link_moves().await?,
            ..Opened::default()
        };
        run.open(opened, now)?;
        unit.save_run(&run).await?;
        unit.commit().await?;

        let began = Instant::now();
        let (mut in_store, mut slowest) = (Duration::ZERO, Duration::ZERO);
        let (mut indexing, mut unindexed) = (Duration::ZERO, 0);
        let mut seen = SeenIndex::of_run(Some(self.profiles));
        for first in (0..self.profiles).step_by(usize::try_from(PAGE)?) {
            let last = (first + PAGE).min(self.profiles);
            let page: Vec<Profile> = (first..last).map(|n| profile(n, name)).collect();
            let next = (last < self.profiles).then_some(last);
            let taken = self.take(&mut run, claim.token, &mut seen, &page, next);
            let (took, written) = taken.await?;
            unindexed += written;
            if unindexed >= SECTION as usize || next.is_none() {
                unindexed = 0;
                indexing += self.index().await?;
            }
            in_store += took;
            slowest = slowest.max(took);
        }
        let (reading, reconciling_began) = (began.elapsed(), Instant::now());
        self.reconcile(run.run()).await?;
        let reconciling = reconciling_began.elapsed();

        let mut unit = self.store.begin(&self.organization).await?;
        run.cancel("The measurement is over.", self.clock.now())?;
        unit.save_run(&run).await?;
        unit.dequeue(&work).await?;
        unit.commit().await?;
        while {
            let mut unit = self.store.begin(&self.organization).await?;
            let deleted = unit.delete_seen_pages(BATCH).await?;
            unit.commit().await?;
            deleted > 0
        } {}

        let rate = |time: Duration| u128::from(self.profiles) * 1_000 / time.as_millis().max(1);
        println!(
            "{title:>20}: {:>7} profiles/s ({} without deciding), slowest page {slowest:.1?}, \
             indexed in {indexing:.2?}, reconciled in {reconciling:.2?}",
            rate(reading),
            rate(in_store),
        );
        Ok(())
    }

    /// Brings the index of searches on, as the engine does. Returns how long it took.
    async fn index(&self) -> Outcome<Duration> {
        let began = Instant::now();
        loop {
            let mut unit = self.store.begin(&self.organization).await?;
            if !unit.index_search(SECTION).await? {
                return Ok(began.elapsed());
            }
            unit.commit().await?;
        }
    }

    /// Searches members for texts that few, all and none have.
    async fn search_all(&self) -> Outcome<()> {
        const TIMES: usize = 50;
        let one = profile(self.profiles / 2, "Grace");
        let email = one.usable_email().ok_or("an e-mail")?;
        for needle in [
            "no such text anywhere",
            "zq",
            "xyz",
            "gr",
            "00",
            "example.com",
            "lovelace 77",
            "ce love",
            "+1555",
            email.as_str(),
        ] {
            let mut times = Vec::new();
            let mut found = 0;
            for _ in 0..TIMES {
                let began = Instant::now();
                let mut unit = self.store.search(&self.organization).await?;
                let page = PageRequest {
                    first: 20,
                    after: None,
                };
                let page = unit.members(&self.audience, Some(needle), &page).await?;
                found = page.items.len();
                times.push(began.elapsed());
            }
            times.sort_unstable();
            let needle = if needle == email.as_str() {
                "an e-mail"
            } else {
                needle
            };
            println!(
                "{needle:>22}: {found:>2} found, p50 {:.1?}, p99 {:.1?}",
                times[TIMES / 2],
                times[TIMES * 99 / 100]
            );
        }
        Ok(())
    }

    /// Plans and writes a page. Returns the time that was spent in the store, and how many consumers were written.
    async fn take(
        &self,
        run: &mut SourceRun,
        token: FencingToken,
        seen: &mut SeenIndex,
        page: &[Profile],
        next: Option<u64>,
    ) -> Outcome<(Duration, usize)> {
        let began = Instant::now();
        let now = self.clock.now();
        let mut unit = self.store.begin(&self.organization).await?;
        if !unit
            .renew(&WorkKey::pull(&run.run().id), token, LEASE)
            .await?
        {
            return Err("the lease is lost".into());
        }
        let (emails, profiles) = keys(page);
        let known = unit.known(&run.run().id, seen, &emails, &profiles).await?;
        let decision_began = Instant::now();
        let plan = plan(page, known, now, now, &Fresh);
        let deciding = decision_began.elapsed();
        let write = PageWrite {
            run: &run.run().id,
            audience: &self.audience,
            plan: &plan,
            first_seen_page: seen.last_page() + 1,
            now,
        };
        let added = unit.write_page(write).await?;
        seen.add(&plan.seen_profiles);
        let scanned = ScannedPage {
            next: next
                .map(|next| Cursor::parse(next.to_string()))
                .transpose()?,
            profiles: page.len() as u64,
            new_profiles: plan.seen_profiles.len() as u64,
            ..ScannedPage::default()
        };
        let pages = PagesTaken {
            pages: vec![(0, scanned)],
            tally: plan.tally,
            members_added: added,
            consumers_met: plan.consumers_met,
        };
        run.take_pages(pages, 1, now)?;
        unit.save_run(run).await?;
        unit.commit().await?;
        let written = plan.created.len() + plan.updated.len();
        Ok((began.elapsed().saturating_sub(deciding), written))
    }

    async fn reconcile(&self, run: &SyncRun) -> Outcome<()> {
        let mut after = Some(0);
        while let Some(page) = after {
            let mut unit = self.store.begin(&self.organization).await?;
            let batch = unit
                .add_missing_members(&run.id, &self.audience, page, SEEN_PAGES)
                .await?;
            unit.commit().await?;
            after = batch.next;
        }
        let mut unit = self.store.read(&self.organization).await?;
        let seen = seen::seen_set(unit.as_mut(), &run.id).await?;
        drop(unit);
        let mut after = None;
        loop {
            let mut unit = self.store.begin(&self.organization).await?;
            let batch = unit
                .remove_absent_members(&run.id, &self.audience, &seen, after.as_ref(), BATCH)
                .await?;
            unit.commit().await?;
            after = batch.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn queue(&self) -> Outcome<SourceRun> {
        let source = build::source(self.source.as_str(), build::list("RtPqXs"), &self.audience);
        let id = RunId::new(Ulid::generate());
        let run = build::run(&id, &self.organization, &source);
        let mut unit = self.store.begin(&self.organization).await?;
        unit.put_source(&source).await?;
        let audience = build::audience(&self.audience, &self.source);
        unit.put_audience(&audience).await?;
        unit.insert_run(&run).await?;
        unit.enqueue(&WorkKey::pull(&run.run().id)).await?;
        unit.commit().await?;
        Ok(run)
    }
}

/// The `n`-th profile. E-mails and phone numbers come in no order, as in a real list; ids nearly in
/// order, since Klaviyo's are ULIDs and a list is read in the order of joining. Half have a phone
/// number.
fn profile(n: u64, name: &str) -> Profile {
    let scattered = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let updated = if name == "Ada" {
        1_700_000_000
    } else {
        1_700_000_001
    };
    let joined = 1_600_000_000_000 + n * 1_000;
    let id = Ulid::from_parts(joined - scattered % 50_000, u128::from(scattered));
    let phone = Attribute::text(format!("+1{:010}", scattered % 10_000_000_000));
    Profile {
        id: ProfileId::parse(id.to_string()).unwrap_or_else(|_| unreachable!("a ULID is an id")),
        email: Attribute::text(format!("{scattered:016x}@example.com")),
        phone: if n.is_multiple_of(2) {
            phone
        } else {
            Attribute::Absent
        },
        first_name: Attribute::text(name),
        last_name: Attribute::text(format!("Lovelace {n}")),
        updated: Timestamp::from_micros(updated * 1_000_000),
        joined_at: Timestamp::from_micros(1_700_000_000_000_000),
        consents: None,
        unreadable_times: Vec::new(),
    }
}
