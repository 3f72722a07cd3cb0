//! The fault suite: real programs, killed, frozen, cut off and misled in the middle of an import.
//!
//! Each round starts a simulator, the API and workers on a fresh store, lets one thing happen, waits for
//! the end, and compares every row that the API shows with an undisturbed import's. The
//! simulator's log tells which pages were asked for twice, and whether anybody asked inside a
//! `Retry-After`.

mod cases;
mod klaviyo;
mod outcome;
mod proxy;
mod report;
mod scene;
mod stage;
mod statements;

use std::fmt;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use self::cases::CASES;
use self::proxy::Side;
use self::report::{Played, print};
use self::scene::{Scene, Setting};
use self::stage::Stage;
use self::statements::Moment;
use crate::fleet::Built;
use crate::stop::Stop;
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

/// A fault, and the rounds it is played in.
struct Case {
    name: &'static str,
    stores: Stores,
    rounds: Rounds,
    /// Whether its rounds touch what others use, and are played one by one.
    is_alone: bool,
    play: fn(&Play<'_>) -> Result<Played>,
}

/// What the rounds of a fault differ by.
#[derive(Clone, Copy)]
enum Rounds {
    /// A number: mostly the page at which it happens.
    Fixed {
        numbers: &'static [u32],
        /// How many of them are played among the tests.
        quick: usize,
    },
    /// The statement beside which it happens: every one that a worker tells Postgres during an import, or the
    /// most telling among the tests.
    EachStatement(Side),
}

/// Which stores a fault is played on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stores {
    Both,
    /// It is between us and Klaviyo: the store does not matter, and the embedded one is quickest.
    Embedded,
    /// It is the database's.
    Shared,
}

impl Stores {
    const fn have(self, setting: &Setting) -> bool {
        match self {
            Self::Both => true,
            Self::Embedded => matches!(setting, Setting::Sqlite),
            Self::Shared => matches!(setting, Setting::Postgres(_)),
        }
    }
}

/// What a round has at hand.
struct Play<'a> {
    built: &'a Built,
    setting: &'a Setting,
    stop: &'a Stop,
    round: Round,
}

/// What one round differs by.
#[derive(Clone)]
enum Round {
    Number(u32),
    At(Moment),
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::At(moment) => moment.fmt(f),
        }
    }
}

impl Play<'_> {
    /// A scene with these faults of Klaviyo's and this many workers.
    fn scene(&self, faults: &[&str], workers: usize) -> Result<Scene> {
        Scene::set(self.built, self.setting, faults, workers, self.stop)
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

    /// The statement beside which it happens.
    fn moment(&self) -> Result<&Moment> {
        match &self.round {
            Round::At(moment) => Ok(moment),
            Round::Number(_) => bail!("the rounds of this fault have no statements"),
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let stop = Stop::listen()?;
    let report = play(options, &stop)?;
    Ok(if report.faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What came of all rounds.
pub(crate) struct Report {
    /// Rounds that ended as they should.
    pub(crate) recovered: u64,
    /// What went wrong, a line each.
    pub(crate) faults: Vec<String>,
}

/// The rounds that belong to the tests.
pub(crate) fn quick(stop: &Stop) -> Result<Report> {
    let options = Options {
        full: false,
        only: None,
    };
    play(&options, stop)
}

fn play(options: &Options, stop: &Stop) -> Result<Report> {
    let word = options.only.as_deref().unwrap_or("");
    let cases: Vec<&Case> = CASES
        .iter()
        .filter(|case| case.name.contains(word))
        .collect();
    if cases.is_empty() {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        bail!(
            "no fault has {word} in its name; there are: {}",
            names.join("; ")
        );
    }
    let cluster = Cluster::of_installed()?
        .context("Postgres is not installed: `cargo xtask test --install` installs it")?;
    let built = Built::build(false)?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for setting in [Setting::Sqlite, Setting::Postgres(cluster)] {
        let cases = cases.iter().filter(|case| case.stores.have(&setting));
        let mut stage = Stage::set(&built, &setting, stop)?;
        for case in cases {
            let rounds = stage.rounds(case.rounds, options.full)?;
            rows.push(stage.play(case, &rounds, &mut faults)?);
        }
    }
    print(&rows);
    for fault in &faults {
        println!("{fault}");
    }
    Ok(Report {
        recovered: rows.iter().map(|row| row.recovered as u64).sum(),
        faults,
    })
}
