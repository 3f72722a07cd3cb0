//! Faults of the database, and of the connection to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use super::{finish, lost, recover};
use crate::faults::environment::{Environment, LEASE, StoreKind, WAIT_TIMEOUT};
use crate::faults::proxy::Proxy;
use crate::faults::{RoundContext, RoundResult};
use crate::test::postgres::Cluster;

pub(super) fn cluster<'a>(context: &RoundContext<'a>) -> Result<&'a Cluster> {
    match context.store_kind {
        StoreKind::Postgres(cluster) => Ok(cluster),
        StoreKind::Sqlite => bail!("this fault is Postgres's"),
    }
}

/// The database stops during the import and is back after so many seconds: only the page that was being
/// written is fetched twice.
pub(super) fn database_restarted(context: &RoundContext<'_>) -> Result<RoundResult> {
    let seconds = u64::from(context.number()?);
    let environment = context.environment(&[], 1)?;
    environment.import()?;
    environment.wait_for_page(7)?;
    cluster(context)?.halt()?;
    std::thread::sleep(Duration::from_secs(seconds));
    cluster(context)?.go_on()?;
    let recovery = environment.recover()?;
    finish(&environment, lost(1), Some(recovery))
}

pub(super) fn database_away(context: &RoundContext<'_>) -> Result<RoundResult> {
    ensure!(
        u64::from(context.number()?) > LEASE.as_secs(),
        "not past the lease"
    );
    database_restarted(context)
}

/// The connection breaks after the worker has sent a commit and before it gets the answer. The worker finds
/// what was written, and does not write it twice.
pub(super) fn cut_at_commit(context: &RoundContext<'_>) -> Result<RoundResult> {
    let (environment, proxy) = behind_proxy(context, &[])?;
    proxy.cut_at_commit(context.number()?);
    environment.import()?;
    let result = finish(&environment, lost(1), None)?;
    proxy.wait_until_held(Duration::ZERO)?;
    Ok(result)
}

/// All connections of the worker fall silent in the middle of the import: nothing goes through them, and none of
/// them ends. The worker makes others and goes on. When it has happened again, it still ends in good order.
pub(super) fn silent(context: &RoundContext<'_>) -> Result<RoundResult> {
    /// One that waits for an answer finds out after 20 s, and apalis's own, which never gives up, after 45 s.
    const RECOVERY: Duration = Duration::from_mins(1);
    let (mut environment, proxy) = behind_proxy(context, &[])?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    proxy.fall_silent();
    let silent_since = Instant::now();
    // More pages than can be under way, so that some have been written.
    environment.wait_for_page(context.page()? + 8)?;
    let recovery = Some(silent_since.elapsed());
    proxy.fall_silent();
    environment.workers[0].terminate();
    let status = environment.workers[0].wait(Duration::from_secs(45))?;
    ensure!(status.success(), "the worker ended with {status}");
    environment.start_worker()?;
    Ok(RoundResult {
        slowest: RECOVERY,
        ..finish(&environment, lost(2), recovery)?
    })
}

/// The worker is killed at a statement: before it, so that Postgres never gets it, or after it, so that
/// Postgres has executed it and the worker never gets the answer.
pub(super) fn kill_at_statement(context: &RoundContext<'_>) -> Result<RoundResult> {
    let breakpoint = context.breakpoint()?;
    let (mut environment, proxy) = breakpoint.workload.prepare(context)?;
    let kind = breakpoint.kind.clone();
    proxy.hold(breakpoint.side, breakpoint.nth, move |sent| *sent == kind);
    breakpoint.workload.begin(&environment)?;
    proxy.wait_until_held(WAIT_TIMEOUT)?;
    let killed = Instant::now();
    environment.workers[0].kill()?;
    environment.start_worker()?;
    let recovery = recover(&environment)?.map(|_| killed.elapsed());
    Ok(RoundResult {
        slowest: RENOTIFIED_RECOVERY,
        undisturbed: Some(Arc::clone(&breakpoint.undisturbed)),
        ..finish(&environment, lost(1), recovery)?
    })
}

/// The longest recovery of a run without a lease. Its job notification is sent again after ten seconds,
/// whatever the lease is.
const RENOTIFIED_RECOVERY: Duration = Duration::from_secs(15);

/// An environment with one worker, whose connections to the store all go through the proxy. The worker has
/// started: its last step is to listen for job notifications.
pub(in crate::faults) fn behind_proxy(
    context: &RoundContext<'_>,
    faults: &[&str],
) -> Result<(Environment, Proxy)> {
    let port = cluster(context)?.port();
    let proxy = Proxy::to(port)?;
    let mut environment = context.environment(faults, 0)?;
    environment.divert_workers(port, proxy.port());
    environment.start_worker()?;
    proxy.passed("LISTEN", WAIT_TIMEOUT)?;
    Ok((environment, proxy))
}
