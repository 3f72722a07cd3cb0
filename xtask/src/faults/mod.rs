//! The fault suite: real programs that are killed, frozen, cut off and given wrong answers during an import.
//!
//! Each round starts a simulator, the API and workers on a new store, causes one fault, waits for the end,
//! and compares every row that the API shows with the rows of an undisturbed import. The simulator's log
//! tells which pages were fetched twice, and whether a worker sent a request inside a `Retry-After`.

mod environment;
mod in_process;
mod klaviyo_list;
mod outcome;
mod proxy;
mod report;
mod request_log;
mod runner;
mod scenarios;
mod schedule_watch;
mod shop;
mod statements;
mod writers;

use std::fmt;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use self::environment::{Breaches, Environment, StoreKind};
use self::proxy::Side;
use self::report::{RoundResult, print};
use self::runner::Runner;
use self::scenarios::SCENARIOS;
use self::statements::Breakpoint;
use crate::interrupt::Interrupt;
use crate::services::Programs;
use crate::test::faketime;
use crate::test::postgres::Cluster;

/// The options of `cargo xtask faults`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Every round of every fault, instead of the few that fit into the tests
    #[arg(long)]
    full: bool,
    /// Only the faults with this word in their name
    #[arg(long, value_name = "WORD")]
    only: Option<String>,
}

/// A fault, and the rounds in which it is caused.
struct Scenario {
    name: &'static str,
    stores: Stores,
    rounds: Rounds,
    /// Whether its rounds disturb others, and run one by one.
    is_alone: bool,
    /// Whether its programs have clocks of their own, for which libfaketime is needed.
    has_clocks: bool,
    run: fn(&RoundContext<'_>) -> Result<RoundResult>,
}

/// How the rounds of a fault differ.
#[derive(Clone, Copy)]
enum Rounds {
    /// A number: mostly the page at which it happens.
    Fixed {
        numbers: &'static [u32],
        /// How many of them run among the tests.
        quick: usize,
    },
    /// The statement at which it happens: every one that a worker sends to Postgres during an import, or a
    /// few of them among the tests.
    EachStatement(Side),
}

/// On which stores a fault is caused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stores {
    Both,
    /// The fault is between the worker and Klaviyo: the store does not matter, and the embedded one is the
    /// fastest.
    Embedded,
    /// The fault is in the database.
    Shared,
}

impl Stores {
    const fn have(self, store_kind: &StoreKind) -> bool {
        match self {
            Self::Both => true,
            Self::Embedded => matches!(store_kind, StoreKind::Sqlite),
            Self::Shared => matches!(store_kind, StoreKind::Postgres(_)),
        }
    }
}

/// What a round works with.
struct RoundContext<'a> {
    built: &'a Programs,
    store_kind: &'a StoreKind,
    interrupt: &'a Interrupt,
    round: Round,
    breaches: Breaches,
}

/// How a round differs from the others of its fault.
#[derive(Clone)]
enum Round {
    Number(u32),
    At(Breakpoint),
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::At(breakpoint) => breakpoint.fmt(f),
        }
    }
}

impl RoundContext<'_> {
    /// Starts the programs, with these faults of Klaviyo and this many workers.
    fn environment(&self, faults: &[&str], workers: usize) -> Result<Environment> {
        Environment::start(
            self.built,
            self.store_kind,
            faults,
            workers,
            self.interrupt,
            &self.breaches,
        )
    }

    /// The round's number.
    fn number(&self) -> Result<u32> {
        match self.round {
            Round::Number(number) => Ok(number),
            Round::At(_) => bail!("the rounds of this fault have no numbers"),
        }
    }

    /// The page at which it happens.
    fn page(&self) -> Result<usize> {
        Ok(usize::try_from(self.number()?)?)
    }

    /// The statement at which it happens.
    fn breakpoint(&self) -> Result<&Breakpoint> {
        match &self.round {
            Round::At(breakpoint) => Ok(breakpoint),
            Round::Number(_) => bail!("the rounds of this fault have no statements"),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let report = run_all(options, &interrupt)?;
    Ok(if report.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The results of all rounds.
pub(crate) struct Report {
    /// How many rounds ended as they should.
    pub(crate) recovered: u64,
    /// What went wrong, one line each.
    pub(crate) faults: Vec<String>,
    /// Which faults could not be caused, each with why.
    pub(crate) skipped: Vec<(String, String)>,
}

/// The rounds that belong to the tests.
pub(crate) fn quick(interrupt: &Interrupt) -> Result<Report> {
    let options = Options {
        full: false,
        only: None,
    };
    run_all(&options, interrupt)
}

fn run_all(options: &Options, interrupt: &Interrupt) -> Result<Report> {
    let word = options.only.as_deref().unwrap_or("");
    let scenarios: Vec<&Scenario> = SCENARIOS
        .iter()
        .filter(|scenario| scenario.name.contains(word))
        .collect();
    if scenarios.is_empty() && !in_process::NAME.contains(word) {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        bail!(
            "no fault has {word} in its name; there are: {}",
            names.join("; ")
        );
    }
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let built = Programs::build(false)?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let (scenarios, without_clocks): (Vec<&Scenario>, Vec<&Scenario>) = scenarios
        .into_iter()
        .partition(|scenario| !scenario.has_clocks || faketime::find().is_some());
    for store_kind in [StoreKind::Sqlite, StoreKind::Postgres(cluster)] {
        let scenarios = scenarios.iter().copied();
        let scenarios: Vec<&Scenario> = scenarios
            .filter(|scenario| scenario.stores.have(&store_kind))
            .collect();
        let mut runner = Runner::new(&built, &store_kind, interrupt)?;
        rows.extend(runner.run(&scenarios, options.full, &mut faults)?);
    }
    if options.full && in_process::NAME.contains(word) {
        rows.push(in_process::run(&mut faults)?);
    }
    print(&rows);
    for fault in &faults {
        println!("{fault}");
    }
    let why = "libfaketime is not installed: `cargo xtask test --install` installs it";
    let skipped: Vec<(String, String)> = without_clocks
        .iter()
        .map(|scenario| (format!("fault: {}", scenario.name), why.to_owned()))
        .collect();
    for (name, why) in &skipped {
        println!("skipped: {name}: {why}");
    }
    Ok(Report {
        recovered: rows.iter().map(|row| row.recovered as u64).sum(),
        faults,
        skipped,
    })
}
