//! Orders to a running simulator.

use anyhow::{Context, Result, ensure};

use crate::webhooks;

/// Takes back what the simulator at this address was ordered to do to answers that are to come.
pub(crate) fn forget_faults(simulator: &str) -> Result<()> {
    let agent = webhooks::agent();
    let answer = agent.delete(format!("{simulator}/control/faults")).call();
    let answer = answer.context("the simulator does not answer")?;
    ensure!(
        answer.status().is_success(),
        "the simulator forgets nothing"
    );
    Ok(())
}

/// Gives the simulator at this address an order: `faults` to come, or `changes` at once.
pub(crate) fn order(simulator: &str, what: &str, orders: &str) -> Result<()> {
    let agent = webhooks::agent();
    let answer = agent
        .post(format!("{simulator}/control/{what}"))
        .send(orders);
    let mut answer = answer.context("the simulator does not answer")?;
    ensure!(
        answer.status().is_success(),
        "the simulator does not take an order: {}",
        answer.body_mut().read_to_string()?
    );
    Ok(())
}
