//! The rounds on one kind of store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::outcome::Outcome;
use super::report::{Played, Row, judge};
use super::scene::{Scene, Setting};
use super::statements::{self, Journey, Record};
use super::{Case, Play, Round, Rounds};
use crate::fleet::Built;
use crate::stop::Stop;

/// Rounds played at the same time: mostly they wait for a lease to run out.
const LANES: usize = 4;

/// What all rounds on one kind of store have at hand.
pub(super) struct Stage<'a> {
    built: &'a Built,
    setting: &'a Setting,
    stop: &'a Stop,
    /// What every import must lead to, whatever happens to it.
    undisturbed: Outcome,
    /// What a worker tells the store, once somebody has asked.
    records: Vec<Record>,
}

impl<'a> Stage<'a> {
    /// Plays an import that nothing happens to.
    pub(super) fn set(built: &'a Built, setting: &'a Setting, stop: &'a Stop) -> Result<Self> {
        let scene = Scene::set(built, setting, &[], 1, stop)?;
        scene.import()?;
        scene.finish().context("the undisturbed import")?;
        Ok(Self {
            built,
            setting,
            stop,
            undisturbed: scene.outcome()?,
            records: Vec::new(),
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
                if self.records.is_empty() {
                    let journeys: &[Journey] = if is_full {
                        &[Journey::HardImport, Journey::Resync]
                    } else {
                        &[Journey::Import]
                    };
                    let play = self.play_of(Round::Number(0));
                    self.records = journeys
                        .iter()
                        .map(|journey| Record::make(&play, *journey))
                        .collect::<Result<_>>()?;
                }
                let moments = if is_full {
                    Ok(statements::every(&self.records, side))
                } else {
                    statements::telling(&self.records, side)
                };
                Ok(moments?.into_iter().map(Round::At).collect())
            }
        }
    }

    /// Plays them, some at the same time where they do not touch what they share.
    pub(super) fn play(
        &self,
        case: &Case,
        rounds: &[Round],
        faults: &mut Vec<String>,
    ) -> Result<Row> {
        let mut row = Row {
            name: case.name,
            store: self.setting.name(),
            rounds: rounds.len(),
            recovered: 0,
            slowest: None,
            refetched: 0,
        };
        let next = AtomicUsize::new(0);
        let lane = || {
            let mut verdicts = Vec::new();
            while let Some(round) = rounds.get(next.fetch_add(1, Ordering::SeqCst)) {
                if self.stop.is_wanted() {
                    break;
                }
                verdicts.push(self.round(case, round));
            }
            verdicts
        };
        let lanes = if case.is_alone { 1 } else { LANES };
        let verdicts: Vec<_> = thread::scope(|scope| {
            let lanes: Vec<_> = (0..lanes).map(|_| scope.spawn(lane)).collect();
            let lanes = lanes.into_iter();
            lanes
                .flat_map(|lane| lane.join().expect("a round does not panic"))
                .collect()
        });
        if self.stop.is_wanted() {
            bail!("interrupted");
        }
        for verdict in verdicts {
            match verdict {
                Ok(played) => {
                    row.recovered += 1;
                    row.slowest = row.slowest.max(played.recovery);
                    row.refetched += played.refetched;
                }
                Err(fault) => faults.push(fault),
            }
        }
        Ok(row)
    }

    /// Plays one. An error is a line that says what went wrong in which.
    fn round(&self, case: &Case, round: &Round) -> Result<Played, String> {
        let begun = Instant::now();
        let name = format!("{} ({round}) on {}", case.name, self.setting.name());
        let played = (case.play)(&self.play_of(round.clone()));
        let verdict = played.and_then(|played| {
            judge(&played, &self.undisturbed)?;
            Ok(played)
        });
        match &verdict {
            Ok(_) => println!("{name}: ok, {:.1} s", begun.elapsed().as_secs_f64()),
            Err(error) => println!("{name}: {error:#}"),
        }
        verdict.map_err(|error| format!("{name}: {error:#}"))
    }

    const fn play_of(&self, round: Round) -> Play<'a> {
        Play {
            built: self.built,
            setting: self.setting,
            stop: self.stop,
            round,
        }
    }
}
