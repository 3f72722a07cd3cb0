//! Runs the rounds on one kind of store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::environment::{Environment, StoreKind};
use super::outcome::Outcome;
use super::report::{RoundResult, Row, check};
use super::statements::{self, Recording, Workload};
use super::{Round, RoundContext, Rounds, Scenario};
use crate::interrupt::Interrupt;
use crate::services::Programs;

/// How many rounds run at the same time. Most of the time they wait for a lease to expire.
const PARALLEL_ROUNDS: usize = 4;

/// Runs rounds on one kind of store.
pub(super) struct Runner<'a> {
    built: &'a Programs,
    store_kind: &'a StoreKind,
    interrupt: &'a Interrupt,
    /// The result that every import must have, whatever fault it meets.
    undisturbed: Outcome,
    /// The statements that a worker sends to the store, once a scenario has needed them.
    recordings: Vec<Recording>,
}

impl<'a> Runner<'a> {
    /// Runs an import without a fault.
    pub(super) fn new(
        built: &'a Programs,
        store_kind: &'a StoreKind,
        interrupt: &'a Interrupt,
    ) -> Result<Self> {
        let environment = Environment::start(built, store_kind, &[], 1, interrupt)?;
        environment.import()?;
        environment.finish().context("the undisturbed import")?;
        Ok(Self {
            built,
            store_kind,
            interrupt,
            undisturbed: environment.outcome()?,
            recordings: Vec::new(),
        })
    }

    /// The rounds of a fault: all of them, or those that belong to the tests.
    pub(super) fn rounds(&mut self, rounds: Rounds, is_full: bool) -> Result<Vec<Round>> {
        match rounds {
            Rounds::Fixed { numbers, quick } => {
                let count = if is_full { numbers.len() } else { quick };
                Ok(numbers[..count]
                    .iter()
                    .copied()
                    .map(Round::Number)
                    .collect())
            }
            Rounds::EachStatement(side) => {
                if self.recordings.is_empty() {
                    let workloads: &[Workload] = if is_full {
                        &[Workload::HardImport, Workload::Resync]
                    } else {
                        &[Workload::Import]
                    };
                    let context = self.context_of(Round::Number(0));
                    self.recordings = workloads
                        .iter()
                        .map(|workload| Recording::make(&context, *workload))
                        .collect::<Result<_>>()?;
                }
                let breakpoints = if is_full {
                    Ok(statements::every(&self.recordings, side))
                } else {
                    statements::chosen(&self.recordings, side)
                };
                Ok(breakpoints?.into_iter().map(Round::At).collect())
            }
        }
    }

    /// Runs the rounds, some at the same time if they do not disturb each other.
    pub(super) fn run_rounds(
        &self,
        scenario: &Scenario,
        rounds: &[Round],
        faults: &mut Vec<String>,
    ) -> Result<Row> {
        let mut row = Row {
            name: scenario.name,
            store: self.store_kind.name(),
            rounds: rounds.len(),
            recovered: 0,
            slowest: None,
            refetched: 0,
        };
        let next = AtomicUsize::new(0);
        let run_next = || {
            let mut results = Vec::new();
            while let Some(round) = rounds.get(next.fetch_add(1, Ordering::SeqCst)) {
                if self.interrupt.is_requested() {
                    break;
                }
                results.push(self.round(scenario, round));
            }
            results
        };
        let threads = if scenario.is_alone {
            1
        } else {
            PARALLEL_ROUNDS
        };
        let results: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(run_next)).collect();
            let threads = threads.into_iter();
            threads
                .flat_map(|run_next| run_next.join().expect("a round does not panic"))
                .collect()
        });
        if self.interrupt.is_requested() {
            bail!("interrupted");
        }
        for checked in results {
            match checked {
                Ok(result) => {
                    row.recovered += 1;
                    row.slowest = row.slowest.max(result.recovery);
                    row.refetched += result.refetched;
                }
                Err(fault) => faults.push(fault),
            }
        }
        Ok(row)
    }

    /// Runs one round. An error is a line that names the round and says what went wrong.
    fn round(&self, scenario: &Scenario, round: &Round) -> Result<RoundResult, String> {
        let begun = Instant::now();
        let name = format!("{} ({round}) on {}", scenario.name, self.store_kind.name());
        let result = (scenario.run)(&self.context_of(round.clone()));
        let checked = result.and_then(|result| {
            check(&result, &self.undisturbed)?;
            Ok(result)
        });
        match &checked {
            Ok(_) => println!("{name}: ok, {:.1} s", begun.elapsed().as_secs_f64()),
            Err(error) => println!("{name}: {error:#}"),
        }
        checked.map_err(|error| format!("{name}: {error:#}"))
    }

    const fn context_of(&self, round: Round) -> RoundContext<'a> {
        RoundContext {
            built: self.built,
            store_kind: self.store_kind,
            interrupt: self.interrupt,
            round,
        }
    }
}
