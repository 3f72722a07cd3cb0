//! Runs the rounds on one kind of store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::environment::{Breaches, Environment, StoreKind};
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
        let breaches = Breaches::default();
        let environment = Environment::start(built, store_kind, &[], 1, interrupt, &breaches)?;
        environment.import()?;
        environment.finish().context("the undisturbed import")?;
        let undisturbed = environment.outcome()?;
        drop(environment);
        breaches.check()?;
        Ok(Self {
            built,
            store_kind,
            interrupt,
            undisturbed,
            recordings: Vec::new(),
        })
    }

    /// Causes these faults. Rounds that do not disturb each other run at the same time, those of different faults too.
    pub(super) fn run(
        &mut self,
        scenarios: &[&Scenario],
        is_full: bool,
        faults: &mut Vec<String>,
    ) -> Result<Vec<Row>> {
        let (mut rows, mut together, mut alone) = (Vec::new(), Vec::new(), Vec::new());
        for (index, scenario) in scenarios.iter().enumerate() {
            let rounds = self.rounds(scenario.rounds, is_full)?;
            rows.push(Row::new(
                scenario.name,
                self.store_kind.name(),
                rounds.len(),
            ));
            let queue = if scenario.is_alone {
                &mut alone
            } else {
                &mut together
            };
            queue.extend(rounds.into_iter().map(|round| (index, round)));
        }
        let mut results = self.run_rounds(scenarios, &together, PARALLEL_ROUNDS);
        results.extend(self.run_rounds(scenarios, &alone, 1));
        if self.interrupt.is_requested() {
            bail!("interrupted");
        }
        for (index, checked) in results {
            match checked {
                Ok(result) => rows[index].add(&result),
                Err(fault) => faults.push(fault),
            }
        }
        Ok(rows)
    }

    /// The rounds of a fault: all of them, or those that belong to the tests.
    fn rounds(&mut self, rounds: Rounds, is_full: bool) -> Result<Vec<Round>> {
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
                    let context = self.context_of(Round::Number(0));
                    self.recordings = if is_full {
                        [Workload::HardImport, Workload::Resync]
                            .into_iter()
                            .map(|workload| Recording::make_twice(&context, workload))
                            .collect::<Result<_>>()?
                    } else {
                        vec![Recording::make(&context, Workload::Import)?]
                    };
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

    /// Runs rounds, so many at the same time, each with the number of its scenario.
    fn run_rounds(
        &self,
        scenarios: &[&Scenario],
        rounds: &[(usize, Round)],
        at_once: usize,
    ) -> Vec<(usize, Result<RoundResult, String>)> {
        let next = AtomicUsize::new(0);
        let run_next = || {
            let mut results = Vec::new();
            while let Some((index, round)) = rounds.get(next.fetch_add(1, Ordering::SeqCst)) {
                if self.interrupt.is_requested() {
                    break;
                }
                results.push((*index, self.round(scenarios[*index], round)));
            }
            results
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..at_once).map(|_| scope.spawn(run_next)).collect();
            let threads = threads.into_iter();
            threads
                .flat_map(|run_next| run_next.join().expect("a round does not panic"))
                .collect()
        })
    }

    /// Runs one round. An error is a line that names the round and says what went wrong.
    fn round(&self, scenario: &Scenario, round: &Round) -> Result<RoundResult, String> {
        let begun = Instant::now();
        let name = format!("{} ({round}) on {}", scenario.name, self.store_kind.name());
        let context = self.context_of(round.clone());
        let result = (scenario.run)(&context);
        let checked = result.and_then(|result| {
            check(&result, &self.undisturbed)?;
            context.breaches.check()?;
            Ok(result)
        });
        match &checked {
            Ok(_) => println!("{name}: ok, {:.1} s", begun.elapsed().as_secs_f64()),
            Err(error) => println!("{name}: {error:#}"),
        }
        checked.map_err(|error| format!("{name}: {error:#}"))
    }

    fn context_of(&self, round: Round) -> RoundContext<'a> {
        RoundContext {
            built: self.built,
            store_kind: self.store_kind,
            interrupt: self.interrupt,
            round,
            breaches: Breaches::default(),
        }
    }
}
