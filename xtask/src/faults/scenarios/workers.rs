//! Faults of Fanfare's own programs.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{READERS, finish, finish_in_failure, lost, recover};
use crate::faults::environment::{Environment, LEASE, LIST};
use crate::faults::{RoundContext, RoundResult};

pub(super) fn undisturbed(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&[], 2)?;
    environment.import()?;
    finish(&environment, 0, None)
}

/// The worker that is started again has a new name in the queue, as every worker has.
pub(super) fn kill_and_restart(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&[], 1)?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    environment.workers[0].kill()?;
    environment.start_worker()?;
    let recovery = recover(&environment)?;
    finish(&environment, lost(1), recovery)
}

pub(super) fn kill_with_second_worker(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&[], 1)?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    environment.start_worker()?;
    environment.workers[0].kill()?;
    let recovery = recover(&environment)?;
    finish(&environment, lost(1), recovery)
}

/// Another worker takes over the run of a worker that is frozen for longer than its lease. The frozen worker
/// writes nothing when it goes on.
///
/// It is frozen while all its partitions wait for a page: in the middle of a transaction it would hold the
/// locks of the store, and all other workers would wait.
pub(super) fn freeze(context: &RoundContext<'_>) -> Result<RoundResult> {
    let slow = format!(
        "list-profiles@request={},times={READERS}:slow=3000",
        context.number()? + 1
    );
    let mut environment = context.environment(&[&slow], 1)?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    let written = Cell::new(None);
    environment.wait("the pages before are not written", || {
        std::thread::sleep(Duration::from_millis(250));
        let now = environment.run()?.progress.processed;
        Ok(written.replace(Some(now)) == Some(now))
    })?;
    environment.workers[0].freeze();
    environment.start_worker()?;
    let recovery = recover(&environment)?;
    if recovery.is_some() {
        environment.recover()?;
        environment.recover()?;
    }
    environment.workers[0].thaw();
    // The pages that it was writing, and those that it was fetching when it was frozen.
    let result = finish(&environment, lost(2), recovery)?;
    ensure!(
        environment.workers[0].ended()?.is_none(),
        "the thawed worker died"
    );
    Ok(result)
}

/// A worker that gets SIGTERM finishes its page and gives the run back: no page is fetched twice, and the
/// next worker waits for no lease.
pub(super) fn terminate(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&[], 1)?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    environment.workers[0].terminate();
    let status = environment.workers[0].wait(Duration::from_secs(30))?;
    ensure!(status.success(), "the worker ended with {status}");
    environment.start_worker()?;
    let recovery = recover(&environment)?;
    if let Some(recovery) = recovery {
        ensure!(
            recovery < LEASE,
            "the run was not given back: {:.1} s",
            recovery.as_secs_f64()
        );
    }
    finish(&environment, 0, recovery)
}

/// A page that kills every worker fails the run after three workers.
pub(super) fn page_that_kills(context: &RoundContext<'_>) -> Result<RoundResult> {
    let page = context.page()?;
    let stall = format!("list-profiles@request={page},times=all:stall=60000");
    let mut environment = context.environment(&[&stall], 1)?;
    environment.import()?;
    let mut so_far = page - 1;
    for attempt in 1..=3 {
        environment.wait_for_page_of(attempt, so_far + 1)?;
        environment
            .workers
            .last_mut()
            .context("no worker was started")?
            .kill()?;
        so_far = environment.log()?.pages();
        environment.start_worker()?;
    }
    finish_in_failure(&environment, "worker_crashed", lost(2))
}

/// Fifty requests at once start one import, and after it one sync.
pub(super) fn concurrent_requests(context: &RoundContext<'_>) -> Result<RoundResult> {
    let environment = context.environment(&[], 1)?;
    let body = json!({"listIds": [LIST]});
    let answers = at_once(&environment, "/api/audiences/import/klaviyo", &body)?;
    let imported = answers
        .iter()
        .filter(|(_, answer)| answer["imported"][0].is_object())
        .count();
    let skipped = answers
        .iter()
        .filter(|(_, answer)| answer["skipped"][0]["reason"] == "Already synced")
        .count();
    ensure!(
        (imported, skipped) == (1, 49),
        "{imported} imported, {skipped} skipped"
    );

    let audience = environment.run()?.audience_id;
    let sync = format!("/api/audiences/{audience}/sync");
    let answers = at_once(&environment, &sync, &json!({}))?;
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    ensure!(
        refused == 50,
        "{} syncs beside a running import",
        50 - refused
    );
    let result = finish(&environment, 0, None)?;

    let answers = at_once(&environment, &sync, &json!({}))?;
    let taken = answers.iter().filter(|(status, _)| *status == 200).count();
    let refused = answers.iter().filter(|(status, _)| *status == 409).count();
    ensure!(
        (taken, refused) == (1, 49),
        "{taken} syncs taken, {refused} refused"
    );
    environment.finish()?;
    Ok(result)
}

fn at_once(environment: &Environment, path: &str, body: &Value) -> Result<Vec<(u16, Value)>> {
    std::thread::scope(|scope| {
        let concurrent_requests: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| environment.api.send("POST", path, Some(body))))
            .collect();
        concurrent_requests
            .into_iter()
            .map(|click| {
                let answer = click.join().expect("a click does not panic")?;
                Ok((answer.status.as_u16(), answer.body))
            })
            .collect()
    })
}

/// Workers go on while the API is away.
pub(super) fn import_without_api(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&[], 1)?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    environment.restart_api()?;
    finish(&environment, 0, None)
}
