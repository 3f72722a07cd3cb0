//! The scenarios: one for each fault.

mod clocks;
mod contacts;
mod continuous;
mod database;
mod events;
mod kinds;
mod klaviyo;
mod neighbour;
mod pushes;
mod workers;

use std::time::Duration;

use anyhow::Result;

pub(super) use self::database::behind_proxy;
use self::kinds::{
    BOTH, EMBEDDED, SHARED, at, scenario, scenario_alone, scenario_of_cluster, scenario_with_clocks,
};
use self::workers as programs;
use super::environment::Environment;
use super::proxy::Side;
use super::report::SLOWEST_RECOVERY;
use super::{RoundResult, Rounds, Scenario};

/// The pages at which faults happen: the first, some in the middle, the last of thirty.
const PAGES: &[u32] = &[7, 1, 30, 2, 13, 19, 25, 29];

/// How many kills there are in each round of events, a hundred in all on the two stores. Their number decides at which moments.
const KILLS: &[u32] = &[2, 8, 9, 10, 11, 13];

/// How many ranges a list of thirty pages is read in at most. Each fetches one page at a time, and fetches it
/// again if the worker is lost.
const READERS: u64 = 3;

/// The most pages that may be fetched twice for so many lost workers.
const fn lost(workers: u64) -> u64 {
    workers * READERS
}

pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "nothing, two workers",
        BOTH,
        at(&[0], 1),
        programs::undisturbed,
    ),
    scenario(
        "kill -9, started again",
        BOTH,
        at(PAGES, 2),
        programs::kill_and_restart,
    ),
    scenario(
        "kill -9, another takes over",
        BOTH,
        at(PAGES, 1),
        programs::kill_with_second_worker,
    ),
    scenario(
        "killed before a statement",
        SHARED,
        Rounds::EachStatement(Side::Before),
        database::kill_at_statement,
    ),
    scenario(
        "killed after a statement",
        SHARED,
        Rounds::EachStatement(Side::After),
        database::kill_at_statement,
    ),
    scenario(
        "frozen past its lease, then thawed",
        BOTH,
        at(PAGES, 1),
        programs::freeze,
    ),
    scenario("SIGTERM", BOTH, at(PAGES, 1), programs::terminate),
    scenario(
        "a page that kills every worker",
        BOTH,
        at(&[3, 12], 1),
        programs::page_that_kills,
    ),
    scenario(
        "fifty clicks at once",
        BOTH,
        at(&[0], 1),
        programs::concurrent_requests,
    ),
    scenario(
        "API killed in mid-import",
        BOTH,
        at(&[5], 1),
        programs::import_without_api,
    ),
    scenario_of_cluster(
        "Postgres restarted",
        at(&[1, 5], 1),
        database::database_restarted,
    ),
    scenario_of_cluster(
        "Postgres away past the lease",
        at(&[6], 1),
        database::database_away,
    ),
    scenario(
        "cut off after COMMIT was sent",
        SHARED,
        at(&[9, 3, 4, 17, 30], 2),
        database::cut_at_commit,
    ),
    scenario(
        "connections fall silent, then SIGTERM",
        SHARED,
        at(&[7, 1, 19], 1),
        database::silent,
    ),
    scenario(
        "continuous sync, kill -9",
        BOTH,
        at(PAGES, 1),
        continuous::killed,
    ),
    scenario(
        "continuous sync, frozen past its lease, then thawed",
        BOTH,
        at(PAGES, 1),
        continuous::frozen,
    ),
    scenario_of_cluster(
        "continuous sync, Postgres away past the lease",
        at(&[4, 7], 1),
        continuous::database_away,
    ),
    scenario_with_clocks(
        "workers whose clocks are five minutes ahead and behind",
        SHARED,
        at(&[5, 1, 11], 1),
        clocks::differ,
    ),
    scenario_with_clocks(
        "a worker's clock jumps by an hour",
        SHARED,
        at(&[7, 8], 1),
        clocks::jump,
    ),
    scenario_with_clocks(
        "kill -9, and the clock set back by an hour",
        EMBEDDED,
        at(PAGES, 1),
        clocks::set_back_and_killed,
    ),
    scenario_with_clocks(
        "the clock set back by an hour during a pause",
        EMBEDDED,
        at(&[6, 14], 1),
        clocks::set_back_in_a_pause,
    ),
    scenario(
        "429 and 5xx, Retry-After in every form",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::throttled,
    ),
    scenario(
        "5xx, challenge, reset, cut, empty, slow",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::unanswered,
    ),
    scenario(
        "nonsense in every shape",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::wrong_bodies,
    ),
    scenario(
        "a forgotten cursor",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::forgotten_cursor,
    ),
    scenario(
        "a refused filter",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::refused_filter,
    ),
    // Thousands of pages, which take as long as a round may while no other takes the processors.
    scenario_alone(
        "pages in a circle",
        EMBEDDED,
        at(&[0, 1], 1),
        klaviyo::page_loop,
    ),
    scenario(
        "the key revoked half-way",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::revoked,
    ),
    scenario(
        "a scope lost half-way",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::scope_lost,
    ),
    scenario(
        "the list deleted half-way",
        EMBEDDED,
        at(&[0], 1),
        klaviyo::deleted,
    ),
    scenario(
        "events: kill -9 of API or worker",
        BOTH,
        at(KILLS, 1),
        events::killed,
    ),
    scenario(
        "events: kill -9 between call and row",
        BOTH,
        at(&[0], 1),
        events::killed_in_a_call,
    ),
    scenario(
        "events: answers lost after the effect",
        BOTH,
        at(&[0], 0),
        events::answers_lost,
    ),
    scenario(
        "events: accepted without effect",
        BOTH,
        at(&[0], 0),
        events::without_effect,
    ),
    scenario(
        "events: 429 and 5xx, with Retry-After and without",
        BOTH,
        at(&[0], 0),
        events::throttled,
    ),
    scenario(
        "events: the key revoked, then replaced",
        BOTH,
        at(&[0], 0),
        events::key_replaced,
    ),
    scenario(
        "contacts: kill -9 between call and row",
        BOTH,
        at(&[0], 1),
        contacts::killed_in_a_call,
    ),
    scenario(
        "contacts: answers lost after the effect",
        BOTH,
        at(&[0], 0),
        contacts::answers_lost,
    ),
    scenario(
        "contacts: 429 and 5xx, with Retry-After and without",
        BOTH,
        at(&[0], 0),
        contacts::throttled,
    ),
    scenario(
        "contacts: the key revoked, then replaced",
        BOTH,
        at(&[0], 0),
        contacts::key_replaced,
    ),
    scenario(
        "pushes: kill -9 between call and row",
        BOTH,
        at(&[0], 1),
        pushes::killed_in_a_call,
    ),
    scenario(
        "pushes: kill -9 between ledger and call",
        BOTH,
        at(&[0], 0),
        pushes::killed_before_a_call,
    ),
    scenario(
        "pushes: answers lost after the effect",
        BOTH,
        at(&[0], 0),
        pushes::answers_lost,
    ),
    scenario(
        "pushes: 429 and 5xx, with Retry-After and without",
        BOTH,
        at(&[0], 0),
        pushes::throttled,
    ),
    scenario(
        "pushes: the list deleted half-way",
        BOTH,
        at(&[0], 0),
        pushes::list_deleted,
    ),
    scenario(
        "pushes: the key revoked, then replaced",
        BOTH,
        at(&[0], 0),
        pushes::key_replaced,
    ),
    scenario(
        "pushes: an import job whose rows all fail",
        BOTH,
        at(&[0], 0),
        pushes::job_fails,
    ),
    scenario(
        "pushes: an import job that is not answered",
        BOTH,
        at(&[0], 0),
        pushes::job_unanswered,
    ),
    scenario_with_clocks(
        "pushes: an import job that is stuck",
        EMBEDDED,
        at(&[0], 0),
        pushes::job_stuck,
    ),
    scenario_alone(
        "another withholds bodies and reads no answers",
        BOTH,
        at(&[0], 1),
        neighbour::withheld_and_unread,
    ),
    scenario_alone(
        "another's pages have 14 MB",
        BOTH,
        at(&[0], 1),
        neighbour::giant_pages,
    ),
    scenario(
        "another's page kills every worker",
        BOTH,
        at(&[3, 12], 1),
        neighbour::page_that_kills,
    ),
    scenario(
        "another's pages take 25 s",
        BOTH,
        at(&[0], 1),
        neighbour::slow_pages,
    ),
];

/// Waits for the end of the run, and reads the result.
fn finish(
    environment: &Environment,
    allowed: u64,
    recovery: Option<Duration>,
) -> Result<RoundResult> {
    environment.finish()?;
    let log = environment.log()?;
    Ok(RoundResult {
        outcome: Some(environment.outcome()?),
        undisturbed: None,
        recovery,
        refetched: log.refetched(),
        // The first look at the list's end is one page beside the ranges, which a lost worker may have been fetching.
        allowed: allowed
            .saturating_add(log.refetched_looks().min(allowed / READERS))
            .saturating_add(log.last_looks()),
        slowest: SLOWEST_RECOVERY,
        blocked_requests: log.blocked_requests(),
        failure: None,
    })
}

fn finish_in_failure(
    environment: &Environment,
    code: &'static str,
    allowed: u64,
) -> Result<RoundResult> {
    Ok(RoundResult {
        failure: Some(code),
        ..finish(environment, allowed, None)?
    })
}

/// Waits until a run that has lost its worker goes on. `None` if the run had ended already.
fn recover(environment: &Environment) -> Result<Option<Duration>> {
    if !environment.run()?.is_active() {
        return Ok(None);
    }
    environment.recover().map(Some)
}
