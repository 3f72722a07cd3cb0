//! The kinds of scenarios: on which stores and in which rounds they are played, and beside what.

use anyhow::Result;

use crate::faults::{RoundContext, RoundResult, Rounds, Scenario, Stores};

pub(super) const BOTH: Stores = Stores::Both;
pub(super) const EMBEDDED: Stores = Stores::Embedded;
pub(super) const SHARED: Stores = Stores::Shared;

/// Rounds with these numbers. The first few run among the tests.
pub(super) const fn at(numbers: &'static [u32], quick: usize) -> Rounds {
    Rounds::Fixed { numbers, quick }
}

pub(super) const fn scenario(
    name: &'static str,
    stores: Stores,
    rounds: Rounds,
    run: fn(&RoundContext<'_>) -> Result<RoundResult>,
) -> Scenario {
    Scenario {
        name,
        stores,
        rounds,
        is_alone: false,
        has_clocks: false,
        run,
    }
}

/// A fault of the programs' clocks.
pub(super) const fn scenario_with_clocks(
    name: &'static str,
    stores: Stores,
    rounds: Rounds,
    run: fn(&RoundContext<'_>) -> Result<RoundResult>,
) -> Scenario {
    Scenario {
        has_clocks: true,
        ..scenario(name, stores, rounds, run)
    }
}

/// A fault of the Postgres cluster that all rounds use.
pub(super) const fn scenario_of_cluster(
    name: &'static str,
    rounds: Rounds,
    run: fn(&RoundContext<'_>) -> Result<RoundResult>,
) -> Scenario {
    scenario_alone(name, SHARED, rounds, run)
}

/// A fault that the rounds beside it would notice, too.
pub(super) const fn scenario_alone(
    name: &'static str,
    stores: Stores,
    rounds: Rounds,
    run: fn(&RoundContext<'_>) -> Result<RoundResult>,
) -> Scenario {
    Scenario {
        is_alone: true,
        ..scenario(name, stores, rounds, run)
    }
}
