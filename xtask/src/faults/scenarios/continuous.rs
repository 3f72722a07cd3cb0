//! Continuous audiences whose programs fail: afterwards each audience is its list, no due time was lost, and none has
//! had two runs.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::database::cluster;
use super::{READERS, SLOWEST_RECOVERY};
use crate::faults::environment::{Environment, LEASE, LIST, WAIT_TIMEOUT, small_lists};
use crate::faults::klaviyo_list::Klaviyo;
use crate::faults::schedule_watch::ScheduleWatch;
use crate::faults::{RoundContext, RoundResult};
use crate::process::Program;

/// How often the large list is synced and a small one, in seconds.
const INTERVALS: [u32; 2] = [3, 5];

/// How often somebody looks.
const LOOK: Duration = Duration::from_millis(400);

/// How many runs the schedule of an audience has to have started.
const FEWEST_RUNS: usize = 3;

/// The worker is killed, and another is started.
pub(super) fn killed(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut world = World::open(context)?;
    world.people_leave()?;
    world.wait_for_page(context.page()?)?;
    world.environment.workers[0].kill()?;
    world.people_join()?;
    world.environment.start_worker()?;
    let recovery = world.recover(Instant::now())?;
    world.finish(recovery)
}

/// The worker is frozen while it waits for pages: in the middle of a transaction it would hold the locks of the store. It
/// goes on when another has taken over.
pub(super) fn frozen(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut world = World::open(context)?;
    let slow = format!(
        "list-profiles/{LIST}@page={},times={READERS}:slow=6000",
        context.number()?.min(10)
    );
    world.klaviyo.plan(&slow)?;
    world.people_leave()?;
    world.wait_for_page(1)?;
    let written = Cell::new(None);
    let [large, small] = [&world.audiences[0].id, &world.audiences[1].id];
    world
        .environment
        .wait("the worker never waits for pages alone", || {
            // What was being written when a page was asked for is written.
            world.environment.pause(Duration::from_millis(300));
            let latest: Value = world
                .environment
                .api
                .get(&format!("/api/audiences/{large}/runs"))?;
            let latest = &latest["data"][0];
            let now = (
                latest["id"].clone(),
                latest["progress"]["processed"].clone(),
            );
            let is_still = written.replace(Some(now.clone())) == Some(now);
            let is_reading = latest["status"] == "SYNCING";
            let other: Value = world
                .environment
                .api
                .get(&format!("/api/audiences/{small}/status"))?;
            // The runs of others write, too.
            let is_quiet = other["nextSyncAt"].as_str().is_some_and(|due| {
                OffsetDateTime::parse(due, &Rfc3339)
                    .is_ok_and(|due| due > wall_clock() + Duration::from_secs(1))
            });
            Ok(is_still && is_reading && is_quiet)
        })?;
    world.environment.workers[0].freeze();
    let frozen = Instant::now();
    world.people_join()?;
    world.environment.start_worker()?;
    let recovery = world.recover(frozen)?;
    world.watch_for(LEASE)?;
    world.environment.workers[0].thaw();
    world.finish(recovery)
}

/// The database is away for so many seconds.
pub(super) fn database_away(context: &RoundContext<'_>) -> Result<RoundResult> {
    let seconds = u64::from(context.number()?);
    ensure!(seconds > LEASE.as_secs(), "not past the lease");
    let mut world = World::open(context)?;
    world.people_leave()?;
    world.wait_for_page(7)?;
    cluster(context)?.halt()?;
    world.people_join()?;
    std::thread::sleep(Duration::from_secs(seconds));
    cluster(context)?.go_on()?;
    let recovery = world.recover(Instant::now())?;
    world.finish(recovery)
}

/// An audience, and what was seen of its schedule.
struct Audience {
    list: String,
    id: String,
    watch: ScheduleWatch,
    /// When the last complete pass began that has ended well.
    last_full_pass: Option<OffsetDateTime>,
    is_active: bool,
}

/// The programs, and two continuous audiences.
struct World {
    environment: Environment,
    klaviyo: Klaviyo,
    audiences: Vec<Audience>,
}

impl World {
    fn open(context: &RoundContext<'_>) -> Result<Self> {
        let environment = context.environment(&[], 1)?;
        let lists = [LIST.to_owned()].into_iter().chain(small_lists(1));
        let mut audiences = Vec::new();
        for (list, seconds) in lists.zip(INTERVALS) {
            let body = json!({
                "listIds": [list],
                "sync": "CONTINUOUS",
                "refreshIntervalSeconds": seconds,
            });
            let answer: Value = environment
                .api
                .post("/api/audiences/import/klaviyo", &body)?;
            let id = answer["imported"][0]["audienceId"].as_str();
            audiences.push(Audience {
                id: id.context("the list was not imported")?.to_owned(),
                list,
                watch: ScheduleWatch::new(Duration::from_secs(seconds.into())),
                last_full_pass: None,
                is_active: true,
            });
        }
        let mut world = Self {
            klaviyo: Klaviyo::at(&environment.klaviyo),
            environment,
            audiences,
        };
        world.wait("the lists are not imported", |world| {
            let mut audiences = world.audiences.iter();
            Ok(audiences.all(|it| it.last_full_pass.is_some()))
        })?;
        world.environment.reset_log()?;
        Ok(world)
    }

