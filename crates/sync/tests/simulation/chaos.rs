//! What happens to the workers, the store and Klaviyo, step by step, as the seed decides.

use std::collections::HashMap;
use std::future::Future;
use std::ops::AddAssign;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use fanfare_domain::ids::RunId;
use fanfare_domain::ports::KlaviyoError;
use fanfare_domain::quota::RetryAfter;
use fanfare_sync::Error;
use fanfare_sync::engine::SliceEnd;
use fanfare_testkit::memory::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio_util::sync::CancellationToken;

use crate::world::{LEASE, PARTITIONS, World};

/// How often each disturbance happened.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    kills: usize,
    freezes: usize,
    overtaken: usize,
    lost_commits: usize,
    lost_answers: usize,
    bad_answers: usize,
    forgotten_cursors: usize,
    refused_ranges: usize,
    stops: usize,
    outages: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.kills += other.kills;
        self.freezes += other.freezes;
        self.overtaken += other.overtaken;
        self.lost_commits += other.lost_commits;
        self.lost_answers += other.lost_answers;
        self.bad_answers += other.bad_answers;
        self.forgotten_cursors += other.forgotten_cursors;
        self.refused_ranges += other.refused_ranges;
        self.stops += other.stops;
        self.outages += other.outages;
    }
}

impl Tally {
    /// Fails unless each disturbance happened often: one that never happened was not tested.
    pub(crate) fn assert_everything_happened(&self) {
        for (what, times) in [
            ("kills", self.kills),
            ("freezes", self.freezes),
            ("overtaken workers", self.overtaken),
            ("lost commits", self.lost_commits),
            ("lost answers to commits", self.lost_answers),
            ("bad answers", self.bad_answers),
            ("forgotten cursors", self.forgotten_cursors),
            ("refused ranges", self.refused_ranges),
            ("stops", self.stops),
            ("outages", self.outages),
        ] {
            assert!(times > 50, "only {times} {what}");
        }
    }
}

/// How many leases a run survives to lose.
const MOST_LOST: u32 = 2;

type Work = Pin<Box<dyn Future<Output = Result<SliceEnd, Error>>>>;

struct Worker {
    run: RunId,
    work: Work,
    stop: CancellationToken,
    /// For how many steps it is not polled.
    frozen: u32,
}

pub(crate) struct Chaos<'a> {
    random: StdRng,
    world: &'a World,
    workers: Vec<Worker>,
    tally: Tally,
    /// Leases that each run has lost so far. A run survives two; the third crash at one page ends it.
    lost_leases: HashMap<RunId, u32>,
    /// Bad answers of Klaviyo so far, three at most: the fifth for one page ends a run.
    bad_answers: u32,
    /// Pages that the workers may have read a second time: one for each partition that was interrupted.
    repeats_allowed: usize,
}

impl<'a> Chaos<'a> {
    pub(crate) fn new(seed: u64, world: &'a World) -> Self {
        Self {
            random: StdRng::seed_from_u64(!seed),
            world,
            workers: Vec::new(),
            tally: Tally::default(),
            lost_leases: HashMap::new(),
            bad_answers: 0,
            repeats_allowed: 0,
        }
    }

    pub(crate) const fn tally(&self) -> Tally {
        self.tally
    }

    pub(crate) const fn repeats_allowed(&self) -> usize {
        self.repeats_allowed
    }

    /// Takes step after step until every run has ended.
    pub(crate) async fn run_to_end(&mut self) {
        for step in 0..20_000 {
            // The last steps bring no new disturbance, so that every simulation ends.
            self.step(step < 400).await;
            if self.workers.is_empty() && self.is_over().await {
                return;
            }
        }
        panic!("the runs do not end");
    }

    async fn is_over(&self) -> bool {
        for run in &self.world.runs {
            let found = self
                .world
                .integration
                .run(&self.world.organization, run)
                .await;
            // The store may be unavailable at this step.
            if !found.is_ok_and(|run| !run.status.is_active()) {
                return false;
            }
        }
        true
    }

    async fn step(&mut self, may_disturb: bool) {
        match self.random.random_range(0..100) {
            0..10 if self.workers.len() < 4 => self.start_worker(),
            10..18 => self.pass_time().await,
            18..20 if may_disturb => self.kill().await,
            20..22 if may_disturb => self.freeze().await,
            22..25 if may_disturb => self.disturb_the_store(),
            25..27 if may_disturb => self.disturb_klaviyo(),
            27..28 if may_disturb => self.stop(),
            _ => self.poll_any_worker(),
        }
    }

    fn any_worker(&mut self) -> Option<usize> {
        let count = self.workers.len();
        (count > 0).then(|| self.random.random_range(0..count))
    }

    /// Starts a worker on a run, whether the run is due or not, as a job notification does.
    fn start_worker(&mut self) {
        let run = &self.world.runs[self.random.random_range(0..self.world.runs.len())];
        let (engine, due) = (self.world.engine(), self.world.due(run));
        let stop = CancellationToken::new();
        let token = stop.clone();
        self.workers.push(Worker {
            run: run.clone(),
            work: Box::pin(async move { engine.work(&due, &token).await }),
            stop,
            frozen: 0,
        });
    }

