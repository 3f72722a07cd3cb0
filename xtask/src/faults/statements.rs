//! The statements at which a worker is killed.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::RoundContext;
use super::environment::Environment;
use super::outcome::Outcome;
use super::proxy::{Kind, Proxy, Seen, Side};
use super::scenarios::behind_proxy;

/// What the worker does when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Workload {
    /// It imports the list.
    Import,
    /// The same with faults of Klaviyo, so that the worker does all that it ever does during an import: it waits
    /// long enough to renew its lease, and gets a 429, so that it gives the run back.
    HardImport,
    /// It syncs the list again after members have left, and removes them.
    Resync,
}

impl Workload {
    const fn faults(self) -> &'static [&'static str] {
        match self {
            Self::Import => &[],
            Self::HardImport => &[
                "list-profiles@request=9:slow=1300",
                "list-profiles@request=18:429=2",
            ],
            // The list is read when the import is requested, and at the beginning of each of the two runs.
            Self::Resync => &[
                "list@request=3:leave=first",
                "list@request=3:leave=#1500",
                "list@request=3:leave=last",
            ],
        }
    }

    /// An environment with one worker that is ready for it, whose connections to the store all go through the
    /// proxy.
    pub(super) fn prepare(self, context: &RoundContext<'_>) -> Result<(Environment, Proxy)> {
        let (mut environment, proxy) = behind_proxy(context, self.faults())?;
        if self == Self::Resync {
            environment.import()?;
            environment.finish().context("the import before")?;
            environment.reset_log()?;
        }
        Ok((environment, proxy))
    }

    pub(super) fn begin(self, environment: &Environment) -> Result<()> {
        match self {
            Self::Import | Self::HardImport => environment.import(),
            Self::Resync => environment.sync(),
        }
    }
}

/// The statements that a worker sent to Postgres during a workload without faults.
pub(super) struct Recording {
    workload: Workload,
    seen: Vec<Seen>,
    outcome: Arc<Outcome>,
}

impl Recording {
    /// What is sent in each of two journeys. In one alone are statements that are sent by chance: of a chore that was due, or of a
    /// connection that was opened anew.
    pub(super) fn make_twice(context: &RoundContext<'_>, workload: Workload) -> Result<Self> {
        let mut recording = Self::make(context, workload)?;
        let other = Self::make(context, workload)?;
        recording.seen = recording
            .seen
            .into_iter()
            .filter_map(|seen| {
                let again = other.seen.iter().find(|again| again.kind == seen.kind)?;
                let times = seen.times.min(again.times);
                Some(Seen { times, ..seen })
            })
            .collect();
        Ok(recording)
    }

    pub(super) fn make(context: &RoundContext<'_>, workload: Workload) -> Result<Self> {
        let (environment, proxy) = workload.prepare(context)?;
        proxy.reset();
        workload.begin(&environment)?;
        environment.finish().context("the recorded journey")?;
        let seen = proxy.seen();
        ensure!(!seen.is_empty(), "no statement was seen on its way");
        Ok(Self {
            workload,
            seen,
            outcome: Arc::new(environment.outcome()?),
        })
    }

    /// Each statement at its first time, and at one time in the middle if it is sent often.
    fn breakpoints(&self, side: Side) -> impl Iterator<Item = Breakpoint> {
        // sqlx reads the types that it does not know yet, on the first connection that needs them.
        // The server's clock is looked at every ten seconds, whatever the worker does.
        let others = ["pg_catalog.pg_enum", "SELECT clock_timestamp() AS"];
        let ours = move |seen: &&Seen| !others.iter().any(|text| seen.kind.text.contains(text));
        self.seen
            .iter()
            .filter(ours)
            .flat_map(move |Seen { kind, times }| {
                let middle = (*times >= OFTEN).then_some(times / 2);
                [1].into_iter().chain(middle).map(move |nth| Breakpoint {
                    side,
                    kind: kind.clone(),
                    nth,
                    workload: self.workload,
                    undisturbed: Arc::clone(&self.outcome),
                })
            })
    }
}

/// A statement that is sent this often is sent at least half as often when the workload runs again.
const OFTEN: u32 = 8;

/// Before or after one statement.
#[derive(Debug, Clone)]
pub(super) struct Breakpoint {
    pub(super) side: Side,
    pub(super) kind: Kind,
    /// Which of the statements of this kind, counted from 1.
    pub(super) nth: u32,
    pub(super) workload: Workload,
    /// The outcome of the workload without a fault.
    pub(super) undisturbed: Arc<Outcome>,
}

impl fmt::Display for Breakpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, no. {}", self.kind, self.nth)
    }
}

/// All breakpoints: each kind of statement in the first workload that sends it.
pub(super) fn every(recordings: &[Recording], side: Side) -> Vec<Breakpoint> {
    let mut breakpoints: Vec<Breakpoint> = Vec::new();
    for recording in recordings {
        let new: Vec<_> = recording
            .breakpoints(side)
            .filter(|breakpoint| {
                breakpoints
                    .iter()
                    .all(|known| known.kind != breakpoint.kind)
            })
            .collect();
        breakpoints.extend(new);
    }
    breakpoints
}

/// The breakpoints among the tests. Each is found by a few words that are in no other statement.
pub(super) fn chosen(recordings: &[Recording], side: Side) -> Result<Vec<Breakpoint>> {
    let all = every(recordings, side);
    let wanted = match side {
        Side::Before => BEFORE,
        Side::After => AFTER,
    };
    let find = |(is_commit, words): &(bool, &str)| {
        let is_it = |breakpoint: &&Breakpoint| {
            let Kind { text, of } = &breakpoint.kind;
            let text = if *is_commit { of.as_ref() } else { Some(text) };
            breakpoint.kind.is_commit() == *is_commit
                && text.is_some_and(|text| text.contains(words))
        };
        let breakpoint = all.iter().rfind(is_it).cloned();
        breakpoint.with_context(|| format!("no statement of a worker has {words:?} in it"))
    };
    wanted.iter().map(find).collect()
}

/// The claim, the first write of a page, and the commit of a page. `true` stands for the commit of a unit of
/// work that ends with this statement.
const BEFORE: &[(bool, &str)] = &[
    (false, "UPDATE work_queue q SET token"),
    (false, "INSERT INTO consumers (organization_id"),
    (true, "INSERT INTO sync_sources"),
];

/// A run's save, a page's commit, and the end of the run.
const AFTER: &[(bool, &str)] = &[
    (false, "UPDATE sync_runs SET"),
    (true, "INSERT INTO sync_sources"),
    (false, "DELETE FROM work_queue"),
];
