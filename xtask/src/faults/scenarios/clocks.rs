//! Clocks that are wrong, and clocks that are set.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{finish, lost, recover};
use crate::faults::{RoundContext, RoundResult};

/// Klaviyo asks for a wait, and neither the worker whose clock is ahead asks earlier, nor does one whose clock is behind
/// wait for longer. `Retry-After` as a time is by Klaviyo's clock, which is as wrong for both.
pub(super) fn differ(context: &RoundContext<'_>) -> Result<RoundResult> {
    const ASKED: Duration = Duration::from_secs(4);
    let page = context.number()?;
    let seconds = format!("list-profiles@request={page}:429=4");
    let time = format!("list-profiles@request={}:503=date:2", page + 12);
    let mut environment = context.environment(&[&seconds, &time], 0)?;
    environment.start_worker_with_clock("+300s")?;
    environment.start_worker_with_clock("-300s")?;
    let begun = Instant::now();
    environment.import()?;
    environment.finish()?;
    let took = begun.elapsed();
    // Both waits, the import itself, and what a busy machine takes.
    ensure!(took > ASKED, "the import took {took:?}, less than the wait");
    let limit = ASKED * 2 + Duration::from_secs(30);
    ensure!(took < limit, "the import took {took:?}");
    finish(&environment, lost(2), None)
}

/// The clock of the only worker is set forwards or back in the middle of the import: it goes on at once, and later
/// waits for as long as Klaviyo asks.
pub(super) fn jump(context: &RoundContext<'_>) -> Result<RoundResult> {
    let page = context.number()?;
    let offset = if page % 2 == 0 { "-3600s" } else { "+3600s" };
    let fault = format!("list-profiles@request={}:429=3", page + 5);
    let mut environment = context.environment(&[&fault], 0)?;
    environment.start_worker_with_clock("+0s")?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    environment.set_clock(0, offset)?;
    let recovery = environment.recover()?;
    finish(&environment, lost(1), Some(recovery))
}

/// The lease of a worker that is gone lies an hour ahead: another worker takes the run up all the same.
pub(super) fn set_back_and_killed(context: &RoundContext<'_>) -> Result<RoundResult> {
    let mut environment = context.environment(&[], 0)?;
    environment.start_worker_with_clock("+0s")?;
    environment.import()?;
    environment.wait_for_page(context.page()?)?;
    environment.workers[0].kill()?;
    environment.start_worker_with_clock("-3600s")?;
    let recovery = recover(&environment)?;
    finish(&environment, lost(1), recovery)
}

/// The end of a pause lies an hour ahead: the run waits for no longer than Klaviyo asked.
pub(super) fn set_back_in_a_pause(context: &RoundContext<'_>) -> Result<RoundResult> {
    const ASKED: u64 = 3;
    let page = context.number()?;
    let fault = format!("list-profiles@request={page}:429={ASKED}");
    let mut environment = context.environment(&[&fault], 0)?;
    environment.start_worker_with_clock("+0s")?;
    environment.import()?;
    environment.wait_until_waiting()?;
    environment.set_clock(0, "-3600s")?;
    let recovery = environment.recover()?;
    // The block begins anew with the clock.
    let slowest = Duration::from_secs(2 * ASKED + 8);
    Ok(RoundResult {
        slowest,
        ..finish(&environment, lost(1), Some(recovery))?
    })
}