    /// So many leave that Klaviyo's count calls for complete passes.
    fn people_leave(&self) -> Result<()> {
        let small = &self.audiences[1].list;
        self.klaviyo.change(&format!(
            "list/{LIST}:leave=first\nlist/{LIST}:leave=#1500\nlist/{LIST}:leave=last\nlist/{small}:leave=#7\n"
        ))
    }

    fn people_join(&self) -> Result<()> {
        let small = &self.audiences[1].list;
        self.klaviyo
            .change(&format!("list/{LIST}:join=130\nlist/{small}:join=9\n"))
    }

    /// Waits until so many pages of the large list were asked for since it was imported.
    fn wait_for_page(&mut self, page: usize) -> Result<()> {
        let otherwise = "that page is never asked for";
        self.wait_with(Duration::from_millis(20), otherwise, |world| {
            Ok(world.environment.log()?.pages_of(LIST) >= page)
        })
    }

    /// Waits until one more page of the large list is asked for. Returns how long ago the fault was.
    fn recover(&mut self, since: Instant) -> Result<Duration> {
        let before = self.environment.log()?.pages_of(LIST);
        self.wait_for_page(before + 1)?;
        Ok(since.elapsed())
    }

    /// Somebody leaves once more, and each audience has a complete pass after that. Then all workers end, and every audience
    /// has to be its list.
    fn finish(mut self, recovery: Duration) -> Result<RoundResult> {
        self.people_leave()?;
        let changed = wall_clock();
        self.wait("no complete pass reads the last changes", |world| {
            Ok(world.audiences.iter().all(|it| {
                let is_read = it.last_full_pass.is_some_and(|began| began > changed);
                is_read && !it.is_active && it.watch.runs() >= FEWEST_RUNS
            }))
        })?;
        for worker in &mut self.environment.workers {
            worker.terminate();
        }
        for worker in &mut self.environment.workers {
            worker.wait(Duration::from_secs(30))?;
        }
        let ended = wall_clock() - Duration::from_secs(2);
        self.look()?;
        for audience in &self.audiences {
            audience
                .watch
                .check(ended)
                .with_context(|| format!("the schedule of {}", audience.list))?;
            let api = &self.environment.api;
            self.klaviyo
                .must_be_audience(&audience.list, api, &audience.id)?;
        }
        Ok(RoundResult {
            outcome: None,
            undisturbed: None,
            recovery: Some(recovery),
            slowest: SLOWEST_RECOVERY,
            // The ranges of two passes may be the same: what is fetched again is told by other rounds.
            refetched: 0,
            allowed: 0,
            blocked_requests: self.environment.log()?.blocked_requests(),
            failure: None,
        })
    }

    /// Looks at the audiences for so long.
    fn watch_for(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        self.wait("the time does not pass", |_| Ok(Instant::now() >= until))
    }

    fn wait(&mut self, otherwise: &str, is_so: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        self.wait_with(LOOK, otherwise, is_so)
    }

    /// Waits until it is so, which is asked after each pause, and looks at the audiences meanwhile.
    fn wait_with(
        &mut self,
        pause: Duration,
        otherwise: &str,
        is_so: impl Fn(&Self) -> Result<bool>,
    ) -> Result<()> {
        let begun = Instant::now();
        let mut looked: Option<Instant> = None;
        loop {
            if looked.is_none_or(|at| at.elapsed() >= LOOK) {
                self.look()?;
                looked = Some(Instant::now());
            }
            if is_so(self)? {
                return Ok(());
            }
            if begun.elapsed() > WAIT_TIMEOUT {
                let words = self.environment.workers.last().map(Program::last_output);
                bail!(
                    "{otherwise}; the last worker's last words:\n{}",
                    words.unwrap_or_default()
                );
            }
            self.environment.pause(pause);
        }
    }

    fn look(&mut self) -> Result<()> {
        let api = &self.environment.api;
        for audience in &mut self.audiences {
            let at = wall_clock();
            let path = format!("/api/audiences/{}", audience.id);
            let status: Value = api.get(&format!("{path}/status"))?;
            let runs: Value = api.get(&format!("{path}/runs?first=10"))?;
            audience.watch.look(at, &status, &runs)?;
            for run in runs["data"].as_array().into_iter().flatten() {
                let is_complete = run["mode"] == "FULL" && run["status"] == "SUCCESS";
                if let Some(began) = run["startedAt"].as_str().filter(|_| is_complete) {
                    let began = Some(OffsetDateTime::parse(began, &Rfc3339)?);
                    audience.last_full_pass = audience.last_full_pass.max(began);
                }
            }
            audience.is_active = status["nextSyncAt"].is_null();
            let error = &runs["data"][0]["error"];
            ensure!(error.is_null(), "a run failed: {error}");
        }
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the programs under test go by the machine's clock, and so does who watches them"
)]
fn wall_clock() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}
