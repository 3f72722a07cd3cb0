//! The faults.

mod database;
mod klaviyo;
mod workers;

use std::time::Duration;

use anyhow::Result;

pub(super) use self::database::diverted;
use self::{database as db, klaviyo as kl, workers as us};
use super::proxy::Side;
use super::report::SLOWEST_RECOVERY;
use super::scene::Scene;
use super::{Case, Play, Played, Rounds, Stores};

/// Pages at which things happen: the first, some in the middle, the last of thirty.
const PAGES: &[u32] = &[7, 1, 30, 2, 13, 19, 25, 29];

/// Most readers that a list of thirty pages is shared among. Each has one page at hand, which is asked for
/// again when it is lost.
const READERS: u64 = 2;

/// The most pages that may be fetched twice for so many lost workers.
const fn lost(workers: u64) -> u64 {
    workers * READERS
}

pub(super) const CASES: &[Case] = &[
    case("nothing, two workers", BOTH, at(&[0], 1), us::nothing),
    case(
        "kill -9, started again",
        BOTH,
        at(PAGES, 2),
        us::kill_and_restart,
    ),
    case(
        "kill -9, another takes over",
        BOTH,
        at(PAGES, 1),
        us::kill_with_a_rival,
    ),
    case(
        "killed before a statement",
        SHARED,
        Rounds::EachStatement(Side::Before),
        db::kill_at_statement,
    ),
    case(
        "killed after a statement",
        SHARED,
        Rounds::EachStatement(Side::After),
        db::kill_at_statement,
    ),
    case(
        "frozen past its lease, then thawed",
        BOTH,
        at(PAGES, 1),
        us::freeze,
    ),
    case("SIGTERM", BOTH, at(PAGES, 1), us::terminate),
    case(
        "a page that kills every worker",
        BOTH,
        at(&[3, 12], 1),
        us::poison,
    ),
    case("fifty clicks at once", BOTH, at(&[0], 1), us::clicks),
    case(
        "API killed in mid-import",
        BOTH,
        at(&[5], 1),
        us::settle_alone,
    ),
    of_the_cluster("Postgres restarted", at(&[1, 5], 1), db::database_restarted),
    of_the_cluster(
        "Postgres away past the lease",
        at(&[6], 1),
        db::database_away,
    ),
    case(
        "cut off after COMMIT was sent",
        SHARED,
        at(&[9, 3, 4, 17, 30], 2),
        db::cut_at_commit,
    ),
    case(
        "429, Retry-After in every form",
        EMBEDDED,
        at(&[0], 1),
        kl::throttled,
    ),
    case(
        "5xx, challenge, reset, cut, empty, slow",
        EMBEDDED,
        at(&[0], 1),
        kl::unanswered,
    ),
    case(
        "nonsense in every shape",
        EMBEDDED,
        at(&[0], 1),
        kl::nonsense,
    ),
    case(
        "a forgotten cursor",
        EMBEDDED,
        at(&[0], 1),
        kl::forgotten_cursor,
    ),
    case("pages in a circle", EMBEDDED, at(&[0, 1], 1), kl::circle),
    case(
        "the key revoked half-way",
        EMBEDDED,
        at(&[0], 1),
        kl::revoked,
    ),
    case(
        "a scope lost half-way",
        EMBEDDED,
        at(&[0], 1),
        kl::scope_lost,
    ),
    case(
        "the list deleted half-way",
        EMBEDDED,
        at(&[0], 1),
        kl::deleted,
    ),
];

const BOTH: Stores = Stores::Both;
const EMBEDDED: Stores = Stores::Embedded;
const SHARED: Stores = Stores::Shared;

/// Rounds with these numbers, the first few of which are played among the tests.
const fn at(numbers: &'static [u32], quick: usize) -> Rounds {
    Rounds::Fixed { numbers, quick }
}

const fn case(
    name: &'static str,
    stores: Stores,
    rounds: Rounds,
    play: fn(&Play<'_>) -> Result<Played>,
) -> Case {
    Case {
        name,
        stores,
        rounds,
        is_alone: false,
        play,
    }
}

/// A fault of the cluster that all rounds use.
const fn of_the_cluster(
    name: &'static str,
    rounds: Rounds,
    play: fn(&Play<'_>) -> Result<Played>,
) -> Case {
    Case {
        is_alone: true,
        ..case(name, SHARED, rounds, play)
    }
}

/// Waits for the end, and reads what came of it.
fn finish(scene: &Scene, allowed: u64, recovery: Option<Duration>) -> Result<Played> {
    scene.finish()?;
    let log = scene.log()?;
    Ok(Played {
        outcome: scene.outcome()?,
        undisturbed: None,
        recovery,
        refetched: log.refetched(),
        allowed,
        slowest: SLOWEST_RECOVERY,
        intrusions: log.intrusions(),
        failure: None,
    })
}

fn finish_in_failure(scene: &Scene, code: &'static str, allowed: u64) -> Result<Played> {
    Ok(Played {
        failure: Some(code),
        ..finish(scene, allowed, None)?
    })
}

/// Waits until a run that has lost its worker goes on. `None` if it was over by then.
fn recover(scene: &Scene) -> Result<Option<Duration>> {
    if !scene.run()?.is_active() {
        return Ok(None);
    }
    scene.recover().map(Some)
}