    fn poll_any_worker(&mut self) {
        let Some(index) = self.any_worker() else {
            return;
        };
        self.poll(index);
    }

    fn poll(&mut self, index: usize) {
        let worker = &mut self.workers[index];
        if worker.frozen > 0 {
            worker.frozen -= 1;
            return;
        }
        let mut context = Context::from_waker(Waker::noop());
        if let std::task::Poll::Ready(end) = worker.work.as_mut().poll(&mut context) {
            self.workers.swap_remove(index);
            match end {
                Ok(SliceEnd::Overtaken) => self.tally.overtaken += 1,
                Ok(_) => {}
                Err(Error::Store(error)) if error.is_transient() => self.tally.outages += 1,
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// Lets up to four seconds pass, in which every worker that is not frozen makes progress and renews its lease.
    async fn pass_time(&mut self) {
        let mut left = Duration::from_millis(self.random.random_range(1..4_000));
        let tick = LEASE / 4;
        while !left.is_zero() {
            let by = left.min(tick);
            self.world.advance(by).await;
            left -= by;
            for _ in 0..12 {
                for index in (0..self.workers.len()).rev() {
                    self.poll(index);
                }
            }
        }
    }

    /// Whether this run may lose another lease, which it then does.
    fn may_lose_a_lease(&mut self, run: &RunId) -> bool {
        let lost_leases = self.lost_leases.entry(run.clone()).or_default();
        *lost_leases += 1;
        *lost_leases <= MOST_LOST
    }

    /// The same of all runs.
    fn may_all_lose_a_lease(&mut self) -> bool {
        let lost = |run| self.lost_leases.get(run).copied().unwrap_or_default();
        if self.world.runs.iter().any(|run| lost(run) >= MOST_LOST) {
            return false;
        }
        for run in &self.world.runs {
            *self.lost_leases.entry(run.clone()).or_default() += 1;
        }
        true
    }

    async fn kill(&mut self) {
        let Some(index) = self.any_worker() else {
            return;
        };
        let run = self.workers[index].run.clone();
        if !self.may_lose_a_lease(&run) {
            return;
        }
        drop(self.workers.swap_remove(index));
        self.tally.kills += 1;
        self.repeats_allowed += PARTITIONS;
        if self.random.random_bool(0.5) {
            self.outlast_a_lease().await;
        }
    }

    /// Stops polling a worker for longer than its lease. When it is polled again, it believes that it still has
    /// the lease.
    async fn freeze(&mut self) {
        let Some(index) = self.any_worker() else {
            return;
        };
        // It may stop in the middle of a unit, for whose end the workers of all runs wait.
        if !self.may_all_lose_a_lease() {
            return;
        }
        self.workers[index].frozen = self.random.random_range(200..600);
        self.tally.freezes += 1;
        // The pages that it was reading, and those that it had asked for beyond them.
        self.repeats_allowed += 2 * PARTITIONS;
        self.outlast_a_lease().await;
    }

    /// Lets more time pass than a lease has, while the other workers go on.
    async fn outlast_a_lease(&mut self) {
        for _ in 0..5 {
            self.world.advance(LEASE / 4).await;
            for _ in 0..12 {
                for index in (0..self.workers.len()).rev() {
                    self.poll(index);
                }
            }
        }
    }

    fn disturb_the_store(&mut self) {
        // A worker whose step fails gives the run back. If that failed too, the lease would run out, which is a crash that is not
        // counted here.
        if self.world.store.is_to_fail() {
            return;
        }
        let operation = match self.random.random_range(0..5) {
            0 => Operation::Read,
            1 => Operation::Begin,
            2 => {
                self.tally.lost_commits += 1;
                Operation::Commit
            }
            3 => {
                // A worker that is not told of its claim leaves the lease to run out.
                if !self.may_all_lose_a_lease() {
                    return;
                }
                self.tally.lost_answers += 1;
                Operation::CommitAnswer
            }
            _ => Operation::Control,
        };
        self.repeats_allowed += PARTITIONS;
        self.world.store.fail_next(operation, 1);
    }

    fn disturb_klaviyo(&mut self) {
        if self.bad_answers >= 3 {
            return;
        }
        self.bad_answers += 1;
        self.repeats_allowed += 1;
        let error = match self.random.random_range(0..5) {
            0 => KlaviyoError::Unavailable("ordered by the test".to_owned()),
            1 => KlaviyoError::Invalid("ordered by the test".to_owned()),
            2 => KlaviyoError::Throttled(RetryAfter::Seconds(2)),
            3 => {
                self.tally.refused_ranges += 1;
                // The list is read whole, perhaps from its beginning.
                self.repeats_allowed += 60 + PARTITIONS;
                KlaviyoError::RangeRefused
            }
            _ => {
                self.tally.forgotten_cursors += 1;
                // The partition begins again at the last second that it has read: its pages are read again.
                self.repeats_allowed += 22;
                KlaviyoError::CursorRejected
            }
        };
        self.tally.bad_answers += 1;
        self.world.klaviyo.fail_members([Some(error)]);
    }

    fn stop(&mut self) {
        let Some(index) = self.any_worker() else {
            return;
        };
        self.workers[index].stop.cancel();
        self.tally.stops += 1;
    }
}
