//! The boundaries of statements at which a worker is killed.

use std::fmt;

use anyhow::{Context, Result, ensure};

use super::Play;
use super::cases::diverted;
use super::proxy::{Kind, Seen, Side};

/// What an import meets on its way, so that a worker does everything it ever does during one: it waits long
/// enough to renew its lease, and is sent away once, so that it gives the run back.
const HURDLES: &[&str] = &[
    "list-profiles@request=9:slow=1300",
    "list-profiles@request=18:429=2",
];

/// The hurdles of the rounds: the few that belong to the tests are run without, for they take time.
const fn hurdles(is_full: bool) -> &'static [&'static str] {
    if is_full { HURDLES } else { &[] }
}

/// One boundary.
#[derive(Debug, Clone)]
pub(super) struct Moment {
    pub(super) side: Side,
    pub(super) kind: Kind,
    /// The how manieth of its kind, counted from 1.
    pub(super) nth: u32,
    /// What the import meets on its way.
    pub(super) hurdles: &'static [&'static str],
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, no. {}", self.kind, self.nth)
    }
}

/// Plays an import that nothing happens to, and returns what its worker told Postgres meanwhile.
pub(super) fn record(play: &Play<'_>, is_full: bool) -> Result<Vec<Seen>> {
    let (scene, proxy) = diverted(play, hurdles(is_full))?;
    proxy.record();
    scene.import()?;
    scene.finish().context("the recorded import")?;
    let seen = proxy.recorded();
    ensure!(!seen.is_empty(), "no statement was seen on its way");
    Ok(seen)
}

/// Each kind at its first time, and at one in the middle where it comes often.
pub(super) fn every(seen: &[Seen], side: Side) -> Vec<Moment> {
    boundaries(seen, side, hurdles(true))
}

fn boundaries(seen: &[Seen], side: Side, hurdles: &'static [&'static str]) -> Vec<Moment> {
    let mut moments = Vec::new();
    for Seen { kind, times } in seen {
        let middle = (*times >= OFTEN).then_some(times / 2);
        moments.extend([1].into_iter().chain(middle).map(|nth| Moment {
            side,
            kind: kind.clone(),
            nth,
            hurdles,
        }));
    }
    moments
}

/// What comes so often comes at least half as often in every other import.
const OFTEN: u32 = 4;

/// The most telling ones: a few words that are in the statement and nowhere else.
pub(super) fn telling(seen: &[Seen], side: Side) -> Result<Vec<Moment>> {
    let all = boundaries(seen, side, hurdles(false));
    let chosen = match side {
        Side::Before => TELLING_BEFORE,
        Side::After => TELLING_AFTER,
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

/// Whether it is the commit of a unit that ends so, and words of it.
const TELLING_BEFORE: &[(bool, &str)] = &[
    (false, "UPDATE run_queue q SET token"),
    (false, "INSERT INTO consumers"),
    (true, "INSERT INTO sync_sources"),
];

const TELLING_AFTER: &[(bool, &str)] = &[
    (false, "UPDATE sync_runs SET"),
    (true, "INSERT INTO sync_sources"),
    (false, "DELETE FROM run_queue"),
];
