//! The boundaries of statements at which a worker is killed.

use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::Play;
use super::cases::diverted;
use super::outcome::Outcome;
use super::proxy::{Kind, Proxy, Seen, Side};
use super::scene::Scene;

/// What a worker is doing when it is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Journey {
    /// Importing the list, straight to the end.
    Import,
    /// The same, meeting what makes it do everything it ever does during an import: it waits long enough to
    /// renew its lease, and is sent away once, so that it gives the run back.
    HardImport,
    /// Syncing the list again after some have left it: members are removed.
    Resync,
}

impl Journey {
    const fn hurdles(self) -> &'static [&'static str] {
        match self {
            Self::Import => &[],
            Self::HardImport => &[
                "list-profiles@request=9:slow=1300",
                "list-profiles@request=18:429=2",
            ],
            // The list is read at the click, and at the beginning of each of the two runs.
            Self::Resync => &[
                "list@request=3:leave=first",
                "list@request=3:leave=#1500",
                "list@request=3:leave=last",
            ],
        }
    }

    /// A scene with one worker that is about to begin it, whose every connection to the store goes through
    /// the proxy.
    pub(super) fn prepare(self, play: &Play<'_>) -> Result<(Scene, Proxy)> {
        let (mut scene, proxy) = diverted(play, self.hurdles())?;
        if self == Self::Resync {
            scene.import()?;
            scene.finish().context("the import before")?;
            scene.begin_the_log_anew()?;
        }
        Ok((scene, proxy))
    }

    pub(super) fn begin(self, scene: &Scene) -> Result<()> {
        match self {
            Self::Import | Self::HardImport => scene.import(),
            Self::Resync => scene.sync(),
        }
    }
}

/// What a worker told Postgres on a journey that nothing happened to.
pub(super) struct Record {
    journey: Journey,
    seen: Vec<Seen>,
    outcome: Arc<Outcome>,
}

impl Record {
    pub(super) fn make(play: &Play<'_>, journey: Journey) -> Result<Self> {
        let (scene, proxy) = journey.prepare(play)?;
        proxy.begin_anew();
        journey.begin(&scene)?;
        scene.finish().context("the recorded journey")?;
        let seen = proxy.seen();
        ensure!(!seen.is_empty(), "no statement was seen on its way");
        Ok(Self {
            journey,
            seen,
            outcome: Arc::new(scene.outcome()?),
        })
    }

    /// Each kind at its first time, and at one in the middle where it comes often.
    fn moments(&self, side: Side) -> impl Iterator<Item = Moment> {
        // sqlx asks for the types it does not know yet, on whichever connection needs one first.
        let ours = |seen: &&Seen| !seen.kind.text.contains("pg_catalog.pg_enum");
        self.seen
            .iter()
            .filter(ours)
            .flat_map(move |Seen { kind, times }| {
                let middle = (*times >= OFTEN).then_some(times / 2);
                [1].into_iter().chain(middle).map(move |nth| Moment {
                    side,
                    kind: kind.clone(),
                    nth,
                    journey: self.journey,
                    undisturbed: Arc::clone(&self.outcome),
                })
            })
    }
}

/// What comes so often comes at least half as often on every other journey of the kind.
const OFTEN: u32 = 8;

/// One boundary.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) side: Side,
    pub(super) kind: Kind,
    /// The how manieth of its kind, counted from 1.
    pub(super) nth: u32,
    pub(super) journey: Journey,
    /// What the journey leads to.
    pub(super) undisturbed: Arc<Outcome>,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, no. {}", self.kind, self.nth)
    }
}

/// All of them: each kind on the first journey that has it.
pub(super) fn every(records: &[Record], side: Side) -> Vec<Moment> {
    let mut moments: Vec<Moment> = Vec::new();
    for record in records {
        let new: Vec<_> = record
            .moments(side)
            .filter(|moment| moments.iter().all(|known| known.kind != moment.kind))
            .collect();
        moments.extend(new);
    }
    moments
}

/// The most telling ones: a few words that are in the statement and in no other.
pub(super) fn telling(records: &[Record], side: Side) -> Result<Vec<Moment>> {
    let all = every(records, side);
    let chosen = match side {
        Side::Before => BEFORE,
        Side::After => AFTER,
    };
    let find = |(is_commit, words): &(bool, &str)| {
        let is_it = |moment: &&Moment| {
            let Kind { text, of } = &moment.kind;
            let text = if *is_commit { of.as_ref() } else { Some(text) };
            moment.kind.is_commit() == *is_commit && text.is_some_and(|text| text.contains(words))
        };
        let moment = all.iter().rfind(is_it).cloned();
        moment.with_context(|| format!("no statement of a worker has {words:?} in it"))
    };
    chosen.iter().map(find).collect()
}

/// The claim, the first write of a page, and a page's commit. First whether it is the commit of a unit that
/// ends so.
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
