//! What one organization does is not noticed by another: another's import ends with the same rows, in its time, and the
//! API and the worker live.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::{finish, lost};
use crate::faults::environment::{Environment, LIST, small_lists};
use crate::faults::{RoundContext, RoundResult};

/// As many requests without a body as were seen to take the API away from everybody.
const WITHHELD: usize = 1_010;

/// As many viewers who read nothing as were seen to hold gigabytes of memory.
const VIEWERS: usize = 24;

/// The longest time that a request of another may take meanwhile.
const SLOWEST_ANSWER: Duration = Duration::from_secs(2);

/// The longest time that another's import may take while pages of the abuser take 25 s.
const SLOWEST_IMPORT: Duration = Duration::from_secs(15);

/// The most memory, in MB, that the API and a worker may have.
const API_MEMORY: f64 = 256.0;
const WORKER_MEMORY: f64 = 128.0;

/// Bodies that never come, and answers that are never read.
pub(super) fn withheld_and_unread(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&[], 1)?;
    let abuser = environment.abuser()?;
    let lists: Vec<String> = small_lists(20).collect();
    let runs = abuser.import(&lists)?;
    environment.wait("the abuser's lists are not imported", || {
        let last = runs.last().context("nothing was imported")?;
        Ok(!abuser.run(last)?.is_active())
    })?;
    abuser.enlarge_audiences()?;

    let unread = abuser.leave_answers_unread(VIEWERS)?;
    let withheld = abuser.withhold_bodies(WITHHELD)?;
    environment.import()?;
    while environment.run()?.is_active() {
        must_serve(&environment)?;
    }
    ensure!(
        !unread.is_empty() && !withheld.is_empty(),
        "no connection was made"
    );
    must_be_small("the API", environment.api_memory(), API_MEMORY)?;
    drop((unread, withheld));
    finish(&environment, lost(1), None)
}

/// Pages of 14 MB: no name in them is short enough to be kept.
pub(super) fn giant_pages(context: &RoundContext<'_>) -> Result<RoundResult> {
    let enlarge = "list-profiles@account=Other1,times=all:enlarge=14000000";
    let mut environment = context.environment(&[enlarge], 1)?;
    let abuser = environment.abuser()?;
    let lists: Vec<String> = small_lists(8).collect();
    let runs = abuser.import(&lists)?;
    environment.wait("the abuser's pages are not requested", || {
        Ok(environment.log()?.pages_of_other() >= lists.len())
    })?;
    environment.import()?;
    let result = finish(&environment, lost(1), None)?;

    let worker = &mut environment.workers[0];
    ensure!(worker.ended()?.is_none(), "the worker died");
    must_be_small("the worker", worker.peak_memory(), WORKER_MEMORY)?;
    for run in &runs {
        let run = abuser.run(run)?;
        ensure!(
            run.error.is_none(),
            "the abuser's run failed: {:?}",
            run.error
        );
    }
    Ok(result)
}

/// A page of the abuser's that kills every worker fails the abuser's run, and no other.
pub(super) fn page_that_kills(context: &RoundContext<'_>) -> Result<RoundResult> {
    let page = context.page()?;
    let stall = format!("list-profiles@account=Other1,request={page},times=all:stall=60000");
    let mut environment = context.environment(&[&stall], 1)?;
    let abuser = environment.abuser()?;
    let runs = abuser.import(&[LIST.to_owned()])?;
    let run = || abuser.run(&runs[0]);
    environment.import()?;
    let mut so_far = page - 1;
    for _ in 1..=3 {
        environment.wait("the page that kills is not requested", || {
            Ok(environment.log()?.pages_of_other() > so_far)
        })?;
        environment
            .workers
            .last_mut()
            .context("no worker was started")?
            .kill()?;
        environment.start_worker()?;
        // A request that the killed worker sent may be logged late. The next one is sent when the lease is over.
        so_far = environment.log()?.pages_of_other();
    }
    let result = finish(&environment, lost(3), None)?;
    environment.wait("the abuser's run does not end", || Ok(!run()?.is_active()))?;
    let code = run()?.error.map(|error| error.code);
    ensure!(
        code.as_deref() == Some("worker_crashed"),
        "the abuser's run ended with {code:?}"
    );
    Ok(result)
}

/// Twenty lists whose pages take 25 s each: half of the time until an answer begins, half in its middle.
pub(super) fn slow_pages(context: &RoundContext<'_>) -> Result<RoundResult> {
    let faults = [
        "list-profiles@account=Other1,times=all:slow=12500",
        "list-profiles@account=Other1,times=all:stall=12500",
    ];
    let environment = context.environment(&faults, 1)?;
    let abuser = environment.abuser()?;
    let lists: Vec<String> = small_lists(20).collect();
    abuser.import(&lists)?;
    // As many as a worker has slots.
    environment.wait("the abuser's pages are not requested", || {
        Ok(environment.log()?.pages_of_other() >= 16)
    })?;
    let begun = Instant::now();
    environment.import()?;
    let result = finish(&environment, 0, None)?;
    ensure!(
        begun.elapsed() < SLOWEST_IMPORT,
        "another's import took {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    Ok(result)
}

/// Asks the API as a probe and as another organization.
fn must_serve(environment: &Environment) -> Result<()> {
    for path in ["/readyz", "/api/audiences"] {
        let begun = Instant::now();
        let answer = environment.api.send_once("GET", path, None)?;
        let took = begun.elapsed();
        ensure!(answer.status == 200, "GET {path}: {}", answer.explain());
        ensure!(
            took < SLOWEST_ANSWER,
            "GET {path} took {:.1} s",
            took.as_secs_f64()
        );
    }
    Ok(())
}

fn must_be_small(what: &str, memory: Option<f64>, limit: f64) -> Result<()> {
    ensure!(
        memory.is_none_or(|memory| memory < limit),
        "{what} had {:.0} MB of memory; {limit:.0} are the most",
        memory.unwrap_or_default()
    );
    Ok(())
}
